/**
 * Keeps API calls within Zapier's rate limits by letting them wait for their turn: 60 requests a minute for an address
 * and 150 for a partner. Off unless it is asked for.
 *
 * `layer` goes between `ZapierHttpClient` and its `HttpClient`, and not below `TokenEndpoint`: a token request that waited for
 * its turn would outlive its lease. There, `layerTokenRequests` counts it, as Zapier may. `ZapierNode.layer({ rateLimits: true
 * })` wires both. After a 429 the next request waits for as long as its `Retry-After` says, read as token
 * requests do, or for the documented cool-down of a minute; the 429 itself is returned to the caller, as it is without this
 * module. A caller who does not want to wait that long
 * says so with `Effect.timeout`.
 *
 * Source: Zapier's "Rate limiting" page of the Workflow API.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { ClientApplication } from "../oauth/ClientApplication.ts"
import * as TokenOutcome from "../oauth/TokenOutcome.ts"
import { InvalidConfig, ZapierAuthError } from "../ZapierAuthError.ts"

/**
 * Which limits hold, and from where requests are sent.
 *
 * @since 0.1.0
 */
export interface Options {
  /**
   * Names the address from which this process reaches Zapier, for limiters whose store is shared by several machines:
   * machines behind one address have the same. Default: `default`.
   */
  readonly address?: string | undefined
  /** Requests a minute for an address. Default: 60, as documented. */
  readonly perAddress?: number | undefined
  /** Requests a minute for a partner. Default: 150, as documented. */
  readonly perPartner?: number | undefined
}

// `Retry-After` alone says how long to pause: it is not known what Zapier's `X-RateLimit-Reset` counts from.
const responseHeaders = { reset: "-", resetAfter: "-" }

type ClientResponse = HttpClientResponse.HttpClientResponse

/**
 * Effect's limiter reads `Retry-After` by rules of its own. It is given a stand-in for each 429, which says how long to
 * pause in seconds, and the caller gets what the stand-in stands for.
 */
const makeStandIns = () => {
  const outcomes = new WeakMap<ClientResponse, Effect.Effect<ClientResponse, HttpClientError.HttpClientError>>()

  const standInFor = (
    request: HttpClientRequest,
    response: ClientResponse | undefined,
    outcome: Effect.Effect<ClientResponse, HttpClientError.HttpClientError>
  ) =>
    response?.status === 429
      ? Effect.map(Clock.currentTimeMillis, (now) => {
          const pause = TokenOutcome.retryAfter(response.headers, now) ?? TokenOutcome.coolDown
          const limit = Number(response.headers["x-ratelimit-limit"])
          const headers = {
            "retry-after": `${Math.ceil(pause / 1_000)}`,
            ...(limit > 0 ? { "x-ratelimit-limit": `${limit}` } : {})
          }
          const standIn = HttpClientResponse.fromWeb(request, new Response(null, { status: 429, headers }))
          outcomes.set(standIn, outcome)
          return standIn
        })
      : outcome

  return {
    replace: HttpClient.transform<HttpClientError.HttpClientError, never, HttpClientError.HttpClientError, never>(
      (effect, request) =>
        Effect.matchEffect(effect, {
          onFailure: (error) => standInFor(request, error.response, Effect.fail(error)),
          onSuccess: (response) => standInFor(request, response, Effect.succeed(response))
        })
    ),
    restore: (response: ClientResponse) => outcomes.get(response) ?? Effect.succeed(response)
  }
}

/**
 * How long requests have waited for their turn, with the label `limit` (`address`, `partner`); those that did not wait are not
 * in it.
 *
 * @since 0.1.0
 */
export const waits = Metric.timer("zapier_auth_rate_limit_waits", {
  description: "Time that a request to the API waited for its turn",
  boundaries: Metric.exponentialBoundaries({ start: 250, factor: 2, count: 10 })
})

const waited = (limit: "address" | "partner", delay: Duration.Duration) =>
  Duration.isZero(delay) ? Effect.void : Metric.update(Metric.withAttributes(waits, { limit }), delay)

