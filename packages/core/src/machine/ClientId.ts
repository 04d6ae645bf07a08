/**
 * The machine of the v1 client id: the third way in, and the one with the least life.
 *
 * **Theory of operation**
 *
 * The client id is public and goes into the query; there is nothing to obtain and nothing to renew. All there is to know
 * is whether Zapier takes it, which the last answer tells.
 *
 * Source: Zapier's API reference, `GET /v1/apps?client_id=…` (missing or unknown id: 401).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Machine from "./Machine.ts"

/**
 * - `Presented`: no answer has told yet whether the id is known.
 * - `Accepted`: the last answer took it.
 * - `Rejected`: the last answer was 401.
 *
 * @since 0.1.0
 */
export const State = /* @__PURE__ */ Schema.TaggedUnion({ Presented: {}, Accepted: {}, Rejected: {} })

/**
 * @since 0.1.0
 */
export type State = typeof State.Type

/**
 * - `RequestPrepared`: a request that takes the client id is about to be sent.
 * - `RequestAccepted`: it was answered with something else than 401.
 * - `RequestRejected`: it was answered with 401.
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
 * - `AppendClientId`: add `client_id` to the request's query.
 *
 * @since 0.1.0
 */
export interface Command {
  readonly _tag: "AppendClientId"
}

/**
 * The state at the beginning.
 *
 * @since 0.1.0
 */
export const presented = { _tag: "Presented" } as const satisfies State

/**
 * The legal edges.
 *
 * @since 0.1.0
 */
export const edges = {
  Presented: {
    RequestPrepared: { Presented: "always" },
    RequestAccepted: { Accepted: "always" },
    RequestRejected: { Rejected: "always" }
  },
  Accepted: {
    RequestPrepared: { Accepted: "always" },
    RequestAccepted: { Accepted: "always" },
    RequestRejected: { Rejected: "always" }
  },
  Rejected: {
    // A rejected id is presented again: the app's owner may have mended it.
    RequestPrepared: { Presented: "always" },
    RequestAccepted: { Accepted: "always" },
    RequestRejected: { Rejected: "always" }
  }
} as const satisfies Machine.Edges<State["_tag"], Event["_tag"]>

const next = Machine.next

const append: Command = { _tag: "AppendClientId" }

const accepted = () => next({ _tag: "Accepted" } as const)

const rejected = () => next({ _tag: "Rejected" } as const)

const answered = { RequestAccepted: accepted, RequestRejected: rejected }

/**
 * The machine.
 *
 * @example
 * ```ts
 * import * as ClientId from "@zapier-workflow-auth/core/machine/ClientId"
 * import * as Result from "effect/Result"
 *
 * const answered = ClientId.machine.step(ClientId.presented, { _tag: "RequestRejected" }, 0)
 *
 * Result.getOrThrow(answered).state // => { _tag: "Rejected" }
 * ```
 *
 * @since 0.1.0
 */
export const machine: Machine.Machine<State, Event, Command> = Machine.make<State, Event, Command>()({
  name: "ClientId",
  initial: "Presented",
  edges,
  on: {
    Presented: { RequestPrepared: (state) => next(state, append), ...answered },
    Accepted: { RequestPrepared: (state) => next(state, append), ...answered },
    Rejected: { RequestPrepared: () => next(presented, append), ...answered }
  }
})
