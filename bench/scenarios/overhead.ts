/**
 * The cost of an authorized call compared with one with a constant bearer header, through Effect's own `HttpClient` and
 * the same API in memory. A call ends once its body is read, because an unread body is cleaned up after the clock
 * stopped.
 *
 * All are measured in turn in many short rounds, and only the fastest tenth of each one's rounds counts, because other
 * load only ever adds to a time. The baseline is measured twice; its ratio to itself shows how reliable the others are.
 */
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Offline from "../offline.ts"
import { type Report, round, say } from "../report.ts"

export const name = "overhead"

/** Calls of each kind before the next kind's turn. */
export const calls = 400

const subject = "ada"
const bound = 1.12
const warmUpRounds = 60
const measuredRounds = 340
const roundsBetweenCollections = 20

// As a user would write it.
const baseline = Offline.httpClient.pipe(
  HttpClient.mapRequest((request) =>
    request.pipe(
      HttpClientRequest.prependUrl("https://api.zapier.com"),
      HttpClientRequest.acceptJson,
      HttpClientRequest.bearerToken(Offline.tokenOf(subject))
    )
  )
)

// A typed call has already read the body.
type Call = Effect.Effect<HttpClientResponse | undefined, ZapierApiClient.ApiError>

const names = ["baseline", "control", "as", "call", "typed"] as const

type Name = (typeof names)[number]
type Subjects = { readonly [name in Name]: () => Call }

// Collects garbage and runs finalizers, so that they do not slow the first kind down.
const settle = Effect.andThen(
  Effect.sync(() => global.gc?.()),
  Effect.sleep("1 millis")
)

const micros = Effect.fnUntraced(function* (calls: number, call: () => Call) {
  const began = performance.now()
  for (let i = 0; i < calls; i++) {
    const response = yield* call()
    if (response !== undefined) yield* response.arrayBuffer
  }
  return ((performance.now() - began) / calls) * 1_000
})

type Times = { readonly [name in Name]: Array<number> }

const measure = Effect.fnUntraced(function* (calls: number, subjects: Subjects) {
  const times: Times = { baseline: [], control: [], as: [], call: [], typed: [] }
  for (let index = 0; index < warmUpRounds + measuredRounds; index++) {
    if (index % roundsBetweenCollections === 0) yield* settle
    // Each kind begins equally often, so that the position does not matter.
    const first = index % names.length
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const took = yield* micros(calls, subjects[name])
      if (index >= warmUpRounds) times[name].push(took)
    }
  }
  return times
})

const quantile = (values: ReadonlyArray<number>, part: number) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? Number.NaN

const undisturbed = 0.1

const compare = Effect.fnUntraced(function* (configuration: string, calls: number, subjects: Subjects) {
  const times = yield* measure(calls, subjects)
  const at = (name: Name, part: number) => quantile(times[name], part)
  const ratio = (name: Name, part: number) => round(at(name, part) / at("baseline", part), 3)
  const baseline = at("baseline", undisturbed)
  const result = {
    baselineMicros: round(baseline, 2),
    addedMicros: {
      as: round(at("as", undisturbed) - baseline, 2),
      call: round(at("call", undisturbed) - baseline, 2),
      typed: round(at("typed", undisturbed) - baseline, 2)
    },
    ratios: {
      control: ratio("control", undisturbed),
      as: ratio("as", undisturbed),
      call: ratio("call", undisturbed),
      typed: ratio("typed", undisturbed)
    },
    medianRatios: {
      control: ratio("control", 0.5),
      as: ratio("as", 0.5),
      call: ratio("call", 0.5),
      typed: ratio("typed", 0.5)
    }
  }
  say(
    `overhead: ${configuration}: ${result.baselineMicros} us, and ${result.addedMicros.as} us more when authorized, ${result.addedMicros.typed} us typed`
  )
  return result
})

const program = Effect.fnUntraced(function* (calls: number) {
  const zapier = yield* ZapierHttpClient
  const ada = HttpClient.mapRequestInput(zapier.as(Credential.user(subject)), HttpClientRequest.acceptJson)
  const typed = yield* ZapierApiClient.make()
  const subjects: Subjects = {
    baseline: () => baseline.get("/v2/zaps"),
    control: () => baseline.get("/v2/zaps"),
    as: () => ada.get("/v2/zaps"),
    call: () => zapier.call("GET /v2/zaps", { credential: Credential.user(subject) }),
    typed: () => Effect.as(typed.zaps.list({ subject }), undefined)
  }
  return {
    byDefault: yield* compare("by default", calls, subjects),
    traced: yield* compare("spans, but no trace headers", calls, subjects).pipe(
      Effect.provideService(HttpClient.TracerPropagationEnabled, false)
    ),
    untraced: yield* compare("no spans", calls, subjects).pipe(
      Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
    )
  }
})

export const run = Effect.fnUntraced(function* (calls: number) {
  const { store } = yield* Offline.makeStore
  const configurations = yield* Effect.provide(program(calls), Offline.layer(store))
  const { byDefault, traced, untraced } = configurations
  const { as, call, control, typed } = untraced.ratios
  return {
    scenario: name,
    passed: as <= bound,
    calls: calls * measuredRounds,
    bound,
    // Without spans, which has a bound: the cost of authorization alone.
    ratio: as,
    callRatio: call,
    // Decoded by the endpoint's schemas, without a bound.
    typedRatio: typed,
    controlRatio: control,
    // With spans, and without trace headers on both sides: this library sends none to Zapier.
    tracedRatio: traced.ratios.as,
    // By default: with spans, and trace headers on the baseline's side only.
    defaultRatio: byDefault.ratios.as,
    opsPerSecond: round(1_000_000 / (untraced.baselineMicros + untraced.addedMicros.as)),
    configurations
  } satisfies Report
}, Effect.orDie)
