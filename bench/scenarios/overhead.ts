/**
 * What an authorized call costs over one with a constant bearer header, through Effect's own `HttpClient` and the same
 * API in memory. Both are measured in turn in each round, and the rounds' ratios are compared, so that whatever slows
 * the machine down for a while slows both down.
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

interface Subjects {
  readonly baseline: () => Call
  readonly as: () => Call
  readonly call: () => Call
}

type Took = { readonly [name in keyof Subjects]: number }

const names = ["baseline", "as", "call"] as const

const millis = Effect.fnUntraced(function* (calls: number, call: () => Call) {
  const began = performance.now()
  for (let i = 0; i < calls; i++) yield* call()
  return performance.now() - began
})

const measure = Effect.fnUntraced(function* (calls: number, subjects: Subjects) {
  const rounds: Array<Took> = []
  for (let index = 0; index < warmUpRounds + measuredRounds; index++) {
    // What earlier rounds left behind is not for this one to clear away.
    global.gc?.()
    const took = { baseline: 0, as: 0, call: 0 }
    // There and back again: who comes first gains nothing by it.
    for (const name of [...names, ...names.toReversed()]) took[name] += yield* millis(calls, subjects[name])
    if (index >= warmUpRounds) rounds.push(took)
  }
  return rounds
})

const quantile = (values: ReadonlyArray<number>, part: number) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? Number.NaN

// The median of what the rounds say, and how far apart the middle half of them is.
const ratioOf = (rounds: ReadonlyArray<Took>, name: "as" | "call") => {
  const ratios = rounds.map((took) => took[name] / took.baseline)
  return {
    median: round(quantile(ratios, 0.5), 3),
    quartiles: [round(quantile(ratios, 0.25), 3), round(quantile(ratios, 0.75), 3)]
  }
}

const compare = Effect.fnUntraced(function* (configuration: string, calls: number, subjects: Subjects) {
  const rounds = yield* measure(calls, subjects)
  const micros = (name: keyof Subjects) => {
    const each = rounds.map((took) => (took[name] / calls / 2) * 1_000)
    return round(quantile(each, 0.5), 1)
  }
  const result = {
    as: ratioOf(rounds, "as"),
    call: ratioOf(rounds, "call"),
    micros: { baseline: micros("baseline"), as: micros("as"), call: micros("call") }
  }
  const { as, baseline, call } = result.micros
  say(`overhead: ${configuration}: ${baseline} us with a constant header, ${as} us with as, ${call} us with call`)
  return result
})

const program = Effect.fnUntraced(function* (calls: number) {
  const zapier = yield* ZapierHttpClient
  const ada = HttpClient.mapRequestInput(zapier.as(Credential.user(subject)), HttpClientRequest.acceptJson)
  const subjects: Subjects = {
    baseline: () => baseline.get("/v2/zaps"),
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
  return {
    scenario: name,
    passed: [byDefault, traced, untraced].every(({ as }) => as.median <= bound),
    calls: calls * 2 * measuredRounds,
    bound,
    // As it comes: Effect makes spans, and sends trace headers, which this library does not.
    ratio: byDefault.as.median,
    callRatio: byDefault.call.median,
    // With spans, and trace headers on neither side.
    tracedRatio: traced.as.median,
    untracedRatio: untraced.as.median,
    configurations
  } satisfies Report
}, Effect.orDie)
