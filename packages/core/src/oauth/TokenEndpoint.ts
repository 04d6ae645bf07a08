/**
 * Sends requests to Zapier's token endpoint, over Effect's `HttpClient`.
 *
 * `TokenRequest` decides what to send, and `TokenOutcome` interprets the response. This service never follows a redirect,
 * sends no trace headers to Zapier, sends nothing after its deadline, and retries only requests that certainly never left
 * or are harmless. It stops an HTTP client that retries by itself. If the client credentials are rejected, it reads them
 * once more: the secret may just have been regenerated.
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
import { type HttpClientError, isHttpClientError } from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AuthMetrics from "../AuthMetrics.ts"
import { readApplication } from "../internal/bounded.ts"
import * as BoundedBody from "../internal/boundedBody.ts"
import * as Defects from "../internal/defects.ts"
import { neverSentCode } from "../internal/neverSent.ts"
import * as OwnSpan from "../internal/ownSpan.ts"
import * as Repetition from "../internal/repetition.ts"
import { sendOnce } from "../internal/sendOnce.ts"
import { ZapierUrls } from "../zapier/ZapierUrls.ts"
import { type Application, ClientApplication } from "./ClientApplication.ts"
import * as TokenOutcome from "./TokenOutcome.ts"
import * as TokenRequest from "./TokenRequest.ts"

/**
 * The time limits of a token request, in milliseconds.
 *
 * @since 0.1.0
 */
export interface Options {
  /** When sending ends, on the clock that never jumps (`Clock.monotonicTimeNanos`). */
  readonly until: number
  /** How long reading the client application may take. */
  readonly requestTimeout: number
  /** How long to retry a request that certainly never left, or is harmless. */
  readonly retryFor: number
}

/**
 * Zapier's token endpoint: takes a request and returns its outcome.
 *
 * @since 0.1.0
 */
export class TokenEndpoint extends Context.Service<
  TokenEndpoint,
  {
    /**
     * Sends a token request and returns its outcome. Never fails: if the client application cannot be read, the outcome is
     * `NotTried`. Interrupt it to stop listening.
     */
    readonly request: (request: TokenRequest.TokenRequest, options: Options) => Effect.Effect<TokenOutcome.TokenOutcome>
  }
>()("@zapier-workflow-auth/core/oauth/TokenEndpoint") {}

/**
 * The outcome of a request without a complete response: `NotSent` if it certainly reached no server, otherwise
 * `NoResponse`.
 *
 * @since 0.1.0
 */
export const outcomeOfError = ({ reason }: HttpClientError): TokenOutcome.TokenOutcome => {
  if (reason._tag === "InvalidUrlError" || reason._tag === "EncodeError") return { _tag: "NotSent", code: reason._tag }
  const code = reason._tag === "TransportError" ? neverSentCode(reason.cause) : undefined
  return code === undefined ? { _tag: "NoResponse" } : { _tag: "NotSent", code }
}

// The wording of platforms for a body that was already read.
const usedUp = /unusable|already|disturbed|locked/i

const isUsedUp = ({ reason }: HttpClientError) =>
  reason._tag === "DecodeError" && reason.cause instanceof TypeError && usedUp.test(reason.cause.message)

const logUsedUp = Effect.logError(
  "Your HttpClient read the body of a token response, so the outcome of the request is unknown. In code that inspects responses, use response.text or response.json, which can be read twice, instead of response.stream"
)

// A client may fail with anything, despite its types, for example with a `TimeoutError`.
const outcomeOf = (error: unknown): Effect.Effect<TokenOutcome.TokenOutcome> =>
  isHttpClientError(error)
    ? Effect.as(isUsedUp(error) ? logUsedUp : Effect.void, outcomeOfError(error))
    : Effect.succeed({ _tag: "NoResponse" })

// After a defect it is unknown whether the request was sent. The defect may hold the request, so only its name is logged.
const outcomeOfDefect = (defect: unknown): Effect.Effect<TokenOutcome.TokenOutcome> =>
  Effect.as(Effect.logError(`The HTTP client threw ${Defects.nameOf(defect)} while sending a token request`), {
    _tag: "NoResponse"
  })

const tooLate: TokenOutcome.TokenOutcome = { _tag: "NotTried" }

// A request that certainly never left can always be retried.
const neverLeft = (outcome: TokenOutcome.TokenOutcome) => outcome._tag === "NotSent"

// A second request for an app token is harmless.
const isHarmlessTwice = (outcome: TokenOutcome.TokenOutcome) => neverLeft(outcome) || Repetition.isWorthAnother(outcome)

// The number of requests sent, for spans.
interface Counter {
  sent: number
}

