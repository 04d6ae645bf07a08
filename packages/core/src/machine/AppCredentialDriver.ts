/**
 * Lets a `Driver` drive the app's own token for one set of scopes.
 *
 * @since 0.1.0
 */
import type * as Scopes from "../oauth/Scopes.ts"
import * as TokenFailure from "../oauth/TokenFailure.ts"
import type { TokenOutcome } from "../oauth/TokenOutcome.ts"
import type { TokenRequest } from "../oauth/TokenRequest.ts"
import type * as Settings from "../Settings.ts"
import { RefreshOutcomeUnknown, ResponsePending, TokenRequestRefused } from "../ZapierAuthError.ts"
import * as AppCredential from "./AppCredential.ts"
import { type Driven, type Id, isSame, type Order } from "./DriverState.ts"
import * as Pause from "./Pause.ts"

const reasons = {
  refused: new TokenRequestRefused({ error: "invalid_grant" }),
  unknown: new RefreshOutcomeUnknown({ of: "app" })
}

const idOf = (state: AppCredential.State): Id => ({
  family: AppCredential.family,
  generation: state._tag === "Absent" ? 0 : state.generation
})

const order =
  (scopes: ReadonlyArray<Scopes.Scope>) =>
  (command: AppCredential.Command, now: number): Order<TokenRequest> => {
    switch (command._tag) {
      case "UseAccessToken":
        return { _tag: "Use", access: command.access, until: command.until }
      case "AwaitLease":
        return { _tag: "Await", until: command.until }
      case "RequestToken": {
        const about = { family: AppCredential.family, generation: command.generation }
        return { _tag: "Send", about, request: { _tag: "ClientCredentials", scopes }, deadline: command.deadline }
      }
      case "AwaitTime":
        return { _tag: "Tell", reason: Pause.toReason(command.pause, reasons, now) }
      case "ReportFailure":
        return { _tag: "Report" }
    }
  }

/**
 * The app's own token for these scopes, as a `Driven` machine.
 *
 * @since 0.1.0
 */
export const driven = (
  scopes: ReadonlyArray<Scopes.Scope>,
  settings: Settings.Refreshing,
  machine = AppCredential.machine(settings)
): Driven<AppCredential.State, AppCredential.Event, AppCredential.Command, TokenRequest, TokenOutcome> => ({
  machine,
  store: "app credential store",
  none: AppCredential.absent,
  idOf,
  pending: (waited) => new ResponsePending({ waited, of: "token" }),
  accessOf: (state) =>
    state._tag === "Absent" || state.access === undefined ? undefined : { ...state.access, ...idOf(state) },
  concerns: (about, state) => isSame(about, idOf(state)),
  demand: (owner, rejected) =>
    rejected === undefined
      ? { _tag: "AccessTokenRequested", owner }
      : { _tag: "AccessTokenRejected", generation: rejected.generation, owner },
  order: order(scopes),
  conclude: ({ id, owner }, outcome) => ({
    event: AppCredential.eventOfOutcome(outcome, { generation: id.generation, owner }),
    failure: TokenFailure.toReason(outcome, reasons)
  })
})
