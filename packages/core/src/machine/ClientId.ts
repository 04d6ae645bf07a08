/**
 * The machine of the v1 client id, the simplest of the three modes.
 *
 * **Theory of operation**
 *
 * The client id is public and goes into the query. Nothing is obtained or renewed. The state only records whether Zapier
 * accepted the id in its last response.
 *
 * Source: Zapier's API reference, `GET /v1/apps?client_id=…` (missing or unknown id: 401).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Machine from "./Machine.ts"

/**
 * The states of the client id.
 *
 * - `Unconfirmed`: no response has shown yet whether the id is known.
 * - `Accepted`: the last response was not 401.
 * - `Rejected`: the last response was 401.
 *
 * @since 0.1.0
 */
export const State = /* @__PURE__ */ Schema.TaggedUnion({ Unconfirmed: {}, Accepted: {}, Rejected: {} })

/**
 * @since 0.1.0
 */
export type State = typeof State.Type

/**
 * The events of the client id.
 *
 * - `RequestPrepared`: a request that takes the client id is about to be sent.
 * - `RequestAccepted`: its response was not 401.
 * - `RequestRejected`: its response was 401.
 *
 * @since 0.1.0
 */
export const Event = /* @__PURE__ */ Schema.TaggedUnion({
  RequestPrepared: {},
  RequestAccepted: {},
  RequestRejected: {}
})

/**
 * @since 0.1.0
 */
export type Event = typeof Event.Type

/**
 * The command of the client id.
 *
 * - `AppendClientId`: add `client_id` to the request's query.
 *
 * @since 0.1.0
 */
export interface Command {
  readonly _tag: "AppendClientId"
}

/**
 * The initial state.
 *
 * @since 0.1.0
 */
export const unconfirmed = { _tag: "Unconfirmed" } as const satisfies State

/**
 * The legal edges.
 *
 * @since 0.1.0
 */
export const edges = {
  Unconfirmed: {
    RequestPrepared: { Unconfirmed: "always" },
    RequestAccepted: { Accepted: "always" },
    RequestRejected: { Rejected: "always" }
  },
  Accepted: {
    RequestPrepared: { Accepted: "always" },
    RequestAccepted: { Accepted: "always" },
    RequestRejected: { Rejected: "always" }
  },
  Rejected: {
    // A rejected id is tried again: the app's owner may have corrected it.
    RequestPrepared: { Unconfirmed: "always" },
    RequestAccepted: { Accepted: "always" },
    RequestRejected: { Rejected: "always" }
  }
} as const satisfies Machine.Edges<State["_tag"], Event["_tag"]>

const next = Machine.next

const append: Command = { _tag: "AppendClientId" }

const accepted = () => next({ _tag: "Accepted" } as const)

const rejected = () => next({ _tag: "Rejected" } as const)

const responses = { RequestAccepted: accepted, RequestRejected: rejected }

/**
 * The machine.
 *
 * @example
 * ```ts
 * import * as ClientId from "@zapier-workflow-auth/core/machine/ClientId"
 * import * as Result from "effect/Result"
 *
 * const stepped = ClientId.machine.step(ClientId.unconfirmed, { _tag: "RequestRejected" }, 0)
 *
 * Result.getOrThrow(stepped).state // => { _tag: "Rejected" }
 * ```
 *
 * @since 0.1.0
 */
export const machine: Machine.Machine<State, Event, Command> = Machine.make<State, Event, Command, typeof edges>({
  name: "ClientId",
  on: {
    Unconfirmed: { RequestPrepared: (state) => next(state, append), ...responses },
    Accepted: { RequestPrepared: (state) => next(state, append), ...responses },
    Rejected: { RequestPrepared: () => next(unconfirmed, append), ...responses }
  }
})
