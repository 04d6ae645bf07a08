/** Many calls at once as the app itself, which has no token yet. */
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import { FakeZapier } from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as HttpBody from "effect/http/HttpBody"
import { type Report, round, say } from "../report.ts"
import * as World from "../world.ts"

export const name = "app-storm"

export const calls = 1_000

const program = Effect.fnUntraced(function* (calls: number) {
  const fake = yield* FakeZapier
  const zapier = yield* ZapierHttpClient
  yield* World.connect(["promotions:write"])
  // One enrollment for each call, so that each can succeed.
  yield* World.storm(calls, 201, () =>
    zapier.call("POST /v2/promotions", {
      credential: Credential.user(World.subject),
      body: HttpBody.jsonUnsafe({ promotion_id: "storm" })
    })
  )
  const ids = [...HashMap.keys((yield* fake.state).enrollments)]
  const storm = yield* World.storm(calls, 204, (index) =>
    zapier.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: ids[index] ?? "missing" } })
  )
  return { ...storm, enrollments: HashMap.size((yield* fake.state).enrollments) }
})

export const run = Effect.fnUntraced(function* (calls: number) {
  const storm = yield* program(calls).pipe(Effect.provide(World.layer({ connections: 256 })))
  const { enrollments, failedCalls, seconds, tokenRequests } = storm
  say(`app-storm: ${calls} calls in ${round(seconds, 1)} s; a call that is not answered with 204 has failed`)
  return {
    scenario: name,
    passed: tokenRequests === 1 && failedCalls === 0 && enrollments === 0,
    calls,
    tokenRequests,
    failedCalls,
    opsPerSecond: round(calls / seconds)
  } satisfies Report
}, Effect.orDie)
