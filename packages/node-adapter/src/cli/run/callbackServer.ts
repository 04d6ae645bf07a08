/**
 * Where the browser comes back to on this machine (RFC 8252 section 7.3), for as long as one login takes.
 *
 * It also has the page that the browser is opened at, which sends it on to Zapier once: the address of the consent page
 * holds `state`, and what a browser is started with is seen by all users of the machine.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
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

// Whoever is sent here by something else than Zapier has not ended the login.
const isForeign = ({ reason }: ZapierAuthError) => reason._tag === "StateMismatch" || reason._tag === "InvalidCallback"

// The server is about to end, and waits for open connections.
const closing = HttpServerResponse.setHeader("Connection", "close")

const page = (status: number, title: string, words: string) => closing(Page.respond(status, { title, words }))

export interface Options<A> {
  readonly redirectUri: string
  /** The consent page. */
  readonly consent: Redacted.Redacted
  /** Takes the query that the browser came back with. */
  readonly complete: (query: string) => Effect.Effect<A, ZapierAuthError>
}

const notHere = page(404, "Nothing is here", "Go back to the page that you came from.")

/** Listens until the scope ends. `result` is done when the consent is given, or refused. */
export const make = Effect.fnUntraced(function* <A>({ complete, consent, redirectUri }: Options<A>) {
  const redirect = new URL(redirectUri)
  const port = Number(redirect.port || "80")
  const result = yield* Deferred.make<A, ZapierAuthError>()
  const startPath = "/start"
  let isStarted = false

  const start = Effect.sync(() => {
    if (isStarted) {
      return page(410, "This page was opened before", "If it was not you who did, stop the login, and begin anew.")
    }
    isStarted = true
    return closing(HttpServerResponse.redirect(Redacted.value(consent), { status: 302, headers: Page.guards }))
  })

  const callback = Effect.fnUntraced(function* (query: string) {
    const exit = yield* Effect.exit(complete(query))
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
    const url = new URL(request.url, redirect)
    // A page of another origin that resolves to this machine has another host.
    if (request.method !== "GET" || request.headers["host"] !== redirect.host) return notHere
    if (url.pathname === redirect.pathname) return yield* callback(url.search)
    return url.pathname === startPath ? yield* start : notHere
  })

  yield* Layer.build(
    HttpServer.serve(app).pipe(
      Layer.provide(
        NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port, gracefulShutdownTimeout: "2 seconds" })
      )
    )
  ).pipe(
    Effect.catchTag(
      "ServeError",
      () =>
        new Refused({
          problem: `cannot listen on 127.0.0.1:${port}, where the browser is to come back to. Is another login waiting, or another program? End it, or give another --redirect-uri that is registered.`
        })
    )
  )
  return { start: `${redirect.origin}${startPath}`, result: Deferred.await(result) }
})
