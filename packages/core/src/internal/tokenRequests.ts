/** Token requests within the time that is left for them, and again where that is safe. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Settings } from "../Settings.ts"
import type { TokenEndpoint } from "../oauth/TokenEndpoint.ts"
import type { TokenOutcome } from "../oauth/TokenOutcome.ts"
import type { TokenRequest } from "../oauth/TokenRequest.ts"
import type { ZapierAuthError } from "../ZapierAuthError.ts"

/** What certainly never left can be sent again, whatever it is. */
const neverLeft = (outcome: TokenOutcome) => outcome._tag === "NotSent"

/** To ask twice for a token of the app itself harms nobody, unless the server has said when to come back. */
const mayBeAskedTwice = (outcome: TokenOutcome) =>
  neverLeft(outcome) ||
  outcome._tag === "NoResponse" ||
  (outcome._tag === "Unavailable" && outcome.retryAfter === undefined)

const pauses = Schedule.jittered(Schedule.exponential("250 millis"))

/** The outcome of a request that was not even tried: the process has slept until its time was over. */
export const tooLate: TokenOutcome = { _tag: "NotSent", code: "no time left" }

export const make =
  (tokenEndpoint: TokenEndpoint["Service"], { requestTimeout, retryFor }: Settings) =>
  (request: TokenRequest, deadline: number): Effect.Effect<TokenOutcome, ZapierAuthError> => {
    const again = request._tag === "ClientCredentials" ? mayBeAskedTwice : neverLeft
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const timeout = Math.min(requestTimeout, deadline - now)
      return timeout > 0 ? tokenEndpoint.request(request, { timeout }) : Effect.succeed(tooLate)
    }).pipe(
      Effect.repeat({
        // A schedule lets one repetition pass even if it has no time.
        while: (outcome) => retryFor > 0 && outcome !== tooLate && again(outcome),
        schedule: Schedule.upTo(pauses, { duration: retryFor })
      })
    )
  }

export type TokenRequests = ReturnType<typeof make>
