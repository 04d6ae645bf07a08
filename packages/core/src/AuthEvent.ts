/**
 * Events for logs, dashboards and audits. They hold no secret: no token, code, `state` or client secret.
 *
 * Each machine has its own event, whose state and event names are those of its table. A misspelled name does not compile.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
 *
 * // Logs which users must reconnect, and why.
 * const program = ZapierAuth.use(({ events }) =>
 *   events.pipe(
 *     Stream.filter((event) => event._tag === "UserGrantChanged"),
 *     Stream.filter(({ to }) => to === "ReconnectRequired"),
 *     Stream.runForEach(({ cause, subject }) => Effect.logWarning(`${subject} must reconnect: ${cause}`))
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

// The keys of a table: its type guarantees that there are no others.
const keysOf = <Key extends string>(table: { readonly [key in Key]?: unknown }) => Object.keys(table) as Array<Key>

/** The fields of a transition. State and event names are those of the machine's table. */
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

/** The generation of the tokens after the transition, if any. */
const generation = Schema.optionalKey(Schema.Int)

const failures = keysOf<Pause.Cause["_tag"]>(Pause.Cause.cases)

/**
 * A user's grant changed, and the change is stored.
 *
 * - `generation`: the generation of the tokens now; rises by one with every successful consent or refresh
 * - `cause`: why its user must reconnect, or why a refresh failed, as in `Pause.Cause`
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
 * A consent attempt changed, and the change is stored.
 *
 * - `attempt`: the `attempt` of its `AuthorizationRequest`
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
 * The app's own token for a set of scopes changed, and the change is stored.
 *
 * - `generation`: the generation of the token now
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
 * A White Label user's token changed its state, like `AppCredentialChanged`, and the new state is stored.
 *
 * @since 0.1.0
 */
export const WhiteLabelTokenChanged = Schema.TaggedStruct("WhiteLabelTokenChanged", {
  ...requested,
  subject: Schema.String,
  tenant: Schema.String
})

/**
 * The state of the v1 client id changed, as seen by this process. Not stored.
 *
 * @since 0.1.0
 */
export const ClientIdChanged = Schema.TaggedStruct("ClientIdChanged", {
  clientId,
  ...move<ClientId.State["_tag"], ClientId.Event["_tag"]>(ClientId.edges)
})

/**
 * A token response was accepted although it deviates from RFC 6749. Its unusable members count as missing.
 *
 * - `grant`: the kind of token request, as in `AuthMetrics.tokenRequests`
 * - `subject`, `tenant`, `scopes`: the user, the White Label user, or the scopes of the app's own token
 * - `oddities`: the names of the odd members, never their values
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
 * Any event of this library.
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
