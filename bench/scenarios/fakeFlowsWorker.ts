/** A process of the scenario `fake-flows`: the server of the flows, or their client. */
import { Console } from "node:console"
import * as Effect from "effect/Effect"
import * as FlowClients from "../flowClients.ts"
import * as FlowServers from "../flowServers.ts"
import { commands, sendToParent } from "../workers.ts"

const servers = {
  [FlowServers.fakeName]: FlowServers.fake,
  [FlowServers.mockServerName]: FlowServers.mockServer,
  [FlowServers.oidcProviderName]: FlowServers.oidcProvider,
  [FlowClients.inProcessName]: FlowClients.inProcess,
  [FlowClients.stubName]: FlowClients.stub
}

export type Name = keyof typeof servers

export type Command =
  | { readonly _tag: "Begin"; readonly server: Name }
  /** Run this many flows, one after another. */
  | { readonly _tag: "Flow"; readonly flows: number }

export type Reply =
  | { readonly _tag: "Ready" }
  /** Flows per second. */
  | { readonly _tag: "Flowed"; readonly rate: number }

const send = (reply: Reply) => sendToParent(reply)

const work = Effect.fnUntraced(function* (server: Name, messages: AsyncIterator<Command>) {
  const { flow } = yield* servers[server]
  send({ _tag: "Ready" })
  yield* Effect.promise(async () => {
    while (true) {
      const { value } = await messages.next()
      if (value?._tag !== "Flow") return
      const began = performance.now()
      for (let index = 0; index < value.flows; index++) await flow()
      send({ _tag: "Flowed", rate: (value.flows * 1_000) / (performance.now() - began) })
    }
  })
}, Effect.scoped)

// Libraries' own output is not sent to the parent.
globalThis.console = new Console(process.stderr)

const messages = commands<Command>()
const { value: begin } = await messages.next()
if (begin?._tag === "Begin") await Effect.runPromise(work(begin.server, messages))