const measured = (limiter: RateLimiter.RateLimiter, limit: "address" | "partner"): RateLimiter.RateLimiter => ({
  ...limiter,
  consume: (options) => Effect.tap(limiter.consume(options), ({ delay }) => waited(limit, delay))
})

const limitOf = (given: number | undefined, setting: "perAddress" | "perPartner", documented: number) => {
  const limit = given ?? documented
  return Number.isSafeInteger(limit) && limit > 0
    ? Effect.succeed(limit)
    : Effect.fail(
        ZapierAuthError.make(
          new InvalidConfig({ setting: `rateLimits.${setting}`, problem: "give a whole number of at least 1" })
        )
      )
}

const window = "1 minute"

/** The two limits, the wider one first. */
const limitsOf = Effect.fnUntraced(function* (options: Options) {
  const { clientId } = yield* (yield* ClientApplication).get
  const perPartner = yield* limitOf(options.perPartner, "perPartner", 150)
  const perAddress = yield* limitOf(options.perAddress, "perAddress", 60)
  return {
    partner: { limit: perPartner, key: `zapier-workflow-auth/partner/${clientId}`, window },
    address: { limit: perAddress, key: `zapier-workflow-auth/address/${options.address ?? "default"}`, window }
  } as const
})

/**
 * An `HttpClient` whose requests wait for their turn, out of another and Effect's `RateLimiter`. Should the limiter's
 * store fail, requests fail with a `TransportError`, and nothing is sent.
 *
 * @example
 * ```ts
 * import * as RateLimiter from "effect/persistence/RateLimiter"
 * import * as Layer from "effect/Layer"
 * import * as RateLimits from "@zapier-workflow-auth/core/zapier/RateLimits"
 * import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
 *
 * ZapierHttpClient.layer().pipe(
 *   Layer.provide(RateLimits.layer()),
 *   Layer.provide(RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)))
 * )
 * ```
 *
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<
  HttpClient.HttpClient,
  ZapierAuthError,
  HttpClient.HttpClient | RateLimiter.RateLimiter | ClientApplication
> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const limiter = yield* RateLimiter.RateLimiter
      const { address, partner } = yield* limitsOf(options)
      const shared = { times: 0, responseHeaders } as const
      const standIns = makeStandIns()
      const limited = client.pipe(
        standIns.replace,
        // Zapier's headers do not say of which limit they speak; the narrower one heeds them.
        HttpClient.withRateLimiter({ ...shared, ...address, limiter: measured(limiter, "address") }),
        HttpClient.withRateLimiter({
          ...shared,
          ...partner,
          limiter: measured(limiter, "partner"),
          disableResponseInspection: true,
          disableAdaptiveLearning: true
        })
      )
      return HttpClient.makeWith<never, never, HttpClientError.HttpClientError, never>(
        Effect.flatMap((request) =>
          Effect.mapError(Effect.flatMap(limited.execute(request), standIns.restore), (error) => {
            if (error._tag === "HttpClientError") return error
            const description = "the rate limiter's store failed, and the request was not sent"
            const reason = new HttpClientError.TransportError({ request, description })
            return new HttpClientError.HttpClientError({ reason })
          })
        ),
        Effect.succeed
      )
    })
  )

/**
 * An `HttpClient` whose requests are counted by the limits of `layer`, and wait for nothing: for `TokenEndpoint`. Zapier does
 * not say whether token requests count; calls leave room for them.
 *
 * @since 0.1.0
 */
export const layerTokenRequests = (
  options: Options = {}
): Layer.Layer<
  HttpClient.HttpClient,
  ZapierAuthError,
  HttpClient.HttpClient | RateLimiter.RateLimiter | ClientApplication
> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const limiter = yield* RateLimiter.RateLimiter
      const { address, partner } = yield* limitsOf(options)
      // A limiter whose store fails stops no token request, and does not hold it up either.
      const counted = Effect.forEach(
        [address, partner],
        (limit) => limiter.consume({ ...limit, onExceeded: "delay" }),
        {
          discard: true
        }
      ).pipe(Effect.timeout("1 second"), Effect.ignoreCause)
      return HttpClient.transform(client, (effect) =>
        Effect.andThen(Effect.forkDetach(counted, { startImmediately: true }), effect)
      )
    })
  )
