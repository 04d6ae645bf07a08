/**
 * What a refresh ahead of time costs the calls beside it: users call at a steady rate, each with a token in memory, while the
 * tokens of one in twenty come due and are renewed. Beside the same calls while none is due, in turn with them in the same
 * run. A call is timed from when it should have begun, so that one that the process was too busy for counts, too.
 */
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import { type Grant, GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { SqlClient } from "effect/sql/SqlClient"
import * as MovableClock from "../clock.ts"
import * as Database from "../database.ts"
import * as ExpiredGrants from "../expiredGrants.ts"
import * as ManyGrants from "../manyGrants.ts"
import { medianOf, timesOf } from "../measure.ts"
import { type Report, round, say } from "../report.ts"

export const name = "mixed"

/** One for each grant in a round. */
export const calls = 10_000

const callsPerSecond = 2_000

const rounds = 3

const dueInOneOf = 20

// Less than any response of Zapier takes, so that what the library adds is not lost in it.
const latency = "20 millis"

/** The 99th percentile beside that while none is due; more fails. */
const bound = 1.3

const expiryMargin = Duration.toMillis("5 minutes")

const minute = Duration.toMillis("1 minute")

const isDue = (index: number) => index % dueInOneOf === 0

const subjectOf = (round: string, index: number) => `${round} ${index}`

const life = ManyGrants.tokenLife * 1_000

// Due a minute from now, or in hours.
const grantOf = (subject: string, due: boolean, now: number): Grant => {
  const obtainedAt = due ? now + expiryMargin + minute - life : now
  return UserGrant.granted(subject, {
    accessToken: Tokens.secret(ManyGrants.tokenOf(`access ${subject}`)),
    refreshToken: Tokens.secret(ManyGrants.tokenOf(`refresh ${subject}`)),
    scopes: ManyGrants.scopes,
    obtainedAt,
    expiresAt: obtainedAt + life
  })
}

const fill = Effect.fnUntraced(function* (round: string, count: number, someAreDue: boolean) {
  const sql = yield* SqlClient
  const store = yield* GrantStore
  const now = yield* Clock.currentTimeMillis
  const { clientId } = ManyGrants.application
  const write = (index: number) => {
    const subject = subjectOf(round, index)
    return store.compareAndSet({ clientId, subject }, Option.none(), grantOf(subject, someAreDue && isDue(index), now))
  }
  yield* sql.withTransaction(Effect.forEach(ManyGrants.indices(count), write, { discard: true }))
})

// Every few milliseconds those begin whose time has come.
const callSteadily = Effect.fnUntraced(function* (round: string, count: number) {
  const zapier = yield* ZapierHttpClient
  const began = performance.now()
  const one = Effect.fnUntraced(function* (index: number) {
    const due = began + (index * 1_000) / callsPerSecond
    yield* Effect.sleep(Math.max(0, due - performance.now()))
    const exit = yield* Effect.exit(
      Effect.tap(
        zapier.call("GET /v2/zaps", { credential: Credential.user(subjectOf(round, index)) }),
        (response) => response.arrayBuffer
      )
    )
    return { millis: performance.now() - due, failed: exit._tag === "Failure" || exit.value.status !== 200 }
  })
  const results = yield* Effect.forEach(ManyGrants.indices(count), one, { concurrency: "unbounded" })
  return {
    times: timesOf(results.map(({ millis }) => millis)),
    failedCalls: results.filter(({ failed }) => failed).length
  }
})

const measureRound = Effect.fnUntraced(function* (
  round: string,
  count: number,
  someAreDue: boolean,
  clock: MovableClock.MovableClock
) {
  const auth = yield* ZapierAuth
  yield* fill(round, count, someAreDue)
  for (let index = 0; index < count; index++) yield* auth.accessToken(subjectOf(round, index))
  yield* clock.advance(minute)
  const called = yield* callSteadily(round, count)
  // Refreshes go on when their callers have been served.
  yield* auth.settled
  return called
})

export const run = Effect.fnUntraced(
  function* (calls: number) {
    const database = yield* Database.make("sqlite")
    const clock = MovableClock.make()
    const zapier = ExpiredGrants.makeZapier()
    const httpClient = HttpClient.transformResponse(zapier.httpClient, Effect.delay(latency))
    const layer = ZapierNode.layerWithoutStores({
      application: ManyGrants.application,
      httpClient: Layer.succeed(HttpClient.HttpClient, httpClient),
      // So that a token leaves memory only because it is due.
      settings: { memoryLifetime: "1 day", memoryCapacity: 1_000_000, expiryMargin }
    }).pipe(Layer.provideMerge(SqlStores.layer), Layer.provideMerge(Database.layer(database)))
    return yield* Effect.gen(function* () {
      yield* measureRound("warm up", Math.min(calls, 1_000), true, clock)
      const before = zapier.tokenRequests()
      const measured = []
      for (let index = 0; index < rounds; index++) {
        const calm = yield* measureRound(`calm ${index}`, calls, false, clock)
        const due = yield* measureRound(`due ${index}`, calls, true, clock)
        say(`${name}: p99 ${due.times.p99} µs, ${calm.times.p99} µs while none is due`)
        measured.push({ calm, due })
      }
      const p99Ratio = round(medianOf(measured.map(({ calm, due }) => due.times.p99 / calm.times.p99)), 2)
      const tokenRequests = zapier.tokenRequests() - before
      const failedCalls = measured.reduce((total, { calm, due }) => total + calm.failedCalls + due.failedCalls, 0)
      const expected = Math.ceil(calls / dueInOneOf) * rounds
      return {
        scenario: name,
        passed: failedCalls === 0 && tokenRequests === expected && p99Ratio <= bound,
        calls: calls * rounds * 2,
        callsPerSecond,
        tokenRequests,
        failedCalls,
        p99Ratio,
        bound,
        rounds: measured.map(({ calm, due }) => ({ calm: calm.times, due: due.times }))
      } satisfies Report
    }).pipe(Effect.provide(layer), Effect.provideService(Clock.Clock, clock))
  },
  Effect.scoped,
  Effect.orDie
)
