/** The fake Zapier on a local socket, which can lie on request, and a server that nobody should call. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as Effect from "effect/Effect"

/** Responds to a token request in place of the fake. `trap` is the origin of the server that nobody should call. */
export type Lie = (response: ServerResponse, trap: string) => void | Promise<void>

/** A server on a free local port, until the scope closes. */
export const listen = (handler: RequestListener) =>
  Effect.gen(function* () {
    const server = createServer(handler)
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
      () =>
        Effect.promise(() => {
          server.closeAllConnections()
          return new Promise((resolve) => server.close(resolve))
        })
    )
    return (server.address() as AddressInfo).port
  })

const toRequest = (incoming: IncomingMessage, origin: string, body: Buffer): Request => {
  const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value])
  )
  const method = incoming.method ?? "GET"
  const isBodiless = method === "GET" || method === "HEAD"
  return new Request(new URL(incoming.url ?? "/", origin), {
    method,
    headers: headers.filter(([name]) => name !== "connection" && name !== "transfer-encoding"),
    ...(isBodiless ? {} : { body: new Uint8Array(body) })
  })
}

const tokenPath = "/oauth/token/"

const users = ["ada", "eve"].map((name) => ({ email: `${name}@example.com`, firstName: name, lastName: "Example" }))

export const make = Effect.gen(function* () {
  // Floods exceed Zapier's rate limits, and a case counts only its own requests.
  const fake = FakeZapierPromise.make({ users, remember: 100_000, settings: { rateLimits: false } })
  const lies = new Map<string, Lie>()
  const attempts = new Map<string, number>()
  const verifiers = new Set<string>()
  const trapped: Array<string> = []

  const trap = yield* listen((request, response) => {
    trapped.push(`${request.method} ${request.url}`)
    response.end("lie-marker")
  })

  const respond = async (incoming: IncomingMessage, response: ServerResponse, origin: string) => {
    const body = await buffer(incoming)
    if (incoming.url === tokenPath) {
      const form = new URLSearchParams(body.toString())
      const code = form.get("code") ?? ""
      const verifier = form.get("code_verifier")
      if (verifier !== null) verifiers.add(verifier)
      attempts.set(code, (attempts.get(code) ?? 0) + 1)
      const lie = lies.get(code)
      if (lie !== undefined) return lie(response, `http://127.0.0.1:${trap}`)
    }
    const answer = await fake.fetch(toRequest(incoming, origin, body))
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(await answer.text())
  }

  const port = yield* listen((incoming, response) => {
    respond(incoming, response, `http://127.0.0.1:${port}`).catch(() => response.destroy())
  })

  return {
    origin: `http://127.0.0.1:${port}`,
    fake,
    /** Lies to token requests with this code. */
    lieAbout: (code: string, lie: Lie) => lies.set(code, lie),
    /** How many token requests sent a code. */
    attempts: (code: string) => attempts.get(code) ?? 0,
    verifiers,
    /** The requests to the server that nobody should call. */
    trapped
  }
})

export type Zapier = Effect.Success<typeof make>
