/**
 * The machine of a user's grant: one for each subject and client application.
 *
 * **Theory of operation**
 *
 * A grant holds an access token and the refresh token that renews it. A refresh rotates both, so a refresh token is
 * worth protecting: it may be presented by one process at a time, its answer must be stored whatever else has happened
 * meanwhile, and no answer must replace a newer one. Two numbers make this decidable from the record alone:
 *
 * - `generation` is one higher after every successful consent or refresh. An event that was caused by generation g says
 *   so, and changes nothing but generation g.
 * - `family` names the consent that the tokens descend from, so that a grant that was removed and made anew is never
 *   mistaken for the one before.
 *
 * `Refreshing` carries a lease. While it is live nobody else presents the refresh token (one refresher); the token
 * request ends before the lease does, so a lease that is past its deadline belongs to a process that is gone, and the
 * outcome of its request is unknown. An unknown outcome is not a failure: the same refresh token is presented once more,
 * and only a clear refusal (`invalid_grant`) ends the grant. A success, however late, is stored while the record is
 * still of the generation that it renews, even if the grant was given up meanwhile (success always wins).
 *
 * An access token that has time left keeps being used throughout, until the API itself rejects it.
 *
 * Sources: RFC 6749 sections 5.2 and 6; Zapier's "Authentication" page of the Workflow API (both tokens rotate).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Lease from "./Lease.ts"
import * as Machine from "./Machine.ts"
import type * as Scopes from "../oauth/Scopes.ts"
import type * as Settings from "../Settings.ts"
import * as TokenOutcome from "../oauth/TokenOutcome.ts"
import * as Tokens from "../oauth/Tokens.ts"
import { ReconnectCause } from "../ZapierAuthError.ts"

// -----------------------------------------------------------------------------
// States
// -----------------------------------------------------------------------------

const held = {
  /** Which consent the tokens descend from. */
  family: Schema.NonEmptyString,
  /** One higher after every successful consent or refresh. */
  generation: Schema.Int.check(Schema.isGreaterThan(0)),
  tokens: Tokens.Tokens
}

/**
 * - `Absent`: no grant. It is not stored.
 * - `Active`: the tokens, and whether an earlier answer for this generation was lost. No refresh begins before
 *   `notBefore`.
 * - `Refreshing`: the owner of `lease` is presenting the refresh token, itself for the `presentation`th time.
 * - `ReconnectRequired`: only the user can restore access. The access token may have time left.
 *
 * @since 0.1.0
 */
export const State = Schema.TaggedUnion({
  Absent: {},
  Active: { ...held, responseLost: Schema.Boolean, notBefore: Tokens.Instant },
  Refreshing: {
    ...held,
    responseLost: Schema.Boolean,
    lease: Lease.Lease,
    presentation: Schema.Literals([1, 2])
  },
  ReconnectRequired: { ...held, why: ReconnectCause, since: Tokens.Instant }
})

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

// What a refresh was about, and who presented the token.
const presented = { family: Schema.String, generation: Schema.Int, owner: Schema.NonEmptyString }

/**
 * - `ConsentGranted`: a code was exchanged.
 * - `AccessTokenRequested`: `owner` needs an access token.
 * - `AccessTokenRejected`: the API answered 401 to the access token of that generation, and `owner` needs another.
 * - `RefreshSucceeded`: the refresh of that generation was answered with new tokens.
 * - `RefreshRefused`: it was answered with `invalid_grant`.
 * - `RefreshOutcomeUnknown`: its answer was lost, late, or cut off.
 * - `RefreshFailed`: it was answered with an error that says nothing about the grant, or never left. `mayHaveRotated`
 *   where the server may have rotated the tokens all the same; no refresh is to begin before `notBefore`.
 * - `Disconnected`: the app wants no access any more.
 *
 * @since 0.1.0
 */
