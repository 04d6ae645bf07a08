/**
 * Speaks to Zapier's token endpoint, over Effect's `HttpClient`.
 *
 * `TokenRequest` decides what is sent, `TokenOutcome` what a response means; this service does the sending. It
 * never follows a redirect, sends no trace headers to Zapier, sends nothing once its time is over, and sends again only
 * what certainly never left or harms nobody; it stops a client that would send again by itself. It reads the client's credentials once more when they are rejected: the
 * secret may just have been regenerated.
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
import * as Schedule from "effect/Schedule"
import * as AuthMetrics from "../AuthMetrics.ts"
import { readApplication } from "../internal/bounded.ts"
import * as BoundedBody from "../internal/boundedBody.ts"
import * as Defects from "../internal/defects.ts"
import { neverSentCode } from "../internal/neverSent.ts"
import { sendOnce } from "../internal/sendOnce.ts"
import { ZapierUrls } from "../zapier/ZapierUrls.ts"
import { type Application, ClientApplication } from "./ClientApplication.ts"
import * as TokenOutcome from "./TokenOutcome.ts"
import * as TokenRequest from "./TokenRequest.ts"

/**
 * The time that a token request has, in milliseconds.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The end of sending: a time of the clock that never jumps (`Clock.monotonicTimeNanos`). */
  readonly until: number
  /** How long reading the client application may take. */
  readonly requestTimeout: number
  /** For how long a request that certainly never left, or that harms nobody, is sent again. */
  readonly retryFor: number
}

/**
 * Zapier's token endpoint: a request, and what came of it.
 *
 * @since 0.1.0
 */
export class TokenEndpoint extends Context.Service<
  TokenEndpoint,
  {
    /**
     * Sends a token request and says what came of it. An outcome is never an error: what could not be sent because the
     * client application cannot be read is `NotTried`. To stop listening, interrupt it.
     */
    readonly request: (request: TokenRequest.TokenRequest, options: Options) => Effect.Effect<TokenOutcome.TokenOutcome>
  }
>()("@zapier-workflow-auth/core/oauth/TokenEndpoint") {}

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

// A body that changes nothing may be slow, or have no end.
const noBody = { body: "", isTruncated: false }

// How platforms say that a body has been read already.
const usedUp = /unusable|already|disturbed|locked/i

const isUsedUp = ({ reason }: HttpClientError) =>
  reason._tag === "DecodeError" && reason.cause instanceof TypeError && usedUp.test(reason.cause.message)

const sayUsedUp = Effect.logError(
  "The HTTP client used up the response to a token request, so that its outcome is not known. Where a client looks at bodies, let it use response.text or response.json, which can be read again, in the place of response.stream"
)

// Types do not keep a client from failing with anything else, such as a `TimeoutError`.
const outcomeOf = (error: unknown): Effect.Effect<TokenOutcome.TokenOutcome> => {
  if (!isHttpClientError(error)) return Effect.succeed({ _tag: "NoResponse" })
  const { response } = error
  if (response !== undefined && TokenOutcome.isDecidedBy(response.status)) {
    const { headers, status } = response
    return Effect.map(Clock.currentTimeMillis, (now) =>
      TokenOutcome.interpret({ status, headers, body: "" }, { scopes: [], startedAt: now, now })
    )
  }
  return Effect.as(isUsedUp(error) ? sayUsedUp : Effect.void, outcomeOfError(error))
}

// A client that has a bug leaves behind what a process leaves that dies: nobody knows whether the request was sent. What
// it threw may hold the request, and is told by its name.
const outcomeOfDefect = (defect: unknown): Effect.Effect<TokenOutcome.TokenOutcome> =>
  Effect.as(Effect.logError(`The HTTP client threw ${Defects.nameOf(defect)} while it sent a token request`), {
    _tag: "NoResponse"
  })

const tooLate: TokenOutcome.TokenOutcome = { _tag: "NotTried" }

// A request that certainly never left can be sent again, whatever it is.
const neverLeft = (outcome: TokenOutcome.TokenOutcome) => outcome._tag === "NotSent"

// To ask twice for a token of the app itself harms nobody, unless the server has said when to come back.
const mayBeAskedTwice = (outcome: TokenOutcome.TokenOutcome) =>
  neverLeft(outcome) ||
  outcome._tag === "NoResponse" ||
  (outcome._tag === "Unavailable" && outcome.retryAfter === undefined)

