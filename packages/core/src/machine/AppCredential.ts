/**
 * The machine of the app's own credential: one for each client application and set of scopes.
 *
 * **Theory of operation**
 *
 * The client credentials grant gives an access token and nothing that renews it: a new one is simply asked for. Asking
 * twice harms nobody, so an answer that was lost is no reason to worry. What is left to decide is that many callers share
 * one request, by a lease as the user grant has it, and that a token which the API rejected is not handed out again.
 * `generation` is one higher with every token.
 *
 * Sources: RFC 6749 section 4.4; Zapier's page on app access tokens of the Workflow API (no refresh token).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Lease from "./Lease.ts"
import * as Machine from "./Machine.ts"
import type * as Settings from "../Settings.ts"
import * as TokenOutcome from "../oauth/TokenOutcome.ts"
import * as Tokens from "../oauth/Tokens.ts"

/**
 * - `Absent`: no token yet.
 * - `Active`: a token. No request begins before `notBefore`.
 * - `Requesting`: the owner of `lease` is asking for one; an earlier one, if there is any, may have time left.
 *
 * @since 0.1.0
 */
export const State = Schema.TaggedUnion({
  Absent: { notBefore: Tokens.Instant },
  Active: { generation: Schema.Int, access: Tokens.Access, notBefore: Tokens.Instant },
  Requesting: { generation: Schema.Int, access: Schema.optionalKey(Tokens.Access), lease: Lease.Lease }
})

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
export const absent: Of<"Absent"> = { _tag: "Absent", notBefore: 0 }

/**
 * - `AccessTokenRequested`: `owner` needs an access token.
 * - `AccessTokenRejected`: the API answered 401 to the token of that generation, and `owner` needs another.
 * - `TokenGranted`: the request that began at that generation was answered with a token.
 * - `RequestFailed`: it was not. No request is to begin before `notBefore`.
 *
 * @since 0.1.0
 */
export const Event = Schema.TaggedUnion({
  AccessTokenRequested: { owner: Schema.NonEmptyString },
  AccessTokenRejected: { owner: Schema.NonEmptyString, generation: Schema.Int },
  TokenGranted: { generation: Schema.Int, tokens: Tokens.Access },
  RequestFailed: { owner: Schema.NonEmptyString, generation: Schema.Int, notBefore: Tokens.Instant }
})

/**
 * @since 0.1.0
 */
export type Event = typeof Event.Type

/**
 * - `UseAccessToken`: answer the caller with it, and others without asking again before `until`.
 * - `RequestToken`: ask for a token, cut it off before the lease ends at `deadline`, and report what came of it.
 * - `AwaitLease`: another process is asking; look again, at the latest at `until`.
 * - `AwaitTime`: tell the caller to come back at `until`.
 * - `ReportFailure`: tell the caller what the token endpoint answered.
 *
 * @since 0.1.0
 */
export type Command =
  | { readonly _tag: "UseAccessToken"; readonly access: Tokens.UsableAccess; readonly until: number }
  | { readonly _tag: "RequestToken"; readonly generation: number; readonly deadline: number }
  | { readonly _tag: "AwaitLease"; readonly until: number }
  | { readonly _tag: "AwaitTime"; readonly until: number }
  | { readonly _tag: "ReportFailure" }

/**
 * The legal edges.
 *
 * @since 0.1.0
 */
export const edges = {
  Absent: {
    AccessTokenRequested: ["Absent", "Requesting"],
    AccessTokenRejected: ["Absent", "Requesting"],
    TokenGranted: ["Active"],
    RequestFailed: ["Absent"]
  },
  Requesting: {
    AccessTokenRequested: ["Requesting"],
    AccessTokenRejected: ["Requesting"],
    TokenGranted: ["Requesting", "Active"],
    RequestFailed: ["Requesting", "Active", "Absent"]
  },
  Active: {
    AccessTokenRequested: ["Active", "Requesting"],
    AccessTokenRejected: ["Active", "Requesting"],
    TokenGranted: ["Active"],
    RequestFailed: ["Active"]
  }
} as const satisfies Machine.Edges<State["_tag"], Event["_tag"]>

const next = Machine.next

// An app token descends from no consent.
const use = (generation: number, access: Tokens.Access, until: number): Command => ({
  _tag: "UseAccessToken",
  access: { ...access, family: "app", generation },
  until: Math.min(until, access.expiresAt)
})

const reportFailure: Command = { _tag: "ReportFailure" }

const rejected = <S extends Of<"Active"> | Of<"Requesting">>(state: S, generation: number, now: number): S =>
  generation === state.generation && state.access !== undefined && Tokens.isLive(state.access, now)
    ? { ...state, access: Tokens.expire(state.access, now) }
    : state