export const Event = Schema.TaggedUnion({
  ConsentGranted: { family: Schema.NonEmptyString, tokens: Tokens.Tokens },
  AccessTokenRequested: { owner: Schema.NonEmptyString },
  AccessTokenRejected: presented,
  RefreshSucceeded: { ...presented, tokens: Tokens.Tokens },
  RefreshRefused: presented,
  RefreshOutcomeUnknown: presented,
  RefreshFailed: { ...presented, mayHaveRotated: Schema.Boolean, notBefore: Tokens.Instant },
  Disconnected: {}
})

/**
 * @since 0.1.0
 */
export type Event = typeof Event.Type

/**
 * What a refresh was about, and who presented the refresh token.
 *
 * @since 0.1.0
 */
export interface Presented {
  readonly family: string
  readonly generation: number
  readonly owner: string
}

/**
 * The event that the outcome of a refresh is.
 *
 * A server that says that it failed is left alone for now; one that says nothing is asked once more.
 *
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const eventOfOutcome = (
  outcome: TokenOutcome.TokenOutcome,
  { generation, family, owner }: Presented,
  now: number
): Event => {
  const presented = { family, generation, owner }
  const mayHaveRotated = TokenOutcome.mayHaveActed(outcome)
  if (outcome._tag === "Granted") return { _tag: "RefreshSucceeded", ...presented, tokens: outcome.tokens }
  if (outcome._tag === "InvalidGrant") return { _tag: "RefreshRefused", ...presented }
  if (mayHaveRotated && outcome._tag !== "Unavailable") return { _tag: "RefreshOutcomeUnknown", ...presented }
  return { _tag: "RefreshFailed", ...presented, mayHaveRotated, notBefore: TokenOutcome.notBefore(outcome, now) }
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * - `UseAccessToken`: answer the caller with it, and others without asking again before `until`.
 * - `PresentRefreshToken`: send the refresh, cut it off before the lease ends at `deadline`, and report what came of it.
 *   If there is no time left to send it, because the process has slept, it is not sent.
 * - `AwaitLease`: another process is refreshing; look again, at the latest at `until`.
 * - `AwaitTime`: tell the caller to come back at `until`.
 * - `RequireReconnect`: tell the caller that the user must connect.
 * - `ReportFailure`: tell the caller what the token endpoint answered.
 *
 * @since 0.1.0
 */
export type Command =
  | { readonly _tag: "UseAccessToken"; readonly access: Tokens.UsableAccess; readonly until: number }
  | {
      readonly _tag: "PresentRefreshToken"
      readonly family: string
      readonly generation: number
      readonly refreshToken: typeof Tokens.Secret.Type
      readonly scopes: ReadonlyArray<Scopes.Scope>
      readonly deadline: number
    }
  | { readonly _tag: "AwaitLease"; readonly until: number }
  | { readonly _tag: "AwaitTime"; readonly until: number }
  | { readonly _tag: "RequireReconnect"; readonly why: ReconnectCause }
  | { readonly _tag: "ReportFailure" }

// -----------------------------------------------------------------------------
// The machine
// -----------------------------------------------------------------------------

/**
 * The legal edges. Outcomes of a refresh may arrive in any state: their sender may have slept.
 *
 * @since 0.1.0
 */
