/**
 * What happens inside, for logs, dashboards and audits. Events hold no secret: no token, code, `state` or client secret.
 *
 * Each machine has an event of its own, whose states and events are those of the machine's table. A name that is misspelled
 * does not compile.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
 *
 * // Logs who has to connect again, and why.
 * const program = ZapierAuth.use(({ events }) =>
 *   events.pipe(
 *     Stream.filter((event) => event._tag === "UserGrantChanged"),
 *     Stream.filter(({ to }) => to === "ReconnectRequired"),
 *     Stream.runForEach(({ cause, subject }) => Effect.logWarning(`${subject} has to connect again: ${cause}`))
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as AppCredential from "./machine/AppCredential.ts"
import * as ClientId from "./machine/ClientId.ts"
import * as ConsentAttempt from "./machine/ConsentAttempt.ts"
import type * as Machine from "./machine/Machine.ts"
import * as Pause from "./machine/Pause.ts"
import * as UserGrant from "./machine/UserGrant.ts"
import * as Scopes from "./oauth/Scopes.ts"
import * as TokenOutcome from "./oauth/TokenOutcome.ts"
import * as Tokens from "./oauth/Tokens.ts"
import { ReconnectCause } from "./ZapierAuthError.ts"

// The keys of a table, which has no others than its type says.
const keysOf = <Key extends string>(table: { readonly [key in Key]?: unknown }) => Object.keys(table) as Array<Key>

/** How a machine has moved: from where, by which event, to where, and when. The names are those of its table. */
const move = <State extends string, Event extends string>(edges: Machine.Edges<State, Event>) => {
  const states = Schema.Literals(keysOf<State>(edges))
  const events = keysOf<State>(edges).flatMap((state) => keysOf<Event>(edges[state]))
  return {
    from: states,
    event: Schema.Literals([...new Set(events)]),
    to: states,
    at: Tokens.Instant
  }
}

const clientId = Schema.String

/** Which tokens the machine holds afterwards, where it holds any. */
const generation = Schema.optionalKey(Schema.Int)

const failures = keysOf<Pause.Cause["_tag"]>(Pause.Cause.cases)

/**
 * A user's grant went from one state to another, or stayed in one with something about it changed, and it is stored.
 *
 * - `generation`: which tokens it holds afterwards; one higher after every successful consent or refresh
 * - `cause`: why its user has to connect again, or why a refresh failed, as in `Pause.Cause`
 *
 * @since 0.1.0
 */
export const UserGrantChanged = Schema.TaggedStruct("UserGrantChanged", {
  clientId,
  subject: Schema.String,
  ...move<UserGrant.State["_tag"], UserGrant.Event["_tag"]>(UserGrant.edges),
  generation,
  cause: Schema.optionalKey(Schema.Literals([...ReconnectCause.literals, ...failures]))
})

/**
 * A consent attempt went from one state to another, and it is stored.
 *
 * - `attempt`: the `attempt` of the `AuthorizationRequest` that it began with
 * - `cause`: why it failed
 *
 * @since 0.1.0
 */
export const ConsentAttemptChanged = Schema.TaggedStruct("ConsentAttemptChanged", {
  clientId,
  subject: Schema.String,
  attempt: Schema.String,
  ...move<ConsentAttempt.State["_tag"], ConsentAttempt.Event["_tag"]>(ConsentAttempt.edges),
  cause: Schema.optionalKey(ConsentAttempt.Failure)
})

/**
 * The app's own token for a set of scopes went from one state to another, and it is stored.
 *
 * - `generation`: which token it holds afterwards
 * - `cause`: why a request failed, as in `Pause.Cause`
 *
 * @since 0.1.0
 */
export const AppCredentialChanged = Schema.TaggedStruct("AppCredentialChanged", {
  clientId,
  scopes: Schema.Array(Scopes.Scope),
  ...move<AppCredential.State["_tag"], AppCredential.Event["_tag"]>(AppCredential.edges),
  generation,
  cause: Schema.optionalKey(Schema.Literals(failures))
})

const { _tag: _, scopes: __, ...requested } = AppCredentialChanged.fields

/**
 * A White Label user's token went from one state to another, as `AppCredentialChanged` has it, and it is stored.
 *
 * @since 0.1.0
 */
export const WhiteLabelTokenChanged = Schema.TaggedStruct("WhiteLabelTokenChanged", {
  ...requested,
  subject: Schema.String,
  tenant: Schema.String
})

/**
 * What this process knows of the v1 client id has changed: whether Zapier takes it. It is not stored.
 *
 * @since 0.1.0
 */
export const ClientIdChanged = Schema.TaggedStruct("ClientIdChanged", {
  clientId,
  ...move<ClientId.State["_tag"], ClientId.Event["_tag"]>(ClientId.edges)
})

/**
 * A token response was taken although some of it is not as RFC 6749 has it. What of it could not be used is treated as
 * missing.
 *
 * - `grant`: what kind of token request it was, as in `AuthMetrics.tokenRequests`
 * - `subject`, `tenant`, `scopes`: whose: a user's, a White Label user's, or the app's own for these scopes
 * - `oddities`: the names of its odd members, never a value
 *
 * @since 0.1.0
 */
export const OddResponseTaken = Schema.TaggedStruct("OddResponseTaken", {
  clientId,
  grant: Schema.Literals(["AuthorizationCode", "Refresh", "ClientCredentials", "TokenExchange", "ConnectToken"]),
  subject: Schema.optionalKey(Schema.String),
  tenant: Schema.optionalKey(Schema.String),
  scopes: Schema.optionalKey(Schema.Array(Scopes.Scope)),
  oddities: Schema.Array(TokenOutcome.Oddity),
  at: Tokens.Instant
})

/**
 * Anything that happens inside.
 *
 * @since 0.1.0
 */
export const AuthEvent = Schema.Union([
  UserGrantChanged,
  ConsentAttemptChanged,
  AppCredentialChanged,
  WhiteLabelTokenChanged,
  ClientIdChanged,
  OddResponseTaken
])

/**
 * @since 0.1.0
 */
export type AuthEvent = typeof AuthEvent.Type