const refusedRepetition =
  "Your HttpClient tried to send a token request again and was stopped, because a code or refresh token must be sent only once. The library itself retries where that is safe. Pass an HttpClient without HttpClient.retry, retryTransient, withRateLimiter and followRedirects; use these only for your other requests"

/**
 * Makes the service from an `HttpClient`.
 *
 * The client should not retry or follow redirects. If it does, repeating a token request is stopped, a warning is logged the
 * first time, and the first response counts. Responses may be failures of the client, as with `HttpClient.filterStatusOk`.
 *
 * @since 0.1.0
 */
export const make = Effect.gen(function* () {
  const client = yield* HttpClient.HttpClient
  const application = yield* ClientApplication
  const urls = yield* ZapierUrls
  const requestInit = Option.getOrElse(yield* Effect.serviceOption(FetchHttpClient.RequestInit), () => ({}))

  let hasWarned = false
  const refused = Effect.suspend(() => {
    const warning = hasWarned ? Effect.void : Effect.logWarning(refusedRepetition)
    hasWarned = true
    return Effect.andThen(warning, Effect.annotateCurrentSpan("repetition", "refused"))
  })

  const send = Effect.fnUntraced(
    function* (request: TokenRequest.TokenRequest, by: Application) {
      const startedAt = yield* Clock.currentTimeMillis
      const response = yield* sendOnce(client, TokenRequest.toHttp(request, by, urls.token), refused)
      const decided = TokenOutcome.ofStatus(response, yield* Clock.currentTimeMillis)
      // A body that changes nothing is not read: it may be slow, or endless.
      if (decided !== undefined) return yield* Effect.as(BoundedBody.discard(response), decided)
      const read = yield* BoundedBody.read(response, TokenOutcome.longestBody, TokenOutcome.isComplete)
      const now = yield* Clock.currentTimeMillis
      const { headers, status } = response
      return TokenOutcome.interpret({ status, headers, ...read }, { scopes: request.scopes, startedAt, now })
    },
    Effect.catch(outcomeOf),
    Effect.catchDefect(outcomeOfDefect),
    Effect.provideService(HttpClient.TracerPropagationEnabled, false),
    Effect.provideService(FetchHttpClient.RequestInit, { ...requestInit, redirect: "manual" })
  )

  // A process cannot notice that it was paused, so check the clock before sending.
  const inTime = (until: number, effect: Effect.Effect<TokenOutcome.TokenOutcome>) =>
    Effect.flatMap(Clock.monotonicTimeNanos, (now) => (Number(now) / 1e6 < until ? effect : Effect.succeed(tooLate)))

  const attempt = (request: TokenRequest.TokenRequest, { requestTimeout, until }: Options, counter: Counter) => {
    const read = readApplication(application, requestTimeout)
    const sendNext = (by: Application) =>
      Effect.suspend(() => OwnSpan.within(send(request, by), "TokenEndpoint.attempt", { attempt: ++counter.sent }))
    return Effect.gen(function* () {
      const by = yield* read
      const outcome = yield* inTime(until, sendNext(by))
      if (outcome._tag !== "InvalidClient") return outcome
      // If the secret cannot be read again, the refusal stands.
      const now = yield* Effect.orElseSucceed(read, () => by)
      if (Equal.equals(now, by)) return outcome
      const again = yield* inTime(until, sendNext(now))
      return again._tag === "NotTried" ? outcome : again
    }).pipe(Effect.catch(({ reason }) => Effect.succeed<TokenOutcome.TokenOutcome>({ _tag: "NotTried", reason })))
  }

  return TokenEndpoint.of({
    request: Effect.fnUntraced(
      function* (request, options) {
        yield* Effect.annotateCurrentSpan("grant", request._tag)
        const { retryFor } = options
        const mayRepeat = request._tag === "ClientCredentials" ? isHarmlessTwice : neverLeft
        const startedAt = yield* Clock.monotonicTimeNanos
        const counter = { sent: 0 }
        const next = attempt(request, options, counter)
        const outcome = yield* Repetition.repeat(next, { mayRepeat, retryFor })
        yield* Effect.annotateCurrentSpan({ outcome: outcome._tag, attempts: counter.sent })
        const duration = Duration.nanos((yield* Clock.monotonicTimeNanos) - startedAt)
        const grant = { grant: request._tag }
        yield* AuthMetrics.count.tokenRequest({ ...grant, outcome: outcome._tag })
        yield* AuthMetrics.took(grant, duration)
        return outcome
      },
      (request) => OwnSpan.within(request, "TokenEndpoint.request")
    )
  })
})

/**
 * Provides the service for the given `HttpClient` and client application. Always built anew, because layers are shared by
 * name, and two applications in a process must not share this service.
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<TokenEndpoint, never, HttpClient.HttpClient | ClientApplication> = Layer.fresh(
  Layer.effect(TokenEndpoint, make)
)
