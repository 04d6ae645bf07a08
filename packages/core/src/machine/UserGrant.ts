/**
 * The machine of a user's grant: one for each subject and client application.
 *
 * **Theory of operation**
 *
 * A grant holds an access token and the refresh token that renews it. A refresh rotates both, so the refresh token must be
 * protected: one process at a time may send it, its response must be stored whatever else has happened meanwhile, and no
 * response may replace a newer one. Two fields make this decidable from the record alone:
 *
 * - `generation` rises by one with every successful consent or refresh. An event names the generation that caused it, and
 *   changes only that generation.
 * - `family` names the consent that the tokens descend from, so that a grant that was removed and made anew is never
 *   mistaken for the earlier one.
 *
 * `Refreshing` carries a lease. While it is live, no other process sends the refresh token: the owner may still get a
 * response, and a server may treat a token that arrives twice as stolen. The owner stops listening before the lease ends,
 * so an expired lease means that its owner is gone and the outcome of its request is unknown. An unknown outcome is not a
 * failure: the same refresh token is sent once more, and only a clear refusal (`invalid_grant`) that reaches the owner of
 * the lease ends the grant. A success, however late, is stored while the record still has the generation that it renews,
 * even if the grant was given up meanwhile (success always wins).
 *
 * Outcomes for another generation, and failures that reach a process whose lease was taken over, are stale and change
 * nothing. `isStale` decides this in one place, so that the table holds only meaningful edges.
 *
 * A failure that only time resolves starts a pause, which grows with each failure in a row. A response with an unusable
 * access token counts as such a failure, but its refresh token is kept: the previous one may be dead.
 *
 * A valid access token stays in use throughout, until the API itself rejects it.
 *
 * Sources: RFC 6749 sections 5.2 and 6; Zapier's "Authentication" page of the Workflow API (both tokens rotate).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Lease from "./Lease.ts"
import * as Machine from "./Machine.ts"
import * as Pause from "./Pause.ts"
import type * as Scopes from "../oauth/Scopes.ts"
import type * as Settings from "../Settings.ts"
import * as TokenOutcome from "../oauth/TokenOutcome.ts"
import * as Tokens from "../oauth/Tokens.ts"
import { ReconnectCause } from "../ZapierAuthError.ts"

// -----------------------------------------------------------------------------
// States
// -----------------------------------------------------------------------------

const held = {
  /** The consent that the tokens descend from. */
  family: Schema.NonEmptyString,
  /** Rises by one with every successful consent or refresh. */
  generation: /* @__PURE__ */ Schema.Int.check(/* @__PURE__ */ Schema.isGreaterThan(0)),
  tokens: Tokens.Tokens
}

const renewal = {
  /** True if a response to a refresh of this generation was lost. */
  responseLost: Schema.Boolean,
  /** The pause after the latest failure. */
  pause: /* @__PURE__ */ Schema.optionalKey(Pause.Pause)
}

/**
 * The states of a user's grant.
 *
 * - `Absent`: no grant. Never stored.
 * - `Active`: the tokens. No refresh begins during the pause.
 * - `Refreshing`: the owner of `lease` has sent the refresh token. `attempt` counts its attempts.
 * - `ReconnectRequired`: only the user can restore access. The access token may still be valid.
 *
 * @since 0.1.0
 */
export const State = /* @__PURE__ */ (() =>
  Schema.TaggedUnion({
    Absent: {},
    Active: { ...held, ...renewal },
    Refreshing: {
      ...held,
      ...renewal,
      tokens: Tokens.Renewable,
      lease: Lease.Lease,
      attempt: Schema.Literals([1, 2])
    },
    ReconnectRequired: { ...held, why: ReconnectCause, since: Tokens.Instant }
  }))()

/**
 * @since 0.1.0
 */
export type State = typeof State.Type

type Of<Tag extends State["_tag"]> = Extract<State, { readonly _tag: Tag }>

/**
 * The state before the first consent and after a disconnect.
 *
 * @since 0.1.0
 */
export const absent: Of<"Absent"> = { _tag: "Absent" }

// -----------------------------------------------------------------------------
// Events
// -----------------------------------------------------------------------------

// The generation that a refresh renews, and the process that sent it.
const attempt = { family: Schema.String, generation: Schema.Int, owner: Schema.NonEmptyString }