/**
 * The machine, for the given settings.
 *
 * @example
 * ```ts
 * import * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
 * import * as Result from "effect/Result"
 *
 * const machine = AppCredential.machine({ leaseDuration: 45_000, expiryMargin: 300_000 })
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
  const request = (generation: number, access: Tokens.Access | undefined, owner: string, now: number) => {
    const requesting: Of<"Requesting"> = {
      _tag: "Requesting",
      generation,
      ...(access === undefined ? {} : { access }),
      lease: { owner, deadline: now + settings.leaseDuration }
    }
    const { deadline } = requesting.lease
    return next(requesting, { _tag: "RequestToken", generation, deadline } satisfies Command)
  }

  const granted = (generation: number, access: Tokens.Access) => {
    const active: Of<"Active"> = { _tag: "Active", generation: generation + 1, access, notBefore: 0 }
    return next(active, use(active.generation, access, Tokens.dueAt(access, settings.expiryMargin)))
  }

  const awaitTime = (until: number): Command => ({ _tag: "AwaitTime", until })

  const demandOfAbsent = (state: Of<"Absent">, { owner }: { owner: string }, now: number) =>
    TokenOutcome.isPause(state.notBefore, now)
      ? next(state, awaitTime(state.notBefore))
      : request(0, undefined, owner, now)

  const demandOfActive = (state: Of<"Active">, owner: string, now: number) => {
    const isPaused = TokenOutcome.isPause(state.notBefore, now)
    if (!Tokens.isLive(state.access, now)) {
      return isPaused ? next(state, awaitTime(state.notBefore)) : request(state.generation, state.access, owner, now)
    }
    const due = Tokens.dueAt(state.access, settings.expiryMargin)
    if (now < due) return next(state, use(state.generation, state.access, due))
    if (isPaused) return next(state, use(state.generation, state.access, state.notBefore))
    const begun = request(state.generation, state.access, owner, now)
    // Should this request come to nothing, the next is due when its lease would have ended.
    const inTime = use(state.generation, state.access, now + settings.leaseDuration)
    return next(begun.state, ...begun.commands, inTime)
  }

  const demandOfRequesting = (found: Of<"Requesting">, owner: string, now: number) => {
    const { access, generation } = found
    const lease = Lease.clamp(found.lease, settings.leaseDuration, now)
    const state = lease === found.lease ? found : { ...found, lease }
    const inTime = (until: number) =>
      access !== undefined && Tokens.isLive(access, now) ? [use(generation, access, until)] : []
    if (Lease.isLive(lease, now)) {
      const [live] = inTime(lease.deadline)
      return next(state, live ?? ({ _tag: "AwaitLease", until: lease.deadline } satisfies Command))
    }
    const begun = request(generation, access, owner, now)
    return next(begun.state, ...begun.commands, ...inTime(now + settings.leaseDuration))
  }

  return Machine.make<State, Event, Command>()({
    name: "AppCredential",
    initial: "Absent",
    edges,
    on: {
      Absent: {
        AccessTokenRequested: demandOfAbsent,
        AccessTokenRejected: demandOfAbsent,
        TokenGranted: (_, { generation, tokens }) => granted(generation, tokens),
        RequestFailed: (state, { notBefore }) =>
          next({ ...state, notBefore: Math.max(state.notBefore, notBefore) }, reportFailure)
      },
      Requesting: {
        AccessTokenRequested: (state, { owner }, now) => demandOfRequesting(state, owner, now),
        AccessTokenRejected: (state, { generation, owner }, now) =>
          demandOfRequesting(rejected(state, generation, now), owner, now),
        TokenGranted: (state, { generation, tokens }) =>
          generation < state.generation ? next(state) : granted(generation, tokens),
        RequestFailed: (state, { generation, notBefore, owner }) => {
          if (generation !== state.generation || state.lease.owner !== owner) return next(state)
          return state.access === undefined
            ? next({ _tag: "Absent", notBefore }, reportFailure)
            : next({ _tag: "Active", generation, access: state.access, notBefore }, reportFailure)
        }
      },
      Active: {
        AccessTokenRequested: (state, { owner }, now) => demandOfActive(state, owner, now),
        AccessTokenRejected: (state, { generation, owner }, now) =>
          demandOfActive(rejected(state, generation, now), owner, now),
        TokenGranted: (state, { generation, tokens }) =>
          generation < state.generation ? next(state) : granted(generation, tokens),
        RequestFailed: (state, { generation, notBefore }) =>
          generation === state.generation
            ? next({ ...state, notBefore: Math.max(state.notBefore, notBefore) }, reportFailure)
            : next(state)
      }
    }
  })
}
