/** Fuzzes the fake over HTTP, one request after the other. */
import * as Http from "node:http"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import type { FakeControlError } from "../../../src/fake/FakeControl.ts"
import type { FakeRequest, FakeResponse } from "../../../src/fake/FakeHttp.ts"
import * as FakeZapier from "../../../src/FakeZapier.ts"
import * as Fuzz from "./fuzz.ts"

// What Node's client refuses to send, sends otherwise, or waits for another answer to, has no answer.
const send = (agent: Http.Agent, origin: string, request: FakeRequest): Promise<FakeResponse | undefined> =>
  new Promise((resolve, reject) => {
    const { body, headers, method, path, query } = request
    const isSent = Http.METHODS.includes(method) && method !== "CONNECT" && /^[/*]/.test(path)
    if (!isSent) return resolve(undefined)
    let outgoing: Http.ClientRequest
    try {
      outgoing = Http.request(new URL(origin), {
        agent,
        method,
        path: query === "" ? path : `${path}?${query}`,
        headers: { ...headers, "content-length": body.length }
      })
    } catch {
      return resolve(undefined)
    }
    outgoing.on("error", reject)
    outgoing.on("response", (incoming) => {
      const chunks: Array<Buffer> = []
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
      incoming.on("error", reject)
      incoming.on("end", () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
          body: Buffer.concat(chunks).toString()
        })
      )
    })
    outgoing.end(body)
  })

/** The fake has to know `Fuzz.apps` and `Fuzz.users`, to have no rate limits, and to have a clock that stands still. */
export const run = Effect.fnUntraced(function* (options: Fuzz.Options) {
  const fake = yield* FakeZapier.FakeZapier
  const { address } = yield* HttpServer.HttpServer
  const origin = HttpServer.formatAddress(address)
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Http.Agent({ keepAlive: true, maxSockets: 1 })),
    (agent) => Effect.sync(() => agent.destroy())
  )
  const perform = (
    command: Fuzz.Command
  ): Effect.Effect<FakeResponse | string | undefined, Cause.UnknownError | FakeControlError> => {
    switch (command._tag) {
      case "Send":
        return Effect.tryPromise(() => send(agent, origin, command.request))
      case "Wait":
        return Effect.as(fake.advance(command.millis), undefined)
      case "Revoke":
        return Effect.as(fake.revoke({ clientId: command.clientId, user: command.user }), undefined)
      case "Regenerate":
        return Effect.map(fake.regenerateSecret(command.clientId), ({ clientSecret }) => clientSecret)
    }
  }
  const fuzz = Fuzz.run(options)
  let step = fuzz.next()
  while (step.done !== true) {
    const performed = yield* Effect.exit(perform(step.value))
    step = performed._tag === "Success" ? fuzz.next(performed.value) : fuzz.throw(performed.cause)
  }
  return step.value
})