export const edges = {
  Absent: {
    ConsentGranted: ["Active"],
    AccessTokenRequested: ["Absent"],
    AccessTokenRejected: ["Absent"],
    RefreshSucceeded: ["Absent"],
    RefreshRefused: ["Absent"],
    RefreshOutcomeUnknown: ["Absent"],
    RefreshFailed: ["Absent"],
    Disconnected: ["Absent"]
  },
  Active: {
    ConsentGranted: ["Active"],
    AccessTokenRequested: ["Active", "Refreshing", "ReconnectRequired"],
    AccessTokenRejected: ["Active", "Refreshing", "ReconnectRequired"],
    RefreshSucceeded: ["Active"],
    RefreshRefused: ["Active", "ReconnectRequired"],
    RefreshOutcomeUnknown: ["Active"],
    RefreshFailed: ["Active"],
    Disconnected: ["Absent"]
  },
  Refreshing: {
    ConsentGranted: ["Refreshing", "Active"],
    AccessTokenRequested: ["Refreshing", "ReconnectRequired"],
    AccessTokenRejected: ["Refreshing", "ReconnectRequired"],
    RefreshSucceeded: ["Refreshing", "Active"],
    RefreshRefused: ["Refreshing", "ReconnectRequired"],
    RefreshOutcomeUnknown: ["Refreshing", "Active", "ReconnectRequired"],
    RefreshFailed: ["Refreshing", "Active"],
    Disconnected: ["Absent"]
  },
  ReconnectRequired: {
    ConsentGranted: ["ReconnectRequired", "Active"],
    AccessTokenRequested: ["ReconnectRequired"],
    AccessTokenRejected: ["ReconnectRequired"],
    RefreshSucceeded: ["ReconnectRequired", "Active"],
    RefreshRefused: ["ReconnectRequired"],
    RefreshOutcomeUnknown: ["ReconnectRequired"],
    RefreshFailed: ["ReconnectRequired"],
    Disconnected: ["Absent"]
  }
} as const satisfies Machine.Edges<State["_tag"], Event["_tag"]>

const next = Machine.next

type Held = Of<"Active"> | Of<"Refreshing">

type Stored = Held | Of<"ReconnectRequired">

// An event speaks of the record only if it was caused by this very generation of this very consent.
const concerns = (event: { family: string; generation: number }, state: Stored) =>
  event.family === state.family && event.generation === state.generation

const activate = (family: string, generation: number, tokens: Tokens.Tokens): Of<"Active"> => ({
  _tag: "Active",
  family,
  generation,
  tokens,
  responseLost: false,
  notBefore: 0
})

/**
 * A grant as it is after its first consent: for tokens that another program has got, which are stored where no grant is.
 *
 * @param family names the consent: a new text for each, such as a UUID
 *
 * @example
 * ```ts
 * import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
 * import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
 * import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
 * import * as Option from "effect/Option"
 *
 * // Whether it was stored: a grant that is there already is left alone.
 * export const adopt = (clientId: string, subject: string, tokens: Tokens.Tokens) =>
 *   GrantStore.use((grants) =>
 *     grants.compareAndSet({ clientId, subject }, Option.none(), UserGrant.granted(crypto.randomUUID(), tokens))
 *   )
 * ```
 *
 * @since 0.1.0
 */
export const granted = (family: string, tokens: Tokens.Tokens): Of<"Active"> => activate(family, 1, tokens)

const toAccess = ({ accessToken, expiresAt, obtainedAt, scopes }: Tokens.Access): Tokens.Access => ({
  accessToken,
  scopes,
  obtainedAt,
  expiresAt
})

const giveUp = (state: Held, why: ReconnectCause, now: number): Of<"ReconnectRequired"> => ({
  _tag: "ReconnectRequired",
  family: state.family,
  generation: state.generation,
  tokens: state.tokens,
  why,
  since: now
})

// The API no longer takes the access token of the generation that the event names.
const rejected = <S extends Stored>(state: S, event: { family: string; generation: number }, now: number): S =>
  concerns(event, state) && Tokens.isLive(state.tokens, now)
    ? { ...state, tokens: Tokens.expire(state.tokens, now) }
    : state

const requireReconnect = (why: ReconnectCause): Command => ({ _tag: "RequireReconnect", why })

const use = (state: { family: string; generation: number }, access: Tokens.Access, until: number): Command => ({
  _tag: "UseAccessToken",
  access: { ...toAccess(access), family: state.family, generation: state.generation },
  until: Math.min(until, access.expiresAt)
})

const reportFailure: Command = { _tag: "ReportFailure" }