// How often a request was sent, for spans.
interface Counter {
  sent: number
}

const pauses = Schedule.jittered(Schedule.exponential("250 millis"))

const refusedRepetition =
  "The HTTP client was about to send a token request again, and was stopped: a code or refresh token may be presented once only. The library retries where that is safe. Give it an HttpClient without HttpClient.retry, retryTransient, withRateLimiter and followRedirects, and add those to the client of other requests"

/**
 * Makes the service out of an `HttpClient`.
 *
 * The client should not retry or follow redirects by itself. If it does, a second sending of a token request is stopped,
 * and the first time a warning is logged that says so; what counts is the first response. Responses may be failures of
 * the client, as with `HttpClient.filterStatusOk`.
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
      const read = TokenOutcome.isDecidedBy(response.status)
        ? yield* Effect.as(BoundedBody.discard(response), noBody)
        : yield* BoundedBody.read(response, TokenOutcome.longestBody, TokenOutcome.isComplete)
      const now = yield* Clock.currentTimeMillis
      const { headers, status } = response
      return TokenOutcome.interpret({ status, headers, ...read }, { scopes: request.scopes, startedAt, now })
    },
    Effect.catch(outcomeOf),
    Effect.catchDefect(outcomeOfDefect),
    Effect.provideService(HttpClient.TracerPropagationEnabled, false),
    Effect.provideService(FetchHttpClient.RequestInit, { ...requestInit, redirect: "manual" })
  )

  // A process that stands still does not know: nothing is sent without a look at the clock.
  const inTime = (until: number, effect: Effect.Effect<TokenOutcome.TokenOutcome>) =>
    Effect.flatMap(Clock.monotonicTimeNanos, (now) => (Number(now) / 1e6 < until ? effect : Effect.succeed(tooLate)))

  const attempt = (request: TokenRequest.TokenRequest, { requestTimeout, until }: Options, counter: Counter) => {
    const read = readApplication(application, requestTimeout)
    const sendNext = (by: Application) =>
      Effect.suspend(() =>
        Effect.withSpan(send(request, by), "TokenEndpoint.attempt", { attributes: { attempt: ++counter.sent } })
      )
    return Effect.gen(function* () {
      const by = yield* read
      const outcome = yield* inTime(until, sendNext(by))
      if (outcome._tag !== "InvalidClient") return outcome
      // Without a second secret the refusal stands.
      const now = yield* Effect.orElseSucceed(read, () => by)
      if (Equal.equals(now, by)) return outcome
      const again = yield* inTime(until, sendNext(now))
      return again._tag === "NotTried" ? outcome : again
    }).pipe(Effect.catch(({ reason }) => Effect.succeed<TokenOutcome.TokenOutcome>({ _tag: "NotTried", reason })))
  }

  return TokenEndpoint.of({
    request: Effect.fn("TokenEndpoint.request")(function* (request, options) {
      yield* Effect.annotateCurrentSpan("grant", request._tag)
      const { retryFor } = options
      const mayRepeat = request._tag === "ClientCredentials" ? mayBeAskedTwice : neverLeft
      const startedAt = yield* Clock.monotonicTimeNanos
      const counter = { sent: 0 }
      const outcome = yield* Effect.repeat(attempt(request, options, counter), {
        // A schedule lets one repetition pass even if it has no time.
        while: (outcome) => retryFor > 0 && mayRepeat(outcome),
        schedule: Schedule.upTo(pauses, { duration: retryFor })
      })
      yield* Effect.annotateCurrentSpan({ outcome: outcome._tag, attempts: counter.sent })
      const duration = Duration.nanos((yield* Clock.monotonicTimeNanos) - startedAt)
      const grant = { grant: request._tag }
      yield* AuthMetrics.count.tokenRequest({ ...grant, outcome: outcome._tag })
      yield* AuthMetrics.took(grant, duration)
      return outcome
    })
  })
})

/**
 * The service, over the `HttpClient` and for the client application that are provided. It is built anew wherever it is
 * provided: layers are shared by name, and two applications of a process must not share this one.
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<TokenEndpoint, never, HttpClient.HttpClient | ClientApplication> = Layer.fresh(
  Layer.effect(TokenEndpoint, make)
)
