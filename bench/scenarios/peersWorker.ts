/** A process of the scenario `peers`: a client that calls on request. */
import * as AppPeers from "../appPeers.ts"
import type * as Parts from "../peerParts.ts"
import * as Peers from "../peers.ts"
import { commands, sendToParent } from "../workers.ts"

export type Command =
  /** For a user's grant. */
  | { readonly _tag: "Begin"; readonly peer: Peers.Name; readonly options: Peers.Options }
  /** As the app itself. */
  | { readonly _tag: "BeginAsApp"; readonly peer: AppPeers.Name; readonly app: Parts.App }
  /** Make this many calls at once. Each has a number, and the lowest comes first. */
  | { readonly _tag: "Call"; readonly calls: number }
  /** Make this many calls, one after another. */
  | { readonly _tag: "CallInTurn"; readonly calls: number }

export type Reply =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Called"; readonly failedCalls: number }
  /** Microseconds per call. */
  | { readonly _tag: "CalledInTurn"; readonly micros: number }

const send = (reply: Reply) => sendToParent(reply)

interface Client {
  /** Makes the call with this number, and returns the status of its response. */
  readonly call: (number: number) => Promise<number>
  /** The status of a response to an authorized call. */
  readonly good: number
}

const clientOf = async (begin: Command): Promise<Client> => {
  if (begin._tag === "Begin") {
    const call = await Peers.peers[begin.peer](begin.options)
    return { call: (number) => call(`/v2/zaps?offset=${number}`), good: 200 }
  }
  if (begin._tag === "BeginAsApp") {
    const call = AppPeers.appPeers[begin.peer](begin.app)
    // Without enrollments an authorized call gets 404, and an unauthorized one 401.
    return { call: (number) => call(`/v2/promotions/${number}`), good: 404 }
  }
  throw new Error(`${begin._tag} came first`)
}

const messages = commands<Command>()
const { value: begin } = await messages.next()
if (begin !== undefined) {
  const { call, good } = await clientOf(begin)
  send({ _tag: "Ready" })
  for await (const message of messages) {
    if (message._tag === "Call") {
      const numbers = Array.from({ length: message.calls }, (_, index) => index)
      const results = await Promise.allSettled(numbers.map(call))
      const failed = results.filter((result) => result.status === "rejected" || result.value !== good)
      send({ _tag: "Called", failedCalls: failed.length })
    }
    if (message._tag === "CallInTurn") {
      const began = performance.now()
      for (let index = 0; index < message.calls; index++) {
        const status = await call(0)
        if (status !== good) throw new Error(`a call was answered with ${status}`)
      }
      send({ _tag: "CalledInTurn", micros: ((performance.now() - began) * 1_000) / message.calls })
    }
  }
  process.exit()
}
