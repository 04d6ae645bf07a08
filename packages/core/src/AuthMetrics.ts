/**
 * The metrics of this library, as Effect's `Metric`: read or export them with Effect. No label names a subject or client.
 *
 * @example
 * ```ts
 * import * as AuthMetrics from "@zapier-workflow-auth/core/AuthMetrics"
 * import * as Effect from "effect/Effect"
 * import * as Metric from "effect/Metric"
 *
 * const refreshed = Metric.value(
 *   Metric.withAttributes(AuthMetrics.tokenRequests, { grant: "Refresh", outcome: "Granted" })
 * )
 *
 * // How many refreshes this process has made so far.
 * console.log(Effect.runSync(refreshed).count)
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Credential } from "./zapier/Credential.ts"
import type * as Endpoint from "./zapier/Endpoint.ts"

/**
 * Counts token requests. Labels: `grant` (`AuthorizationCode`, `Refresh`, `ClientCredentials`, `TokenExchange`,
 * `ConnectToken`) and `outcome` (as in `TokenOutcome`).
 *
 * @since 0.1.0
 */
export const tokenRequests = Metric.counter("zapier_auth_token_requests", {
  description: "Token requests by kind and outcome",
  incremental: true
})

/**
/**
 * The duration of token requests. Label: `grant`.
 *
 * @since 0.1.0
 */
export const tokenRequestDuration = Metric.timer("zapier_auth_token_request_duration", {
  description: "Time between a token request and its outcome",
  boundaries: Metric.exponentialBoundaries({ start: 25, factor: 2, count: 11 })
})

/**
 * Counts odd members in accepted token responses. Labels: `grant` (as in `tokenRequests`) and `member` (as in
 * `TokenOutcome.Oddity`).
 *
 * @since 0.1.0
 */
export const oddities = Metric.counter("zapier_auth_oddities", {
  description: "Odd members of accepted token responses",
  incremental: true
})

/**
 * Counts how often a process polled the record for another's token request. Label: `machine`.
 *
 * @since 0.1.0
 */
export const waits = Metric.counter("zapier_auth_waits", {
  description: "Polls of the record during another process's token request",
  incremental: true
})

/**
 * Counts tokens that another process had fetched and that were used instead of a new one. Label: `machine`.
 *
 * @since 0.1.0
 */
export const adoptions = Metric.counter("zapier_auth_adoptions", {
  description: "Tokens of other processes that were used instead of a new one",
  incremental: true
})

/**
 * Counts API responses with status 401. Label: `mode` (`User`, `WhiteLabel`, `App`, `ClientId`).
 *
 * @since 0.1.0
 */
export const unauthorized = Metric.counter("zapier_auth_unauthorized", {
  description: "API responses with status 401",
  incremental: true
})

/**
 * Counts requests that were repeated with another token after a 401. Label: `mode`.
 *
 * @since 0.1.0
 */
export const replays = Metric.counter("zapier_auth_replays", {
  description: "Requests that were repeated with another token",
  incremental: true
})

const callOptions = { description: "API calls by endpoint, mode and status class", incremental: true } as const

/**
 * Counts API calls. A call counts once, however many requests it takes. Labels:
 *
 * - `endpoint`: a name of the endpoint table, such as `GET /v2/zaps`; `other` for all that are not in it
 * - `mode`: `User`, `WhiteLabel`, `App`, `ClientId` or `None`
 * - `status`: the class of the last response's status, for example `2xx`; `none` without a response
 *
 * @since 0.1.0
 */
export const calls = Metric.counter("zapier_auth_calls", callOptions)

interface Labels {
  readonly [name: string]: string
}

// Cached, because finding a series takes longer than updating it. There are few labels.
const labelled = <Input, State>(metric: Metric.Metric<Input, State>) => {
  const known = new Map<string, Metric.Metric<Input, State>>()
  return (labels: Labels): Metric.Metric<Input, State> => {
    const key = Object.values(labels).join()
    const found = known.get(key)
    if (found !== undefined) return found
    const made = Metric.withAttributes(metric, labels)
    known.set(key, made)
    return made
  }
}

const labelledWaits = labelled(waits)
const labelledAdoptions = labelled(adoptions)

const counter = (metric: Metric.Metric<number, unknown>) => {
  const of = labelled(metric)
  return (labels: Labels): Effect.Effect<void> => Metric.update(of(labels), 1)
}

const durationOf = labelled(tokenRequestDuration)

/**
 * Increments a counter, with labels.
 *
 * @internal
 */
export const count = {
  tokenRequest: counter(tokenRequests),
  oddity: counter(oddities),
  unauthorized: counter(unauthorized),
  replay: counter(replays)
}

/**
 * Increments a counter outside of an effect.
 *
 * @internal
 */
export const countUnsafe = {
  wait: (labels: Labels, context: Context.Context<never>): void => labelledWaits(labels).updateUnsafe(1, context),
  adoption: (labels: Labels, context: Context.Context<never>): void =>
    labelledAdoptions(labels).updateUnsafe(1, context)
}

/**
 * How a call is authorized.
 *
 * @internal
 */
export type Mode = Credential["_tag"]

/**
 * The label of an endpoint. Unknown ones share a label, because paths are unbounded.
 *
 * @internal
 */
export const endpointLabel = (endpoint: Endpoint.Name | undefined): string => endpoint ?? "other"

/**
 * The class of a status, for example `2xx`.
 *
 * @internal
 */
export const statusClass = (status: number): string => `${Math.trunc(status / 100)}xx`

type Series = Metric.Metric<number, unknown>

// Nested maps, so that a call allocates no key.
const callSeries = new Map<Endpoint.Name | undefined, { [mode in Mode]?: Array<Series> }>()

// Effect finds a series faster if its attributes are given at creation.
const makeCallSeries = (mode: Mode, endpoint: Endpoint.Name | undefined, status: number | undefined): Series =>
  Metric.counter(calls.id, {
    ...callOptions,
    attributes: {
      endpoint: endpointLabel(endpoint),
      mode,
      status: status === undefined ? "none" : statusClass(status)
    }
  })

/**
 * Counts a call outside of an effect.
 *
 * @param status that of the last response, if any
 *
 * @internal
 */
export const countCall = (
  mode: Mode,
  endpoint: Endpoint.Name | undefined,
  status: number | undefined,
  context: Context.Context<never>
): void => {
  let modes = callSeries.get(endpoint)
  if (modes === undefined) callSeries.set(endpoint, (modes = {}))
  const series = ((modes[mode] ??= [])[status === undefined ? 0 : Math.trunc(status / 100)] ??= makeCallSeries(
    mode,
    endpoint,
    status
  ))
  series.updateUnsafe(1, context)
}

/**
 * Records the duration of a token request.
 *
 * @internal
 */
export const took = (labels: Labels, duration: Duration.Duration): Effect.Effect<void> =>
  Metric.update(durationOf(labels), duration)