/**
 * The events of a user's grant.
 *
 * - `ConsentGranted`: a code was exchanged.
 * - `AccessTokenRequested`: `owner` needs an access token.
 * - `AccessTokenRejected`: the API responded 401 to the access token of that generation, and `owner` needs another.
 * - `RefreshSucceeded`: the response to the refresh of that generation holds new tokens.
 * - `RefreshTokenReplaced`: the response holds a new refresh token but no usable access token.
 * - `RefreshRefused`: the response was `invalid_grant`.
 * - `RefreshOutcomeUnknown`: the response was lost, or did not arrive in time. `isAwaited`: the connection broke while a
 *   caller waits.
 * - `RefreshFailed`: the response says nothing about the grant, or nothing was sent. `mayHaveRotated` is true if the server
 *   may have rotated the tokens anyway; `failure` is set if only time resolves it.
 * - `Disconnected`: the app gives up its access.
 *
 * @since 0.1.0
 */
export const Event = /* @__PURE__ */ (() =>
  Schema.TaggedUnion({
    ConsentGranted: { family: Schema.NonEmptyString, tokens: Tokens.Tokens },
    AccessTokenRequested: { owner: Schema.NonEmptyString },
    AccessTokenRejected: attempt,
    RefreshSucceeded: { ...attempt, tokens: Tokens.Tokens },
    RefreshTokenReplaced: { ...attempt, refreshToken: Tokens.Secret, failure: Pause.Failure },
    RefreshRefused: attempt,
    RefreshOutcomeUnknown: { ...attempt, isAwaited: Schema.Boolean },
    RefreshFailed: { ...attempt, mayHaveRotated: Schema.Boolean, failure: Schema.optionalKey(Pause.Failure) },
    Disconnected: {}
  }))()

/**
 * @since 0.1.0
 */
export type Event = typeof Event.Type

/**
 * The generation that a refresh renews, and the process that sent it.
 *
 * @since 0.1.0
 */
export interface RefreshAttempt {
  readonly family: string
  readonly generation: number
  readonly owner: string
}

/**
 * Converts the outcome of a refresh to an event. After a reported failure the server gets a pause; after a broken
 * connection one more attempt follows if a caller waits.
 *
 * @param isAwaited true if a caller waits, so that the token may be sent again at once
 *
 * @internal
 */
