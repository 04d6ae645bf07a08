/**
 * The machine of the app's own credential: one for each client application and set of scopes.
 *
 * **Theory of operation**
 *
 * The client credentials grant returns an access token without a refresh token; the app requests a new one when it needs
 * it. Two requests at once do no harm, so a lost response costs only another request. The machine ensures two things:
 * callers share one request, by a lease as in the user grant, and a token that the API rejected is not handed out again.
 * Each new token raises `generation` by one. A failure that only time resolves starts a pause.
 *
 * Sources: RFC 6749 section 4.4; Zapier's page on app access tokens of the Workflow API (no refresh token).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type * as TokenOutcome from "../oauth/TokenOutcome.ts"
import * as Tokens from "../oauth/Tokens.ts"
import type * as Settings from "../Settings.ts"
import * as Lease from "./Lease.ts"
import * as Machine from "./Machine.ts"
import * as Pause from "./Pause.ts"

const renewal = {
  generation: Schema.Int,
  /** The pause after the latest failure. */
  pause: /* @__PURE__ */ Schema.optionalKey(Pause.Pause)
}

/**
 * The states of an app credential.
 *
 * - `Absent`: no token yet.
 * - `Active`: a token. No request begins during the pause.
 * - `Requesting`: the owner of `lease` is requesting a token. An earlier token, if any, may still be valid.
 *
 * @since 0.1.0
 */
export const State = /* @__PURE__ */ (() =>
  Schema.TaggedUnion({
    Absent: { pause: renewal.pause },
    Active: { ...renewal, access: Tokens.Access },
    Requesting: { ...renewal, access: Schema.optionalKey(Tokens.Access), lease: Lease.Lease }
  }))()

/**
 * @since 0.1.0
 */
export type State = typeof State.Type

type Of<Tag extends State["_tag"]> = Extract<State, { readonly _tag: Tag }>

/**
 * The state before the first request.
 *
 * @since 0.1.0
 */
export const absent: Of<"Absent"> = { _tag: "Absent" }

const requested = { owner: Schema.NonEmptyString, generation: Schema.Int }

/**
 * The events of an app credential.
 *
 * - `AccessTokenRequested`: `owner` needs an access token.
 * - `AccessTokenRejected`: the API responded 401 to the token of that generation, and `owner` needs another.
 * - `TokenGranted`: the response to the request of that generation holds a token.
 * - `RequestFailed`: the response holds no token, or nothing was sent. `failure` is set if only time resolves it.
 *
 * @since 0.1.0
 */
export const Event = /* @__PURE__ */ (() =>
  Schema.TaggedUnion({
    AccessTokenRequested: { owner: Schema.NonEmptyString },
    AccessTokenRejected: requested,
    TokenGranted: { generation: Schema.Int, tokens: Tokens.Access },
    RequestFailed: { ...requested, failure: Schema.optionalKey(Pause.Failure) }
  }))()

/**
 * @since 0.1.0
 */
export type Event = typeof Event.Type

/**
 * Converts the outcome of a request to an event.
 *
 * @internal
 */
export const eventOfOutcome = (
  outcome: TokenOutcome.TokenOutcome,
  { generation, owner }: { readonly generation: number; readonly owner: string }
): Event => {
  if (outcome._tag === "Granted") {
    // A refresh token must not be included (RFC 6749 section 4.4.3).
    const { refreshToken: _, ...tokens } = outcome.tokens
    return { _tag: "TokenGranted", generation, tokens }
  }
  const failure = Pause.failureOf(outcome)
  return { _tag: "RequestFailed", owner, generation, ...(failure === undefined ? {} : { failure }) }
}

/**
/**
 * The commands of an app credential.
 *
 * - `UseAccessToken`: give it to the callers, and to later ones without a step until `until`.
 * - `RequestToken`: request a token and listen for the response until `deadline`. It is not sent at or after it.
 * - `AwaitLease`: another process is requesting; look again by `until` at the latest.
 * - `AwaitTime`: tell the callers why nothing is sent, and to retry after the pause.
 * - `ReportFailure`: tell the callers how the request failed.
 *
 * @since 0.1.0
 */
export type Command =
  | { readonly _tag: "UseAccessToken"; readonly access: Tokens.UsableAccess; readonly until: number }
  | { readonly _tag: "RequestToken"; readonly generation: number; readonly deadline: number }
  | { readonly _tag: "AwaitLease"; readonly until: number }
  | { readonly _tag: "AwaitTime"; readonly pause: Pause.Pause }
  | { readonly _tag: "ReportFailure" }

const always = "always"

const demandWithout = { Absent: "a pause is on", Requesting: "else" }

const demandWith = { Active: "the token is valid and not due for renewal, or a pause is on", Requesting: "else" }

/**
 * The legal edges, each with its condition.
 *
 * @since 0.1.0
 */
// Without property accesses, so that bundlers drop it where it is unused.
export const edges = {
  Absent: {
    AccessTokenRequested: demandWithout,
    AccessTokenRejected: demandWithout,
    TokenGranted: { Active: always }
  },
  Requesting: {
    AccessTokenRequested: { Requesting: always },
    AccessTokenRejected: { Requesting: always },
    TokenGranted: { Active: always },
    RequestFailed: { Active: "the record has an earlier token", Absent: "else" }
  },
  Active: {
    AccessTokenRequested: demandWith,
    AccessTokenRejected: demandWith,
    TokenGranted: { Active: always }
  }
} as const satisfies Machine.Edges<State["_tag"], Event["_tag"]>

const next = Machine.next

const generationOf = (state: State) => (state._tag === "Absent" ? 0 : state.generation)

