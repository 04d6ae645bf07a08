/**
 * Where the browser comes back to on this machine (RFC 8252 section 7.3), for as long as one login takes.
 *
 * It also has the page that the browser is opened at, which sends it on to Zapier: the address of the consent page holds
 * `state`, and what a browser is started with is seen by all users of the machine. So any of them can open that page, allow
 * access to an account of theirs, and send the code here. The page is therefore for one browser, known by a cookie: a
 * second one ends the login, and only the first can bring the code. Where the system tells whose a connection is, another
 * user is not shown the page at all.
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
import { Refused } from "../refused.ts"
import * as Loopback from "./loopback.ts"
import * as Peer from "./peer.ts"

// Whoever is sent here by something else than Zapier has not ended the login.
const isForeign = ({ reason }: ZapierAuthError) => reason._tag === "StateMismatch" || reason._tag === "InvalidCallback"

// The server is about to end, and waits for open connections.
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
  /** Takes the query that the browser came back with. */
  readonly complete: (query: string) => Effect.Effect<A, ZapierAuthError>
}

const notHere = page(404, "Nothing is here", "Go back to the page that you came from.")

// A browser has the same cookies for all ports of a host, and another login may wait at another one.
const cookieNameAt = (port: number) => `zapier-login-${port}`

const contested = new Refused({
  problem:
    "the page of this login was used by two browsers. If you did not do that, another user of this machine did, who may be trying to connect an account of theirs. The login was ended. Run it again with --no-browser, and open the address that it prints: what it connects replaces what may have been connected meanwhile."
})

const second = page(
  409,
  "The login was ended",
  "Its page was used by two browsers. The terminal says what to do. You can close this window."
)

// Browsers fetch pages before anybody has asked for them, and show them later.
const isPrefetch = (headers: HttpServerRequest.HttpServerRequest["headers"]) =>
  [headers["sec-purpose"], headers["purpose"], headers["x-moz"]].some((purpose) => purpose?.includes("prefetch"))

const listen = (address: string, port: number) =>
  NodeHttpServer.layer(() => createServer(), { host: address, port, gracefulShutdownTimeout: "2 seconds" })

// The browser is started by this process, as this user.
const isForeigner = (request: HttpServerRequest.HttpServerRequest) =>
  Peer.isAnotherUser(NodeHttpServerRequest.toIncomingMessage(request).socket)

/** Listens until the scope ends. `result` is done when the consent is given, or refused. */
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
      // Also that of an earlier login, which somebody else may have got hold of.
      if (more.length > 0 || !same(given, state)) {
        return page(
          400,
          "Not connected",
          "This address does not belong to the login that waits here. The login still waits."
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
        return page(400, "Not connected", `${failure.message} The login still waits.`)
      }
      yield* Deferred.done(result, exit)
      return page(400, "Not connected", failure?.message ?? "Something went wrong; the terminal says more.")
    })

    const app = Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      // A page of another origin that resolves to this machine has another host.
      if (request.method !== "GET" || request.headers["host"] !== redirect.host) return notHere
      if (!URL.canParse(request.url, redirect.href)) return notHere
      const url = new URL(request.url, redirect)
      if (isPrefetch(request.headers)) return page(503, "Not yet", "Open this page to go on.")
      const isFirst = same(request.cookies[cookieName], cookie)
      if (url.pathname === redirect.pathname) return yield* callback(url, isFirst)
      if (url.pathname !== startPath || (yield* isForeigner(request))) return notHere
      return yield* start(isFirst)
    })

    const [first, ...others] = Loopback.addressesOf(redirect)
    const serveAt = (address: string) => Layer.build(Layer.provide(HttpServer.serve(app), listen(address, port)))
    const inUse = (address: string) => () =>
      new Refused({
        problem: `cannot listen on ${address.includes(":") ? `[${address}]` : address}:${port}, where the browser is to come back to. Is another login waiting, or another program? End it, or give another --redirect-uri that is registered.`
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
