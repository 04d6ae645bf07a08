/** Many calls at once on one expired grant; and again when the new token has expired too. */
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as MovableClock from "../clock.ts"
import { type Report, round, say } from "../report.ts"
import * as World from "../world.ts"

export const name = "storm"

export const calls = 10_000

const program = Effect.fnUntraced(function* (calls: number, clock: MovableClock.MovableClock) {
  const zapier = yield* ZapierHttpClient
  yield* World.connect(["zap"])
  const rounds: Array<World.Storm> = []
  for (const expiry of ["first", "second"]) {
    // The clock of the library and of the fake: both see the token as expired.
    yield* clock.advance("11 hours")
    const storm = yield* World.storm(calls, 200, () =>
      zapier.call("GET /v2/zaps", { credential: Credential.user(World.subject) })
    )
    say(`storm: ${expiry} expiry: ${calls} calls in ${round(storm.seconds, 1)} s`)
    rounds.push(storm)
  }
  return rounds
})

export const run = Effect.fnUntraced(function* (calls: number) {
  const clock = MovableClock.make()
  const rounds = yield* program(calls, clock).pipe(
    Effect.provide(World.layer({ connections: 256 })),
    Effect.provideService(Clock.Clock, clock)
  )
  const sum = (member: keyof World.Storm) => rounds.reduce((total, round) => total + round[member], 0)
  return {
    scenario: name,
    passed: rounds.every(({ failedCalls, tokenRequests }) => tokenRequests === 1 && failedCalls === 0),
    calls: sum("calls"),
    tokenRequests: sum("tokenRequests"),
    failedCalls: sum("failedCalls"),
    opsPerSecond: round(sum("calls") / sum("seconds")),
    rounds: rounds.map((storm) => ({ ...storm, seconds: round(storm.seconds, 2) }))
  } satisfies Report
}, Effect.orDie)