// A token loses to a newer one in the record. A failure counts only for the owner of the lease: another process may still
// succeed.
const isStale = (state: State, event: Event): boolean => {
  switch (event._tag) {
    case "TokenGranted":
      return event.generation < generationOf(state)
    case "RequestFailed":
      return state._tag !== "Requesting" || event.generation !== state.generation || event.owner !== state.lease.owner
    default:
      return false
  }
}

/**
 * The token family of the app's own tokens, which come from no consent.
 *
 * @since 0.1.0
 */
export const family = "app"

const use = (generation: number, access: Tokens.Access, until: number): Command => ({
  _tag: "UseAccessToken",
  access: { ...access, family, generation },
  until: Math.min(until, access.expiresAt)
})

const reportFailure: Command = { _tag: "ReportFailure" }

const rejected = <S extends Of<"Active"> | Of<"Requesting">>(state: S, generation: number): S =>
  generation === state.generation && state.access !== undefined && !Tokens.isRejected(state.access)
    ? { ...state, access: Tokens.reject(state.access) }
    : state

const pausedBy = (pause: Pause.Pause | undefined) => (pause === undefined ? {} : { pause })

/**
 * Makes the machine for the given settings.
 *
 * @example
 * ```ts
 * import * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
 * import * as Result from "effect/Result"
 *
 * const machine = AppCredential.machine({ responseTimeout: 60_000, expiryMargin: 300_000 })
 *
 * const asked = machine.step(AppCredential.absent, { _tag: "AccessTokenRequested", owner: "worker-1" }, Date.now())
 * const { commands, state } = Result.getOrThrow(asked)
 *
 * state._tag // => "Requesting"
 * commands.map(({ _tag }) => _tag) // => ["RequestToken"]
 * ```
 *
 * @since 0.1.0
 */
export const machine = (settings: Settings.Refreshing): Machine.Machine<State, Event, Command> => {
  const request = (
    { access, pause, ...state }: { access?: Tokens.Access; pause?: Pause.Pause; generation: number },
    owner: string,
    now: number
  ) => {
    const lease = Lease.make(owner, settings.responseTimeout, now)
    const { generation } = state
    const requesting: Of<"Requesting"> = {
      _tag: "Requesting",
      generation,
      ...(access === undefined ? {} : { access }),
      ...pausedBy(pause),
      lease
    }
    const command: Command = { _tag: "RequestToken", generation, deadline: Lease.listensUntil(lease) }
    // The live token is used until the lease would have ended: if this request fails, the next one is due then.
    const meanwhile =
      access !== undefined && Tokens.isLive(access, now) ? [use(generation, access, lease.deadline)] : []
    return next(requesting, command, ...meanwhile)
  }

  const demandOfAbsent = (state: Of<"Absent">, { owner }: { owner: string }, now: number) =>
    Pause.isOn(state.pause, now)
      ? next(state, { _tag: "AwaitTime", pause: state.pause } satisfies Command)
      : request({ generation: 0, ...pausedBy(state.pause) }, owner, now)

  const demandOfActive = (state: Of<"Active">, owner: string, now: number) => {
    const { access, generation, pause } = state
    const isLive = Tokens.isLive(access, now)
    const due = Tokens.dueAt(access, settings.expiryMargin)
    if (isLive && now < due) return next(state, use(generation, access, due))
    if (Pause.isOn(pause, now)) {
      return next(
        state,
        isLive ? use(generation, access, pause.until) : ({ _tag: "AwaitTime", pause } satisfies Command)
      )
    }
    return request(state, owner, now)
  }

  const demandOfRequesting = (found: Of<"Requesting">, owner: string, now: number) => {
    const lease = Lease.clamp(found.lease, now)
    const state = lease === found.lease ? found : { ...found, lease }
    // The asking process has no open request, so its own lease was stored by a write that seemed to fail.
    if (!Lease.isLive(lease, now) || lease.owner === owner) return request(state, owner, now)
    const { access, generation } = state
    const wait: Command = { _tag: "AwaitLease", until: lease.deadline }
    const isLive = access !== undefined && Tokens.isLive(access, now)
    return next(state, isLive ? use(generation, access, lease.deadline) : wait)
  }

  const granted = (state: State, { generation, tokens }: Extract<Event, { _tag: "TokenGranted" }>, now: number) => {
    const replaced = state._tag === "Absent" ? undefined : state.access
    const isReplacement = replaced !== undefined && Tokens.isRejected(replaced)
    const access = isReplacement ? { ...tokens, replacedAt: now } : tokens
    const active: Of<"Active"> = { _tag: "Active", generation: generation + 1, access }
    return next(active, use(active.generation, access, Tokens.dueAt(access, settings.expiryMargin)))
  }

  return Machine.make<State, Event, Command, typeof edges>({
    name: "AppCredential",
    isStale,
    on: {
      Absent: {
        AccessTokenRequested: demandOfAbsent,
        AccessTokenRejected: demandOfAbsent,
        TokenGranted: granted
      },
      Requesting: {
        AccessTokenRequested: (state, { owner }, now) => demandOfRequesting(state, owner, now),
        AccessTokenRejected: (state, { generation, owner }, now) =>
          demandOfRequesting(rejected(state, generation), owner, now),
        TokenGranted: granted,
        RequestFailed: ({ access, generation, pause }, { failure }, now) => {
          const paused = pausedBy(failure === undefined ? pause : Pause.after(pause, failure, now))
          return access === undefined
            ? next({ _tag: "Absent", ...paused }, reportFailure)
            : next({ _tag: "Active", generation, access, ...paused }, reportFailure)
        }
      },
      Active: {
        AccessTokenRequested: (state, { owner }, now) => demandOfActive(state, owner, now),
        AccessTokenRejected: (state, { generation, owner }, now) =>
          demandOfActive(rejected(state, generation), owner, now),
        TokenGranted: granted
      }
    }
  })
}
