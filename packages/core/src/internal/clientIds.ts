/** Interprets the v1 client id machine. Its state is not stored, because the next response shows it again. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ClientId from "../machine/ClientId.ts"
import { IllegalTransition, ZapierAuthError } from "../ZapierAuthError.ts"
import { move, type Publish } from "./eventHub.ts"

export const make = (clientId: string, publish: Publish) => {
  let state: ClientId.State = ClientId.unconfirmed

  const step = Effect.fnUntraced(function* (event: ClientId.Event) {
    const now = yield* Clock.currentTimeMillis
    const next = yield* Effect.mapError(Effect.fromResult(ClientId.machine.step(state, event, now)), (illegal) =>
      ZapierAuthError.make(new IllegalTransition(illegal))
    )
    if (next.state._tag !== state._tag) {
      publish({ _tag: "ClientIdChanged", clientId, ...move({ from: state, event, to: next.state }, now) })
      state = next.state
    }
  })

  return {
    present: Effect.as(step({ _tag: "RequestPrepared" }), clientId),
    responded: (status: number) => step(status === 401 ? { _tag: "RequestRejected" } : { _tag: "RequestAccepted" }),
    state: Effect.sync(() => state._tag)
  }
}
