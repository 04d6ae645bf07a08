/**
 * The server on this machine that the browser comes back to (RFC 8252 section 7.3), for one login.
 *
 * The browser is opened at a page of this server, which redirects it to Zapier: the address of the consent page holds
 * `state`, and all users of a machine see the arguments of its processes. But any of them can open that page, too, allow
 * access to an account of their own, and send the code here. So the page serves one browser, known by a cookie: a second
 * one ends the login, and only the first can bring the code. If the system tells the user of a connection, other users
 * get no page at all.
 */
import { timingSafeEqual } from "node:crypto"
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as HttpServer from "effect/http/HttpServer"
import * as Redacted from "effect/Redacted"
import * as Page from "../../internal/page.ts"
import * as Failure from "../failure.ts"
import { Refused } from "../refused.ts"
import { command } from "../shown.ts"
import * as Loopback from "./loopback.ts"
import * as Peer from "./peer.ts"

// A request that Zapier did not cause does not end the login.
const isForeign = ({ reason }: ZapierAuthError) => reason._tag === "StateMismatch" || reason._tag === "InvalidCallback"

// The server ends soon, and waits for open connections.
const closing = HttpServerResponse.setHeader("Connection", "close")

const page = (status: number, title: string, words: string) => closing(Page.respond(status, { title, words: [words] }))

const same = (one: string | undefined, other: string) => {
  const [a, b] = [Buffer.from(one ?? ""), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

export interface Options<A> {
  readonly redirectUri: string
  /** The consent page. */
  readonly consent: Redacted.Redacted
  /** Handles the query of the callback. */
  readonly complete: (query: string) => Effect.Effect<A, ZapierAuthError>
}

const notHere = page(404, "Not found", "Go back to the page that you came from.")

// A browser shares cookies between the ports of a host, and another login may wait on another port.
const cookieNameAt = (port: number) => `zapier-login-${port}`

const contested = new Refused({
  why: "LoginContested",
  problem:
    "two browsers opened the page of this login, so it was ended. If you did not open it twice, another user of this machine may be trying to connect an account of their own. Start again, and open the printed address yourself: that connection replaces any other.",
  run: command("login --no-browser")
})

const second = page(
  409,
  "The login was ended",
  "Two browsers opened its page. Go on in the terminal. You can close this window."
)

// Browsers prefetch pages, and show them later.
const isPrefetch = (headers: HttpServerRequest.HttpServerRequest["headers"]) =>
  [headers["sec-purpose"], headers["purpose"], headers["x-moz"]].some((purpose) => purpose?.includes("prefetch"))

const listen = (address: string, port: number) =>
  NodeHttpServer.layer(() => createServer(), { host: address, port, gracefulShutdownTimeout: "2 seconds" })

// This process starts the browser as its own user.
const isForeigner = (request: HttpServerRequest.HttpServerRequest) =>
  Peer.isAnotherUser(NodeHttpServerRequest.toIncomingMessage(request).socket)

/** Listens until the scope ends. `result` completes when the user allows or denies access. */
export const make = Effect.fnUntraced(
  function* <A>({ complete, consent, redirectUri }: Options<A>) {
    const redirect = new URL(redirectUri)
    const port = Number(redirect.port || "80")
    const cookieName = cookieNameAt(port)
    const result = yield* Deferred.make<A, ZapierAuthError | Refused>()
    const random = yield* SecureRandom.SecureRandom
    const startPath = `/start/${yield* random.uuidV4()}`
    const cookie = yield* random.uuidV4()
    const state = new URL(Redacted.value(consent)).searchParams.get("state") ?? ""
    let isStarted = false

    const end = Effect.as(Deferred.fail(result, contested), second)

    const start = Effect.fnUntraced(function* (isFirst: boolean) {
      if (isStarted && !isFirst) return yield* end
      isStarted = true
      const headers = {
        ...Page.guards,
        "Set-Cookie": `${cookieName}=${cookie}; Path=/; HttpOnly; SameSite=Lax; Max-Age=900`
      }
      return closing(HttpServerResponse.redirect(Redacted.value(consent), { status: 302, headers }))
    })

    const callback = Effect.fnUntraced(function* ({ search, searchParams }: URL, isFirst: boolean) {
      const [given, ...more] = searchParams.getAll("state")
      // Also refuses the state of an earlier login, which others may have seen.
      if (more.length > 0 || !same(given, state)) {
        return page(
          400,
          "Not connected",
          "This address belongs to another login. The login in the terminal still waits."
        )
      }
      if (isStarted && !isFirst) return yield* end
      const exit = yield* Effect.exit(complete(search))
      if (Exit.isSuccess(exit)) {
        yield* Deferred.done(result, exit)
        return page(200, "Connected", "You can close this window.")
      }
      const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
      if (failure !== undefined && isForeign(failure)) {
        return page(400, "Not connected", `${failure.message} The login in the terminal still waits.`)
      }
      yield* Deferred.done(result, exit)
      return page(
        400,
        "Not connected",
        failure === undefined ? "Something went wrong. The terminal says more." : Failure.of(failure, []).message
      )
    })

    const app = Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      // A page of another origin that resolves to this machine sends another host (DNS rebinding).
      if (request.method !== "GET" || request.headers["host"] !== redirect.host) return notHere
      if (!URL.canParse(request.url, redirect.href)) return notHere
      const url = new URL(request.url, redirect)
      if (isPrefetch(request.headers)) return page(503, "Not yet", "Open this page to continue.")
      const isFirst = same(request.cookies[cookieName], cookie)
      if (url.pathname === redirect.pathname) return yield* callback(url, isFirst)
      if (url.pathname !== startPath || (yield* isForeigner(request))) return notHere
      return yield* start(isFirst)
    })

    const [first, ...others] = Loopback.addressesOf(redirect)
    const serveAt = (address: string) => Layer.build(Layer.provide(HttpServer.serve(app), listen(address, port)))
    const inUse = (address: string) => () =>
      new Refused({
        why: "CannotListen",
        problem: `cannot listen on ${address.includes(":") ? `[${address}]` : address}:${port}, where the browser must come back to. Another login or program may use the port: end it, or give another registered --redirect-uri.`
      })
    yield* Effect.catchTag(serveAt(first), "ServeError", inUse(first))
    for (const address of others) {
      yield* Effect.catchTag(serveAt(address), "ServeError", ({ cause }) =>
        Loopback.isMissing(cause) ? Effect.void : inUse(address)()
      )
    }
    return { start: `${redirect.origin}${startPath}`, result: Deferred.await(result) }
  },
  (effect) => Effect.provide(effect, SecureRandom.layerWebCrypto)
)
