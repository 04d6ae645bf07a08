/**
 * Speaks to Zapier's token endpoint, over Effect's `HttpClient`.
 *
 * What is sent is decided in `TokenRequest`, what an answer means in `TokenOutcome`; this service does the sending. It
 * never follows a redirect, never retries a request whose outcome is unknown, cuts requests off in time, sends no trace
 * headers to Zapier, and reads the client's credentials once more when they are rejected: the secret may just have been
 * regenerated.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as AuthMetrics from "../AuthMetrics.ts"
import { type Application, ClientApplication } from "./ClientApplication.ts"
import * as TokenOutcome from "./TokenOutcome.ts"
import * as TokenRequest from "./TokenRequest.ts"
import type { ZapierAuthError } from "../ZapierAuthError.ts"
import { ZapierUrls } from "../zapier/ZapierUrls.ts"

/**
 * Zapier's token endpoint: a request, and what came of it.
 *
 * @since 0.1.0
 */
export class TokenEndpoint extends Context.Service<
  TokenEndpoint,
  {
    /**
     * Sends a token request and says what came of it. An outcome is never an error; what fails with `InvalidConfig` is
     * reading the client application.
     *
     * @param options `timeout`: milliseconds after which the request is cut off and its outcome is `NoResponse`; reading
     * the client application is part of them
     */
    readonly request: (
      request: TokenRequest.TokenRequest,
      options: { readonly timeout: number }
    ) => Effect.Effect<TokenOutcome.TokenOutcome, ZapierAuthError>
  }
>()("@zapier-workflow-auth/core/oauth/TokenEndpoint") {}

// What platforms say when there was no connection to send anything over.
const neverSent = new Set([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UND_ERR_CONNECT_TIMEOUT"
])

// The deepest that platforms nest a cause.
const maxDepth = 5

const neverSentCode = (error: unknown, depth = 0): string | undefined => {
  if (depth > maxDepth || !Predicate.isObject(error)) return undefined
  if (Predicate.hasProperty(error, "code") && typeof error.code === "string" && neverSent.has(error.code)) {
    return error.code
  }
  return Predicate.hasProperty(error, "cause") ? neverSentCode(error.cause, depth + 1) : undefined
}

/**
 * The outcome of a request that got no whole answer: `NotSent` where it is certain that nothing reached a server, and
 * `NoResponse` in all other cases.
 *
 * @since 0.1.0
 */
export const outcomeOfError = ({ reason }: HttpClientError): TokenOutcome.TokenOutcome => {
  if (reason._tag === "InvalidUrlError" || reason._tag === "EncodeError") return { _tag: "NotSent", code: reason._tag }
  const code = reason._tag === "TransportError" ? neverSentCode(reason.cause) : undefined
  return code === undefined ? { _tag: "NoResponse" } : { _tag: "NotSent", code }
}

// A client that has a bug leaves behind what a process leaves that dies: nobody knows whether the request was sent. What
// it threw may hold the request, and is told by its name.
const outcomeOfDefect = (defect: unknown): Effect.Effect<TokenOutcome.TokenOutcome> =>
  Effect.as(
    Effect.logError(
      `The HTTP client threw ${defect instanceof Error ? defect.name : typeof defect} while it sent a token request`
    ),
    { _tag: "NoResponse" }
  )

/**
 * Makes the service out of an `HttpClient`. The client must not retry or follow redirects by itself.
 *
 * @since 0.1.0
 */
export const make = Effect.gen(function* () {
  const client = yield* HttpClient.HttpClient
  const application = yield* ClientApplication
  const urls = yield* ZapierUrls
  const requestInit = Option.getOrElse(yield* Effect.serviceOption(FetchHttpClient.RequestInit), () => ({}))

  const send = Effect.fnUntraced(
    function* (request: TokenRequest.TokenRequest, by: Application) {
      const startedAt = yield* Clock.currentTimeMillis
      const response = yield* client.execute(TokenRequest.toHttp(request, by, urls.token))
      const body = yield* response.text
      const now = yield* Clock.currentTimeMillis
      const { headers, status } = response
      return TokenOutcome.interpret({ status, headers, body }, { scopes: request.scopes, startedAt, now })
    },
    Effect.catch((error) => Effect.succeed(outcomeOfError(error))),
    Effect.catchDefect(outcomeOfDefect),
    Effect.provideService(HttpClient.TracerPropagationEnabled, false),
    Effect.provideService(FetchHttpClient.RequestInit, { ...requestInit, redirect: "manual" })
  )

  return TokenEndpoint.of({
    request: Effect.fn("TokenEndpoint.request")(function* (request, { timeout }) {
      yield* Effect.annotateCurrentSpan("grant", request._tag)
      const begun = yield* Clock.currentTimeMillis
      // A process that stands still does not know, and the timer that is to cut it off stands still with it: nothing is
      // sent without a look at the clock.
      const timeLeft = Effect.map(Clock.currentTimeMillis, (now) => begun + timeout - now)
      const by = yield* application.get
      const startedAt = yield* Clock.currentTimeMillis
      const sent = Effect.gen(function* () {
        const outcome = yield* send(request, by)
        if (outcome._tag !== "InvalidClient") return outcome
        const now = yield* application.get
        return Equal.equals(now, by) || (yield* timeLeft) <= 0 ? outcome : yield* send(request, now)
      })
      const left = yield* timeLeft
      const outcome: TokenOutcome.TokenOutcome =
        left <= 0
          ? { _tag: "NotSent", code: "no time left" }
          : Option.getOrElse(yield* Effect.timeoutOption(sent, left), () => ({ _tag: "NoResponse" }))
      yield* Effect.annotateCurrentSpan("outcome", outcome._tag)
      const duration = Duration.millis((yield* Clock.currentTimeMillis) - startedAt)
      const grant = { grant: request._tag }
      yield* AuthMetrics.count.tokenRequest({ ...grant, outcome: outcome._tag })
      yield* AuthMetrics.took(grant, duration)
      return outcome
    })
  })
})

/**
 * The service, over the `HttpClient` and for the client application that are provided.
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<TokenEndpoint, never, HttpClient.HttpClient | ClientApplication> = Layer.effect(
  TokenEndpoint,
  make
)
