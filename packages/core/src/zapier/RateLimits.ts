/**
 * Delays API calls to stay within Zapier's rate limits: 60 requests a minute for an address, 150 for a partner.
 *
 * Off by default. `ZapierNode.layer({ rateLimits: true })` sets up both layers. Put `layer` between `ZapierHttpClient` and
 * its `HttpClient`, but not below `TokenEndpoint`: a delayed token request would outlive its lease. There,
 * `layerTokenRequests` counts requests without delaying them, because Zapier may count them too.
 *
 * After a 429 the next request waits as long as `Retry-After` says, or for the documented cool-down of a minute. The 429
 * itself is returned to the caller, as without this module. Use `Effect.timeout` to limit the wait.
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
 * The limits, and the address from which requests are sent.
 *
 * @since 0.1.0
 */
export interface Options {
  /**
   * Names this process's public address, if several machines share the limiter's store. Machines behind one address use the
   * same name. Default: `default`.
   */
  readonly address?: string | undefined
  /** Requests a minute for an address. Default: 60, as documented. */
  readonly perAddress?: number | undefined
  /** Requests a minute for a partner. Default: 150, as documented. */
  readonly perPartner?: number | undefined
}

// Only `Retry-After` is used: Zapier does not say from when `X-RateLimit-Reset` counts.
const responseHeaders = { reset: "-", resetAfter: "-" }

type ClientResponse = HttpClientResponse.HttpClientResponse

/**
 * Replaces each 429 for Effect's limiter, which parses `Retry-After` differently, by a stand-in with the pause in seconds.
 * `restore` returns the original to the caller.
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
 * The time that requests were delayed. Label: `limit` (`address`, `partner`). Requests without delay are not counted.
 *
 * @since 0.1.0
 */
export const waits = Metric.timer("zapier_auth_rate_limit_waits", {
  description: "Time that an API request was delayed by a rate limit",
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

/** The two limits. */
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
 * Provides an `HttpClient` that delays requests, based on another one and Effect's `RateLimiter`.
 *
 * If the limiter's store fails, requests fail with a `TransportError`, and nothing is sent.
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
        // Zapier's headers do not name their limit, so the narrower one uses them.
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
 * Provides an `HttpClient` for `TokenEndpoint` that counts requests towards the limits of `layer` without delaying them.
 *
 * Zapier does not say if token requests count, so API calls leave room for them.
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
      // A failing limiter must neither stop nor delay a token request.
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
