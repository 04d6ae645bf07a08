/** What the routes decide: each ends in an outcome, or sends the browser to Zapier's consent page. */
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { from, StateMismatch, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Clock from "effect/Clock"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Page from "../page.ts"
import * as Answers from "./answers.ts"
import * as Config from "./config.ts"
import * as Cookies from "./cookies.ts"
import * as Origin from "./origin.ts"
import type { Outcome } from "./outcome.ts"
import * as ReturnUrl from "./returnUrl.ts"

type Response = HttpServerResponse.HttpServerResponse

/** What a handler comes to: an outcome and what becomes of cookies, or a response where there is nothing to be told. */
type Decision = { readonly outcome: Outcome; readonly cookies?: (response: Response) => Response } | Response

interface Services {
  readonly auth: ZapierAuth["Service"]
  readonly digest: Digest.Digest["Service"]
  /** Who is signed in. */
  readonly subject: (request: HttpServerRequest) => Effect.Effect<Option.Option<string>, ZapierAuthError>
  readonly answer: (outcome: Outcome, asked: Answers.Asked) => Effect.Effect<Response, never, HttpRouter.Provided>
}

const queryOf = (request: HttpServerRequest): URLSearchParams => {
  const start = request.url.indexOf("?")
  return new URLSearchParams(start === -1 ? "" : request.url.slice(start + 1))
}

export const make = (config: Config.Config, { answer, auth, digest, subject: subjectOf }: Services) => {
  const { consent, home, origin, others, redirectUri, scopes } = config
  const own = [origin, ...others]
  const isSecure = new URL(redirectUri).protocol === "https:"

  const failed = (error: ZapierAuthError, returnTo: string): Outcome => ({
    _tag: "Failed",
    error,
    returnTo,
    connect: Config.connectUrl(config, returnTo)
  })

  // The app's owner has to know what its users are told in other words.
  const unable = (error: ZapierAuthError, returnTo: string) =>
    Effect.as(Effect.logError(error.message), failed(error, returnTo))

  /** For the user who is signed in. */
  const forUser = (
    request: HttpServerRequest,
    returnTo: string,
    handler: (subject: string) => Effect.Effect<Decision>
  ): Effect.Effect<Decision> =>
    Effect.matchEffect(subjectOf(request), {
      onFailure: (error) => Effect.map(unable(error, returnTo), (outcome) => ({ outcome })),
      onSuccess: Option.match({
        onNone: () => Effect.succeed<Decision>({ outcome: { _tag: "SignedOut", returnTo } }),
        onSome: handler
      })
    })

  type Handler = (request: HttpServerRequest, subject: string, returnTo: string) => Effect.Effect<Decision>

  /** For the user who is signed in, and an address to return to that is allowed. */
  const returning =
    (handler: Handler) =>
    (request: HttpServerRequest): Effect.Effect<Decision> => {
      const asked = queryOf(request).get("return")
      const returnTo = asked === null ? home : ReturnUrl.parse(asked, origin, others)
      return returnTo === undefined
        ? Effect.succeed({ outcome: { _tag: "Refused", why: "ReturnAddress", returnTo: home } })
        : forUser(request, returnTo, (subject) => handler(request, subject, returnTo))
    }

  const connect: Handler = Effect.fnUntraced(function* (request, subject, returnTo): Effect.fn.Return<Decision> {
    if (Origin.isFromElsewhere(request, own)) {
      return { outcome: { _tag: "Unconfirmed", returnTo, connect: Config.connectUrl(config, returnTo) } }
    }
    const begun = yield* Effect.result(auth.authorizationUrl({ ...consent, subject, scopes, redirectUri }))
    if (Result.isFailure(begun)) return { outcome: failed(begun.failure, returnTo) }
    const { attempt, expiresAt, url } = begun.success
    const lifetime = expiresAt - (yield* Clock.currentTimeMillis)
    return HttpServerResponse.redirect(Redacted.value(url), { status: 303 }).pipe(
      Cookies.set(attempt, returnTo, isSecure, lifetime),
      HttpServerResponse.setHeaders(Page.guards)
    )
  })

  const disconnect: Handler = Effect.fnUntraced(function* (request, subject, returnTo): Effect.fn.Return<Decision> {
    if (!Origin.isOwnPost(request, own)) return { outcome: { _tag: "Refused", why: "OtherSite", returnTo } }
    const outcome = yield* Effect.match(auth.disconnect(subject), {
      onFailure: (error) => failed(error, returnTo),
      onSuccess: (disconnected): Outcome => ({ _tag: "Disconnected", returnTo, ...disconnected })
    })
    return { outcome }
  })

  const status: Handler = (_, subject, returnTo) =>
    Effect.match(auth.status(subject), {
      onFailure: (error) => ({ outcome: failed(error, returnTo) }),
      onSuccess: (status) => ({ outcome: { _tag: "Status", status, returnTo } })
    })

  const callback = Effect.fnUntraced(function* (request: HttpServerRequest): Effect.fn.Return<Decision> {
    const query = queryOf(request)
    const parsed = AuthorizationCallback.parse(query)
    if (Result.isFailure(parsed)) return { outcome: failed(from(parsed.failure), home) }
    const attempt = yield* Effect.provideService(AttemptStore.keyOf(parsed.success.state), Digest.Digest, digest)
    const begunHere = request.cookies[Cookies.nameOf(attempt, isSecure)]
    // The attempt is not used up by who is refused here: the right browser and user still can come back.
    if (begunHere === undefined) return { outcome: failed(from(new StateMismatch({ why: "OtherBrowser" })), home) }
    // It was allowed when it was put there, and anybody may have changed it since.
    const returnTo = ReturnUrl.parse(begunHere, origin, others) ?? home
    return yield* forUser(request, returnTo, (subject) =>
      Effect.match(auth.handleCallback(query, { subject }), {
        onFailure: (error) => ({ outcome: failed(error, returnTo), cookies: Cookies.expire(attempt, isSecure) }),
        onSuccess: (status) => ({
          outcome: { _tag: "Connected", status, returnTo },
          cookies: Cookies.expire(attempt, isSecure)
        })
      })
    )
  })

  const answered =
    (handler: (request: HttpServerRequest) => Effect.Effect<Decision>) =>
    (request: HttpServerRequest): Effect.Effect<Response, never, HttpRouter.Provided> =>
      Effect.flatMap(handler(request), (decision) => {
        if (HttpServerResponse.isHttpServerResponse(decision)) return Effect.succeed(decision)
        const { cookies, outcome } = decision
        return Effect.map(answer(outcome, Answers.askedBy(request)), cookies ?? identity)
      })

  const at = (route: `/${string}`) => `${config.path}${route}` as `/${string}`
  return [
    HttpRouter.route("GET", at("/connect"), answered(returning(connect))),
    HttpRouter.route("GET", at(Config.callbackPath), answered(callback)),
    HttpRouter.route("POST", at("/disconnect"), answered(returning(disconnect))),
    HttpRouter.route("GET", at("/status"), answered(returning(status)))
  ]
}
