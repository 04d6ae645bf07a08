/**
 * What an authorized call costs over one with a constant bearer header, through Effect's own `HttpClient` and the same
 * API in memory. A call ends with its body read: what is left unread is cleared away after the clock has stopped.
 *
 * All are measured in turn in each round, and the median of the rounds' ratios counts: what else the machine does concerns
 * all of them alike. The baseline is measured twice; its ratio to itself says how far the others are to be trusted.
 */
import * as Credential from "@zapier-workflow-auth/core/Credential"
import { type CallError, ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Offline from "../offline.ts"
import { type Report, round, say } from "../report.ts"

export const name = "overhead"

/** Calls of each kind before the next kind has its turn. */
export const calls = 2_000

const subject = "ada"
const bound = 1.15
const warmUpRounds = 5
const measuredRounds = 40

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

type Call = Effect.Effect<HttpClientResponse, CallError>

const names = ["baseline", "control", "as", "call"] as const

type Name = (typeof names)[number]
type Subjects = { readonly [name in Name]: () => Call }
type Took = { readonly [name in Name]: number }

// Collects garbage, and lets what finalizes it run, so that it does not burden whoever is first.
const settle = Effect.andThen(
  Effect.sync(() => global.gc?.()),
  Effect.sleep("1 millis")
)

const micros = Effect.fnUntraced(function* (calls: number, call: () => Call) {
  const began = performance.now()
  for (let i = 0; i < calls; i++) {
    const response = yield* call()
    yield* response.arrayBuffer
  }
  return ((performance.now() - began) / calls) * 1_000
})

const measure = Effect.fnUntraced(function* (calls: number, subjects: Subjects) {
  const rounds: Array<Took> = []
  for (let index = 0; index < warmUpRounds + measuredRounds; index++) {
    const took = { baseline: 0, control: 0, as: 0, call: 0 }
    yield* settle
    // Each begins as often as each other, and there and back again: no place in the row is worth anything.
    const first = index % names.length
    const row = [...names.slice(first), ...names.slice(0, first)]
    for (const name of [...row, ...row.toReversed()]) took[name] += (yield* micros(calls, subjects[name])) / 2
    if (index >= warmUpRounds) rounds.push(took)
  }
  return rounds
})

const quantile = (values: ReadonlyArray<number>, part: number) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? Number.NaN

// The median of what the rounds say, and how far apart the middle half of them is.
const spread = (values: ReadonlyArray<number>, decimals: number) => ({
  median: round(quantile(values, 0.5), decimals),
  quartiles: [round(quantile(values, 0.25), decimals), round(quantile(values, 0.75), decimals)]
})

const compare = Effect.fnUntraced(function* (configuration: string, calls: number, subjects: Subjects) {
  const rounds = yield* measure(calls, subjects)
  const ratio = (name: Name) =>
    spread(
      rounds.map((took) => took[name] / took.baseline),
      3
    )
  const added = (name: Name) =>
    spread(
      rounds.map((took) => took[name] - took.baseline),
      2
    ).median
  const result = {
    baselineMicros: spread(
      rounds.map(({ baseline }) => baseline),
      2
    ).median,
    addedMicros: { as: added("as"), call: added("call") },
    ratios: { control: ratio("control"), as: ratio("as"), call: ratio("call") }
  }
  say(`overhead: ${configuration}: ${result.baselineMicros} us, and ${result.addedMicros.as} us more when authorized`)
  return result
})

const program = Effect.fnUntraced(function* (calls: number) {
  const zapier = yield* ZapierHttpClient
  const ada = HttpClient.mapRequestInput(zapier.as(Credential.user(subject)), HttpClientRequest.acceptJson)
  const subjects: Subjects = {
    baseline: () => baseline.get("/v2/zaps"),
    control: () => baseline.get("/v2/zaps"),
    as: () => ada.get("/v2/zaps"),
    call: () => zapier.call("GET /v2/zaps", { credential: Credential.user(subject) })
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
  const { as, call, control } = byDefault.ratios
  return {
    scenario: name,
    passed: as.median <= bound,
    calls: calls * 2 * measuredRounds,
    bound,
    // As it comes, which is what is bound: with spans, and trace headers on the baseline's side only, because this library
    // sends none to Zapier.
    ratio: as.median,
    callRatio: call.median,
    controlRatio: control.median,
    // With spans, and trace headers on neither side.
    tracedRatio: traced.ratios.as.median,
    untracedRatio: untraced.ratios.as.median,
    opsPerSecond: round(1_000_000 / (byDefault.baselineMicros + byDefault.addedMicros.as)),
    configurations
  } satisfies Report
}, Effect.orDie)
