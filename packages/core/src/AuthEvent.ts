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
 *     Stream.filter(({ machine, to }) => machine === "UserGrant" && to === "ReconnectRequired"),
 *     Stream.runForEach(({ about }) => Effect.logWarning(`${about} has to connect again`))
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
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
export const AuthEvent = Schema.TaggedStruct("Transition", {
  machine: Schema.String,
  about: Schema.String,
  from: Schema.String,
  event: Schema.String,
  to: Schema.String,
  generation: Schema.optionalKey(Schema.Int),
  at: Tokens.Instant
})

/**
 * @since 0.1.0
 */
export type AuthEvent = typeof AuthEvent.Type
