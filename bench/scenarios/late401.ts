/** Many calls at once with a token that the server ended early, while its 401s arrive over 300 ms. */
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import { FakeZapier } from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Report, round, say } from "../report.ts"
import * as World from "../world.ts"

export const name = "late-401"

export const calls = 1_000

const spreadMillis = 300

const program = Effect.fnUntraced(function* (calls: number) {
  const auth = yield* ZapierAuth
  const fake = yield* FakeZapier
  const zapier = yield* ZapierHttpClient
  yield* World.connect(["zap"])
  const { accessToken } = yield* auth.accessToken(World.subject)
  yield* fake.endAccessToken(Redacted.value(accessToken))
  const storm = yield* World.storm(calls, 200, (index) =>
    zapier.call("GET /v2/zaps", {
      credential: Credential.user(World.subject),
      urlParams: { offset: index }
    })
  )
  const statuses = (yield* fake.requests).map(({ status }) => status)
  return { ...storm, unauthorized: statuses.filter((status) => status === 401).length }
})

export const run = Effect.fnUntraced(function* (calls: number) {
  const storm = yield* program(calls).pipe(
    Effect.provide(
      World.layer({
        connections: calls,
        // Responses arrive in the order of the calls.
        delay: ({ query }) => (Number(new URLSearchParams(query).get("offset")) / calls) * spreadMillis
      })
    )
  )
  say(
    `late-401: ${calls} calls in ${round(storm.seconds, 1)} s, ${storm.unauthorized} of them answered with 401 at first`
  )
  const { failedCalls, seconds, tokenRequests, unauthorized } = storm
  return {
    scenario: name,
    passed: tokenRequests === 1 && failedCalls === 0,
    calls,
    tokenRequests,
    failedCalls,
    unauthorized,
    spreadMillis,
    opsPerSecond: round(calls / seconds)
  } satisfies Report
}, Effect.orDie)