/**
 * The machine, for the given settings.
 *
 * @example
 * ```ts
 * import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
 * import * as Result from "effect/Result"
 *
 * const machine = UserGrant.machine({ leaseDuration: 45_000, expiryMargin: 300_000 })
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
  const present = (state: Held, owner: string, presentation: 1 | 2, responseLost: boolean, now: number) => {
    const { refreshToken } = state.tokens
    if (refreshToken === undefined) {
      const ended = giveUp(state, "NoRefreshToken", now)
      return next(ended, requireReconnect(ended.why))
    }
    const refreshing: Of<"Refreshing"> = {
      _tag: "Refreshing",
      family: state.family,
      generation: state.generation,
      tokens: state.tokens,
      responseLost,
      lease: { owner, deadline: now + settings.leaseDuration },
      presentation
    }
    const command: Command = {
      _tag: "PresentRefreshToken",
      family: state.family,
      generation: state.generation,
      refreshToken,
      scopes: state.tokens.scopes,
      deadline: refreshing.lease.deadline
    }
    return next(refreshing, command)
  }

  const begin = (state: Of<"Active">, owner: string, now: number) =>
    TokenOutcome.isPause(state.notBefore, now)
      ? next(state, { _tag: "AwaitTime", until: state.notBefore } satisfies Command)
      : present(state, owner, 1, state.responseLost, now)

  // A caller needs an access token: any that has time left will do.
  const demandOfActive = (state: Of<"Active">, owner: string, now: number) => {
    if (!Tokens.isLive(state.tokens, now)) return begin(state, owner, now)
    if (state.tokens.refreshToken === undefined) return next(state, use(state, state.tokens, state.tokens.expiresAt))
    const due = Tokens.dueAt(state.tokens, settings.expiryMargin)
    if (now < due) return next(state, use(state, state.tokens, due))
    if (TokenOutcome.isPause(state.notBefore, now)) return next(state, use(state, state.tokens, state.notBefore))
    const begun = begin(state, owner, now)
    // Should this refresh come to nothing, the next is due when its lease would have ended.
    return next(begun.state, ...begun.commands, use(state, state.tokens, now + settings.leaseDuration))
  }

  const demandOfRefreshing = (found: Of<"Refreshing">, owner: string, now: number) => {
    const lease = Lease.clamp(found.lease, settings.leaseDuration, now)
    const state = lease === found.lease ? found : { ...found, lease }
    const { deadline } = lease
    const live = Tokens.isLive(state.tokens, now)
    if (Lease.isLive(lease, now)) {
      return next(
        state,
        live ? use(state, state.tokens, deadline) : ({ _tag: "AwaitLease", until: deadline } satisfies Command)
      )
    }
    // The owner is gone, and nobody knows what came of its request, or whether it was sent. Whoever takes over begins anew.
    const begun = present(state, owner, 1, true, now)
    const inTime = live ? [use(state, state.tokens, now + settings.leaseDuration)] : []
    return next(begun.state, ...begun.commands, ...inTime)
  }

  const demandOfEnded = (state: Of<"ReconnectRequired">, now: number) =>
    next(
      state,
      Tokens.isLive(state.tokens, now) ? use(state, state.tokens, state.tokens.expiresAt) : requireReconnect(state.why)
    )

  // The answer's tokens, in the place of the ones that they renew. A refresh token that it leaves out stays good (RFC 6749
  // section 6).
  const renewed = <S extends Stored>(state: S, event: Extract<Event, { readonly _tag: "RefreshSucceeded" }>) => {
    if (!concerns(event, state)) return next(state)
    const { refreshToken } = state.tokens
    const isKept = event.tokens.refreshToken === undefined && refreshToken !== undefined
    const tokens = isKept ? { ...event.tokens, refreshToken } : event.tokens
    const active = activate(state.family, state.generation + 1, tokens)
    return next(active, use(active, tokens, Tokens.dueAt(tokens, settings.expiryMargin)))
  }

  // A consent is taken once. Who is not sure whether it was says it again, and what it has become since is not replaced.
  const consented = <S extends Stored>(state: S, event: Extract<Event, { readonly _tag: "ConsentGranted" }>) =>
    next(event.family === state.family ? state : activate(event.family, state.generation + 1, event.tokens))

  const endOf = (state: Held): ReconnectCause => (state.responseLost ? "ResponseLost" : "Revoked")

  return Machine.make<State, Event, Command>()({
    name: "UserGrant",
    initial: "Absent",
    edges,
    on: {
      Absent: {
        ConsentGranted: (_, { family, tokens }) => next(granted(family, tokens)),
        AccessTokenRequested: (state) => next(state, requireReconnect("NeverConnected")),
        AccessTokenRejected: (state) => next(state, requireReconnect("NeverConnected")),
        // An answer to a refresh does not bring back a grant that was disconnected meanwhile.
        RefreshSucceeded: (state) => next(state),
        RefreshRefused: (state) => next(state),
        RefreshOutcomeUnknown: (state) => next(state),
        RefreshFailed: (state) => next(state),
        Disconnected: (state) => next(state)
      },
      Active: {
        ConsentGranted: consented,
        AccessTokenRequested: (state, { owner }, now) => demandOfActive(state, owner, now),
        AccessTokenRejected: (state, event, now) => demandOfActive(rejected(state, event, now), event.owner, now),
        RefreshSucceeded: renewed,
        RefreshRefused: (state, event, now) => {
          if (!concerns(event, state)) return next(state)
          const ended = giveUp(state, endOf(state), now)
          return next(ended, requireReconnect(ended.why))
        },
        RefreshOutcomeUnknown: (state, event) =>
          concerns(event, state) ? next({ ...state, responseLost: true }, reportFailure) : next(state),
        RefreshFailed: (state, event) =>
          concerns(event, state)
            ? next(
                {
                  ...state,
                  responseLost: state.responseLost || event.mayHaveRotated,
                  notBefore: Math.max(state.notBefore, event.notBefore)
                },
                reportFailure
              )
            : next(state),
        Disconnected: () => next(absent)
      },
      Refreshing: {
        ConsentGranted: consented,
        AccessTokenRequested: (state, { owner }, now) => demandOfRefreshing(state, owner, now),
        AccessTokenRejected: (state, event, now) => demandOfRefreshing(rejected(state, event, now), event.owner, now),
        RefreshSucceeded: renewed,
        RefreshRefused: (state, event, now) => {
          // Whoever has taken over may still be answered with tokens: its lease decides.
          const othersTurn = state.lease.owner !== event.owner && Lease.isLive(state.lease, now)
          if (!concerns(event, state) || othersTurn) return next(state)
          const ended = giveUp(state, endOf(state), now)
          return next(ended, requireReconnect(ended.why))
        },
        RefreshOutcomeUnknown: (state, event, now) => {
          if (!concerns(event, state) || state.lease.owner !== event.owner) return next(state)
          return state.presentation === 1
            ? present(state, event.owner, 2, true, now)
            : next({ ...activate(state.family, state.generation, state.tokens), responseLost: true }, reportFailure)
        },
        RefreshFailed: (state, event) => {
          if (!concerns(event, state) || state.lease.owner !== event.owner) return next(state)
          const active = activate(state.family, state.generation, state.tokens)
          return next(
            { ...active, responseLost: state.responseLost || event.mayHaveRotated, notBefore: event.notBefore },
            reportFailure
          )
        },
        Disconnected: () => next(absent)
      },
      ReconnectRequired: {
        ConsentGranted: consented,
        AccessTokenRequested: (state, _, now) => demandOfEnded(state, now),
        AccessTokenRejected: (state, event, now) => demandOfEnded(rejected(state, event, now), now),
        RefreshSucceeded: renewed,
        RefreshRefused: (state) => next(state, requireReconnect(state.why)),
        RefreshOutcomeUnknown: (state) => next(state),
        RefreshFailed: (state) => next(state),
        Disconnected: () => next(absent)
      }
    }
  })
}
