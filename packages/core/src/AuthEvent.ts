/**
 * What happens inside, for logs, dashboards and audits. Events hold no secret: no token, code, `state` or client secret.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
 *
 * // Logs who has to connect again.
 * const program = ZapierAuth.use(({ events }) =>
 *   events.pipe(
 *     Stream.filter((event) => event._tag === "Transition" && event.to === "ReconnectRequired"),
 *     Stream.runForEach(({ about }) => Effect.logWarning(`${about} has to connect again`))
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as TokenOutcome from "./oauth/TokenOutcome.ts"
import * as Tokens from "./oauth/Tokens.ts"

/**
 * A machine went from one state to another, or stayed in one with something about it changed, and it is stored.
 *
 * - `machine`: `ConsentAttempt`, `UserGrant`, `AppCredential` or `ClientId`
 * - `about`: the subject of a grant or a consent attempt; the scopes of an app token; empty for the client id
 * - `generation`: which tokens the machine holds afterwards, where it holds any
 *
 * @since 0.1.0
 */
export const Transition = Schema.TaggedStruct("Transition", {
  machine: Schema.String,
  about: Schema.String,
  from: Schema.String,
  event: Schema.String,
  to: Schema.String,
  generation: Schema.optionalKey(Schema.Int),
  at: Tokens.Instant
})

/**
 * A token response was taken although some of it is not as RFC 6749 has it. What of it could not be used is treated as
 * missing.
 *
 * - `machine`: whose token request it was: `ConsentAttempt`, `UserGrant` or `AppCredential`
 * - `about`: the subject, or the scopes of an app token
 * - `oddities`: the names of its odd members, never a value
 *
 * @since 0.1.0
 */
export const OddResponseTaken = Schema.TaggedStruct("OddResponseTaken", {
  machine: Schema.String,
  about: Schema.String,
  oddities: Schema.Array(TokenOutcome.Oddity),
  at: Tokens.Instant
})

/**
 * Anything that happens inside.
 *
 * @since 0.1.0
 */
export const AuthEvent = Schema.Union([Transition, OddResponseTaken])

/**
 * @since 0.1.0
 */
export type AuthEvent = typeof AuthEvent.Type