export const eventOfOutcome = (
  outcome: TokenOutcome.TokenOutcome,
  { family, generation, owner }: RefreshAttempt,
  isAwaited: boolean
): Event => {
  const attempt = { family, generation, owner }
  switch (outcome._tag) {
    case "Granted":
      return { _tag: "RefreshSucceeded", ...attempt, tokens: outcome.tokens }
    case "InvalidGrant":
      return { _tag: "RefreshRefused", ...attempt }
    case "NoResponse":
      return { _tag: "RefreshOutcomeUnknown", ...attempt, isAwaited }
    default: {
      const failure = Pause.failureOf(outcome)
      if (outcome._tag === "Malformed" && outcome.refreshToken !== undefined && failure !== undefined) {
        return { _tag: "RefreshTokenReplaced", ...attempt, refreshToken: outcome.refreshToken, failure }
      }
      const mayHaveRotated = TokenOutcome.mayHaveActed(outcome)
      return { _tag: "RefreshFailed", ...attempt, mayHaveRotated, ...(failure === undefined ? {} : { failure }) }
    }
  }
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * The commands of a user's grant.
 *
 * - `UseAccessToken`: give it to the callers, and to later ones without a step until `until`.
 * - `SendRefreshToken`: send the refresh and listen for its response until `deadline`. It is not sent at or after it.
 * - `AwaitLease`: another process is refreshing; look again by `until` at the latest.
 * - `AwaitTime`: tell the callers why nothing is sent, and to retry after the pause.
 * - `RequireReconnect`: tell the callers that the user must reconnect.
 * - `ReportFailure`: tell the callers how the request failed.
 *
 * @since 0.1.0
 */
export type Command =
  | { readonly _tag: "UseAccessToken"; readonly access: Tokens.UsableAccess; readonly until: number }
  | {
      readonly _tag: "SendRefreshToken"
      readonly family: string
      readonly generation: number
      readonly refreshToken: typeof Tokens.Secret.Type
      readonly scopes: ReadonlyArray<Scopes.Scope>
      readonly deadline: number
    }
  | { readonly _tag: "AwaitLease"; readonly until: number }
  | { readonly _tag: "AwaitTime"; readonly pause: Pause.Pause }
  | { readonly _tag: "RequireReconnect"; readonly why: ReconnectCause }
  | { readonly _tag: "ReportFailure" }

// -----------------------------------------------------------------------------
// The machine
// -----------------------------------------------------------------------------

const always = "always"

const demand = {
  Active: "the access token is valid and not due for renewal, or a pause is on",
  Refreshing: "the access token has expired, was rejected or is due, and there is a refresh token",
  ReconnectRequired: "the access token has expired or was rejected, and there is no refresh token"
}

const knownConsent = "the record already has this consent"

const newConsent = "the consent is new"

/**
 * The legal edges, each with its condition.
 *
 * @since 0.1.0
 */
// Without property accesses, so that bundlers drop it where it is unused.
export const edges = {
  Absent: {
    ConsentGranted: { Active: always },
    AccessTokenRequested: { Absent: always },
    AccessTokenRejected: { Absent: always },
    Disconnected: { Absent: always }
  },
  Active: {
    ConsentGranted: { Active: always },
    AccessTokenRequested: demand,
    AccessTokenRejected: demand,
    RefreshSucceeded: { Active: always },
    RefreshTokenReplaced: { Active: always },
    Disconnected: { Absent: always }
  },
  Refreshing: {
    ConsentGranted: { Refreshing: knownConsent, Active: newConsent },
    AccessTokenRequested: { Refreshing: always },
    AccessTokenRejected: { Refreshing: always },
    RefreshSucceeded: { Active: always },
    RefreshTokenReplaced: { Active: always },
    RefreshRefused: { ReconnectRequired: always },
    RefreshOutcomeUnknown: { Refreshing: "the first attempt, and a caller waits", Active: "else" },
    RefreshFailed: { Active: always },
    Disconnected: { Absent: always }
  },
  ReconnectRequired: {
    ConsentGranted: { ReconnectRequired: knownConsent, Active: newConsent },
    AccessTokenRequested: { ReconnectRequired: always },
    AccessTokenRejected: { ReconnectRequired: always },
    RefreshSucceeded: { Active: always },
    RefreshTokenReplaced: { Active: always },
    Disconnected: { Absent: always }
  }
} as const satisfies Machine.Edges<State["_tag"], Event["_tag"]>

const next = Machine.next

type Held = Of<"Active"> | Of<"Refreshing">

type Stored = Held | Of<"ReconnectRequired">

type OfEvent<Tag extends Event["_tag"]> = Extract<Event, { readonly _tag: Tag }>

// True if the event was caused by this generation of this consent.
const concerns = (event: { family: string; generation: number }, state: Stored) =>
  event.family === state.family && event.generation === state.generation

// A success counts while the record has its generation. A failure counts only for the owner of the lease: another process
// may still succeed.
const isStale = (state: State, event: Event): boolean => {
  switch (event._tag) {
    case "RefreshSucceeded":
    case "RefreshTokenReplaced":
      return state._tag === "Absent" || !concerns(event, state)
    case "RefreshRefused":
    case "RefreshOutcomeUnknown":
    case "RefreshFailed":
      return state._tag !== "Refreshing" || !concerns(event, state) || state.lease.owner !== event.owner
    default:
      return false
  }
}

const activate = (family: string, generation: number, tokens: Tokens.Tokens): Of<"Active"> => ({
  _tag: "Active",
  family,
  generation,
  tokens,
  responseLost: false
})

/**
 * Makes a grant from existing tokens, as if a consent had just returned them.
 *
 * Store it only where no grant exists. To take over tokens that an app already has, use `Adoption.adopt`.
 *
 * @param family a new, unique name for the consent, such as a UUID
 *
 * @example
 * ```ts
 * import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
 * import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
 * import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
 * import * as Option from "effect/Option"
 *
 * // Resolves to false if the subject already has a grant, which is left alone.
 * export const adopt = (clientId: string, subject: string, tokens: Tokens.Tokens) =>
 *   GrantStore.use((grants) =>
 *     grants.compareAndSet({ clientId, subject }, Option.none(), UserGrant.granted(crypto.randomUUID(), tokens))
 *   )
 * ```
 *
 * @since 0.1.0
 */
export const granted = (family: string, tokens: Tokens.Tokens): Of<"Active"> => activate(family, 1, tokens)

const toAccess = ({ accessToken, expiresAt, obtainedAt, replacedAt, scopes }: Tokens.Access): Tokens.Access => ({
  accessToken,
  scopes,
  obtainedAt,
  expiresAt,
  ...(replacedAt === undefined ? {} : { replacedAt })
})

const giveUp = (state: Held, why: ReconnectCause, now: number): Of<"ReconnectRequired"> => ({
  _tag: "ReconnectRequired",
  family: state.family,
  generation: state.generation,
  tokens: state.tokens,
  why,
  since: now
})

// Marks the access token of the event's generation as rejected by the API.
const rejected = <S extends Stored>(state: S, event: OfEvent<"AccessTokenRejected">): S =>
  concerns(event, state) && !Tokens.isRejected(state.tokens) ? { ...state, tokens: Tokens.reject(state.tokens) } : state

/**
 * Returns the access token of a state, valid or not, with its generation.
 *
 * @internal
 */
export const accessOf = (state: State): Tokens.UsableAccess | undefined =>
  state._tag === "Absent"
    ? undefined
    : { ...toAccess(state.tokens), family: state.family, generation: state.generation }

const requireReconnect = (why: ReconnectCause): Command => ({ _tag: "RequireReconnect", why })

const use = (state: { family: string; generation: number }, access: Tokens.Access, until: number): Command => ({
  _tag: "UseAccessToken",
  access: { ...toAccess(access), family: state.family, generation: state.generation },
  until: Math.min(until, access.expiresAt)
})

const reportFailure: Command = { _tag: "ReportFailure" }

/**
 * Makes the machine for the given settings.
 *
 * @example
 * ```ts
 * import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
 * import * as Result from "effect/Result"
 *
 * const machine = UserGrant.machine({ responseTimeout: 60_000, expiryMargin: 300_000 })
 *
 * const asked = machine.step(UserGrant.absent, { _tag: "AccessTokenRequested", owner: "worker-1" }, Date.now())
 * const { commands, state } = Result.getOrThrow(asked)
 *
 * state // => UserGrant.absent
 * commands.map(({ _tag }) => _tag) // => ["RequireReconnect"]
 * ```
 *
 * @since 0.1.0
 */
export const machine = (settings: Settings.Refreshing): Machine.Machine<State, Event, Command> => {
  const send = (
    { family, generation, pause, responseLost, tokens }: Held & { readonly tokens: Tokens.Renewable },
    owner: string,
    attempt: 1 | 2,
    now: number
  ) => {
    const lease = Lease.make(owner, settings.responseTimeout, now)
    const refreshing: Of<"Refreshing"> = {
      _tag: "Refreshing",
      family,
      generation,
      tokens,
      responseLost,
      ...(pause === undefined ? {} : { pause }),
      lease,
      attempt
    }
    const command: Command = {
      _tag: "SendRefreshToken",
      family,
      generation,
      refreshToken: tokens.refreshToken,
      scopes: tokens.scopes,
      deadline: Lease.listensUntil(lease)
    }
    return next(refreshing, command)
  }

  // The live token is used until the lease would have ended: if this refresh fails, the next one is due then.
  const useMeanwhile = (state: Held, now: number): ReadonlyArray<Command> =>
    Tokens.isLive(state.tokens, now)
      ? [use(state, state.tokens, Lease.make("", settings.responseTimeout, now).deadline)]
      : []

  const demandOfActive = (state: Of<"Active">, owner: string, now: number) => {
    const { tokens } = state
    const isLive = Tokens.isLive(tokens, now)
    const { refreshToken } = tokens
    if (refreshToken === undefined) {
      if (isLive) return next(state, use(state, tokens, tokens.expiresAt))
      const ended = giveUp(state, "NoRefreshToken", now)
      return next(ended, requireReconnect(ended.why))
    }
    const due = Tokens.dueAt(tokens, settings.expiryMargin)
    if (isLive && now < due) return next(state, use(state, tokens, due))
    if (Pause.isOn(state.pause, now)) {
      const { pause } = state
      return next(state, isLive ? use(state, tokens, pause.until) : ({ _tag: "AwaitTime", pause } satisfies Command))
    }
    const begun = send({ ...state, tokens: { ...tokens, refreshToken } }, owner, 1, now)
    return next(begun.state, ...begun.commands, ...useMeanwhile(state, now))
  }

  const demandOfRefreshing = (found: Of<"Refreshing">, owner: string, now: number) => {
    const lease = Lease.clamp(found.lease, now)
    const state = lease === found.lease ? found : { ...found, lease }
    const { deadline } = lease
    const isOwn = lease.owner === owner
    if (Lease.isLive(lease, now) && !isOwn) {
      const isLive = Tokens.isLive(state.tokens, now)
      const wait: Command = { _tag: "AwaitLease", until: deadline }
      return next(state, isLive ? use(state, state.tokens, deadline) : wait)
    }
    // The asking process has no open request, so its own lease was stored by a write that seemed to fail, and nothing was
    // sent. The owner of another process's expired lease is gone, and the outcome of its request is unknown.
    const begun = send({ ...state, responseLost: state.responseLost || !isOwn }, owner, 1, now)
    return next(begun.state, ...begun.commands, ...useMeanwhile(state, now))
  }

  const demandOfEnded = (state: Of<"ReconnectRequired">, now: number) =>
    next(
      state,
      Tokens.isLive(state.tokens, now) ? use(state, state.tokens, state.tokens.expiresAt) : requireReconnect(state.why)
    )

  // Replaces the tokens by those of the response. A refresh token missing from it stays valid (RFC 6749 section 6).
  const renewed = (state: Stored, event: OfEvent<"RefreshSucceeded">, now: number) => {
    const { refreshToken } = state.tokens
    const isKept = event.tokens.refreshToken === undefined && refreshToken !== undefined
    const tokens: Tokens.Tokens = {
      ...event.tokens,
      ...(isKept ? { refreshToken } : {}),
      ...(Tokens.isRejected(state.tokens) ? { replacedAt: now } : {})
    }
    const active = activate(state.family, state.generation + 1, tokens)
    return next(active, use(active, tokens, Tokens.dueAt(tokens, settings.expiryMargin)))
  }

  // The access token stays, and a new one is requested after the pause.
  const replaced = (state: Stored, { failure, refreshToken }: OfEvent<"RefreshTokenReplaced">, now: number) => {
    const before = state._tag === "ReconnectRequired" ? undefined : state.pause
    const active = activate(state.family, state.generation + 1, { ...state.tokens, refreshToken })
    return next({ ...active, pause: Pause.after(before, failure, now) }, reportFailure)
  }

  // A consent counts once. It may be reported again after a write with an unknown outcome; later changes are kept.
  const consented = <S extends Stored>(state: S, event: OfEvent<"ConsentGranted">) =>
    next(event.family === state.family ? state : activate(event.family, state.generation + 1, event.tokens))

  // The grant after a failed refresh.
  const resume = (
    state: Of<"Refreshing">,
    mayHaveRotated: boolean,
    failure: Pause.Failure | undefined,
    now: number
  ) => {
    const active = activate(state.family, state.generation, state.tokens)
    const responseLost = state.responseLost || mayHaveRotated
    const pause = failure === undefined ? state.pause : Pause.after(state.pause, failure, now)
    return next({ ...active, responseLost, ...(pause === undefined ? {} : { pause }) }, reportFailure)
  }

  return Machine.make<State, Event, Command, typeof edges>({
    name: "UserGrant",
    isStale,
    on: {
      Absent: {
        ConsentGranted: (_, { family, tokens }) => next(granted(family, tokens)),
        AccessTokenRequested: (state) => next(state, requireReconnect("NeverConnected")),
        AccessTokenRejected: (state) => next(state, requireReconnect("NeverConnected")),
        Disconnected: (state) => next(state)
      },
      Active: {
        ConsentGranted: consented,
        AccessTokenRequested: (state, { owner }, now) => demandOfActive(state, owner, now),
        AccessTokenRejected: (state, event, now) => demandOfActive(rejected(state, event), event.owner, now),
        RefreshSucceeded: renewed,
        RefreshTokenReplaced: replaced,
        Disconnected: () => next(absent)
      },
      Refreshing: {
        ConsentGranted: consented,
        AccessTokenRequested: (state, { owner }, now) => demandOfRefreshing(state, owner, now),
        AccessTokenRejected: (state, event, now) => demandOfRefreshing(rejected(state, event), event.owner, now),
        RefreshSucceeded: renewed,
        RefreshTokenReplaced: replaced,
        RefreshRefused: (state, _, now) => {
          const ended = giveUp(state, state.responseLost ? "ResponseLost" : "Revoked", now)
          return next(ended, requireReconnect(ended.why))
        },
        RefreshOutcomeUnknown: (state, { isAwaited, owner }, now) =>
          isAwaited && state.attempt === 1
            ? send({ ...state, responseLost: true }, owner, 2, now)
            : resume(state, true, { cause: { _tag: "NoResponse" } }, now),
        RefreshFailed: (state, { failure, mayHaveRotated }, now) => resume(state, mayHaveRotated, failure, now),
        Disconnected: () => next(absent)
      },
      ReconnectRequired: {
        ConsentGranted: consented,
        AccessTokenRequested: (state, _, now) => demandOfEnded(state, now),
        AccessTokenRejected: (state, event, now) => demandOfEnded(rejected(state, event), now),
        RefreshSucceeded: renewed,
        RefreshTokenReplaced: replaced,
        Disconnected: () => next(absent)
      }
    }
  })
}
