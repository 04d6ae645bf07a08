/** Serves routes: only real visits, the signed-in user, allowed return addresses, and a response to every outcome. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Page from "../page.ts"
import * as Responses from "./responses.ts"
import type * as Config from "./config.ts"
import * as Cookies from "./cookies.ts"
import * as Origin from "./origin.ts"
import type { Outcome, Ways } from "./outcome.ts"
import type * as Paths from "./paths.ts"
import * as Quiet from "./quiet.ts"
import * as SentCookies from "./sentCookies.ts"
import * as Speculative from "./speculative.ts"
import * as Visit from "./visit.ts"

type Response = HttpServerResponse.HttpServerResponse

/** An outcome and the change of cookies, or a response. */
export type Decision = { readonly outcome: Outcome; readonly cookies?: (response: Response) => Response } | Response

/** The app's own functions may require services of each request. */
export type Decided = Effect.Effect<Decision, never, HttpRouter.Provided>

export interface Services {
  /** The signed-in user. */
  readonly subject: (request: HttpServerRequest) => Effect.Effect<Option.Option<string>, ZapierAuthError>
  readonly respond: (outcome: Outcome, asking: Responses.Asking) => Effect.Effect<Response, never, HttpRouter.Provided>
}

/** A handler for the signed-in user, with a valid return address. */
export type Handler = (request: HttpServerRequest, subject: string, visit: Visit.Visit) => Decided

/** An attempt that the browser leaves for. */
export interface Begun {
  readonly attempt: string
  readonly url: Redacted.Redacted
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

const bare = (status: number, headers: Record<string, string> = {}) =>
  HttpServerResponse.empty({ status, headers: { ...Page.guards, ...headers } })

/**
 * Lets only real visits begin or use up an attempt. A browser that prefetches discards unsuccessful responses (HTML standard,
 * section "Navigational prefetching") and sends the request again on a visit. The router serves `HEAD` like `GET`.
 */
export const onlyVisits =
  (handler: (request: HttpServerRequest) => Decided) =>
  (request: HttpServerRequest): Decided => {
    if (request.method !== "GET") return Effect.succeed(bare(405, { Allow: "GET" }))
    return Speculative.isSpeculative(request) ? Effect.succeed(bare(503)) : handler(request)
  }

// Users see other texts, so log the error for the app's owner.
const log = (outcome: Outcome) =>
  "error" in outcome && outcome.error.blames !== "User" ? Effect.logError(outcome.error.message) : Effect.void

export const failed = (error: ZapierAuthError, ways: Ways): Decision => ({
  outcome: { _tag: "Failed", error, ...ways }
})

export const make = (config: Config.Config<HttpRouter.Provided>, { respond, subject }: Services) => {
  const { origin, others, publicPath, redirectUri, signIn } = config
  const own = [origin, ...others]
  const place: Cookies.Place = { isSecure: new URL(redirectUri).protocol === "https:", publicPath }

  /** Runs a handler for the signed-in user. */
  const forUser = (request: HttpServerRequest, ways: Ways, handler: (subject: string) => Decided): Decided =>
    Effect.matchEffect(subject(request), {
      onFailure: (error) => Effect.succeed(failed(error, ways)),
      onSuccess: Option.match({
        onNone: () => Effect.succeed<Decision>({ outcome: { _tag: "SignedOut", signIn, ...ways } }),
        onSome: handler
      })
    })

  const returning =
    (handler: Handler) =>
    (request: HttpServerRequest): Decided => {
      const visit = Visit.parse(config, Visit.queryOf(request))
      return visit === undefined
        ? Effect.succeed({ outcome: { _tag: "Refused", why: "ReturnAddress", ...Visit.plain(config) } })
        : forUser(request, visit.ways, (subject) => handler(request, subject, visit))
    }

  /** Sends the browser to Zapier with a cookie for the attempt that `begin` makes, if this site's own page asks for it. */
  const leaving =
    (
      begin: (request: HttpServerRequest, subject: string) => Effect.Effect<Begun, ZapierAuthError, HttpRouter.Provided>
    ): Handler =>
    (request, subject, { note, ways }) => {
      if (Origin.isFromElsewhere(request, own)) return Effect.succeed({ outcome: { _tag: "Unconfirmed", ...ways } })
      return Effect.gen(function* () {
        const { attempt, expiresAt, url } = yield* begin(request, subject)
        const now = yield* Clock.currentTimeMillis
        return HttpServerResponse.redirect(Redacted.value(url), { status: 303 }).pipe(
          Cookies.set(SentCookies.of(request), attempt, note, place, { now, lifetime: expiresAt - now }),
          HttpServerResponse.setHeaders(Page.guards)
        )
      }).pipe(Effect.catch((error) => Effect.succeed(failed(error, ways))))
    }

  const responding = (handler: (request: HttpServerRequest) => Decided, askedBy = Responses.askedBy) =>
    Quiet.handler((request): Effect.Effect<Response, never, HttpRouter.Provided> =>
      Effect.flatMap(handler(request), (decision) => {
        if (HttpServerResponse.isHttpServerResponse(decision)) return Effect.succeed(decision)
        const { cookies, outcome } = decision
        return Effect.map(Effect.andThen(log(outcome), respond(outcome, askedBy(request))), cookies ?? identity)
      })
    )

  const at = ([method, path]: Paths.Route) => [method, `${config.path}${path}` as `/${string}`] as const

  return { own, place, forUser, returning, leaving, responding, at }
}
