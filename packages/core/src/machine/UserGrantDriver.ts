/**
 * Lets a `Driver` drive a user's grant.
 *
 * @since 0.1.0
 */
import * as TokenFailure from "../oauth/TokenFailure.ts"
import type { TokenOutcome } from "../oauth/TokenOutcome.ts"
import type { TokenRequest } from "../oauth/TokenRequest.ts"
import type * as Settings from "../Settings.ts"
import { ReconnectRequired, RefreshOutcomeUnknown, ResponsePending } from "../ZapierAuthError.ts"
import { type Driven, isSame, type Order } from "./DriverState.ts"
import * as Pause from "./Pause.ts"
import * as UserGrant from "./UserGrant.ts"

const reasons = { refused: new ReconnectRequired({ why: "Revoked" }), unknown: new RefreshOutcomeUnknown({}) }

const order = (command: UserGrant.Command, now: number): Order<TokenRequest> => {
  switch (command._tag) {
    case "UseAccessToken":
      return { _tag: "Use", access: command.access, until: command.until }
    case "AwaitLease":
      return { _tag: "Await", until: command.until }
    case "SendRefreshToken": {
      const { deadline, family, generation, refreshToken, scopes } = command
      return {
        _tag: "Send",
        about: { family, generation },
        request: { _tag: "Refresh", refreshToken, scopes },
        deadline
      }
    }
    case "AwaitTime":
      return { _tag: "Tell", reason: Pause.toReason(command.pause, reasons, now) }
    case "RequireReconnect":
      return { _tag: "Tell", reason: new ReconnectRequired({ why: command.why }) }
    case "ReportFailure":
      return { _tag: "Report" }
  }
}

const idOf = (state: UserGrant.State) => (state._tag === "Absent" ? undefined : state)

/**
 * A user's grant, as a `Driven` machine.
 *
 * @since 0.1.0
 */
export const driven = (
  settings: Settings.Refreshing,
  machine = UserGrant.machine(settings)
): Driven<UserGrant.State, UserGrant.Event, UserGrant.Command, TokenRequest, TokenOutcome> => ({
  machine,
  store: "grant store",
  none: UserGrant.absent,
  idOf,
  pending: (waited) => new ResponsePending({ waited, of: "token" }),
  accessOf: UserGrant.accessOf,
  concerns: (about, state) => isSame(about, idOf(state)),
  demand: (owner, rejected) =>
    rejected === undefined
      ? { _tag: "AccessTokenRequested", owner }
      : { _tag: "AccessTokenRejected", family: rejected.family, generation: rejected.generation, owner },
  order,
  conclude: ({ id, owner }, outcome, isAwaited) => ({
    event: UserGrant.eventOfOutcome(outcome, { ...id, owner }, isAwaited),
    failure: TokenFailure.toReason(outcome, reasons)
  })
})
