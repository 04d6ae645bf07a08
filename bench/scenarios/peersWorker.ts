/** One of the processes of the scenario `peers`: a client with a grant, which calls when it is told to. */
import * as Peers from "../peers.ts"
import { tellParent, told } from "../workers.ts"

export type Told =
  | { readonly _tag: "Begin"; readonly peer: Peers.Name; readonly options: Peers.Options }
  /** Make so many calls at once. Each has a number of its own, the lowest of which comes first. */
  | { readonly _tag: "Call"; readonly calls: number }
  /** Make so many calls, one after the other. */
  | { readonly _tag: "CallInTurn"; readonly calls: number }

export type Said =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Called"; readonly failedCalls: number }
  /** Microseconds a call. */
  | { readonly _tag: "CalledInTurn"; readonly micros: number }

const say = (said: Said) => tellParent(said)

const messages = told<Told>()
const { value: begin } = await messages.next()
if (begin?._tag === "Begin") {
  const call = await Peers.peers[begin.peer](begin.options)
  say({ _tag: "Ready" })
  for await (const message of messages) {
    if (message._tag === "Call") {
      const numbers = Array.from({ length: message.calls }, (_, index) => index)
      const results = await Promise.allSettled(numbers.map((number) => call(`/v2/zaps?offset=${number}`)))
      const failed = results.filter((result) => result.status === "rejected" || result.value !== 200)
      say({ _tag: "Called", failedCalls: failed.length })
    }
    if (message._tag === "CallInTurn") {
      const began = performance.now()
      for (let index = 0; index < message.calls; index++) {
        const status = await call("/v2/zaps?offset=0")
        if (status !== 200) throw new Error(`a call was answered with ${status}`)
      }
      say({ _tag: "CalledInTurn", micros: ((performance.now() - began) * 1_000) / message.calls })
    }
  }
  process.exit()
}
