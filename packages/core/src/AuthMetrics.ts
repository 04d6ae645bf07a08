/**
 * What is counted, with Effect's `Metric`: read it there, or export it. Nothing is labelled by subject or client.
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
 * // How many this process has had so far.
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
 * Token requests, with the labels `grant` (`AuthorizationCode`, `Refresh`, `ClientCredentials`, `TokenExchange`, `ConnectToken`) and `outcome` (as in
 * `TokenOutcome`).
 *
 * @since 0.1.0
 */
export const tokenRequests = Metric.counter("zapier_auth_token_requests", {
  description: "Token requests by kind and outcome",
  incremental: true
})

/**
 * How long token requests took, with the label `grant`.
 *
 * @since 0.1.0
 */
export const tokenRequestDuration = Metric.timer("zapier_auth_token_request_duration", {
  description: "Time between a token request and its outcome",
  boundaries: Metric.exponentialBoundaries({ start: 25, factor: 2, count: 11 })
})

/**
 * Members of token responses that are not as RFC 6749 has them, in responses that were taken all the same, with the labels
 * `grant` (as `tokenRequests` has it) and `member` (as in `TokenOutcome.Oddity`).
 *
 * @since 0.1.0
 */
export const oddities = Metric.counter("zapier_auth_oddities", {
  description: "Odd members of token responses that were taken",
  incremental: true
})

/**
 * How often a process looked whether another one is done with its token request, with the label `machine`.
 *
 * @since 0.1.0
 */
export const waits = Metric.counter("zapier_auth_waits", {
  description: "Looks at a token request of another process",
  incremental: true
})

/**
 * How often a token that another process had fetched was used instead of asking for one, with the label `machine`.
 *
 * @since 0.1.0
 */
export const adoptions = Metric.counter("zapier_auth_adoptions", {
  description: "Tokens of other processes that were used instead of asking for one",
  incremental: true
})

/**
 * Answers of the API with status 401, with the label `mode` (`User`, `WhiteLabel`, `App`, `ClientId`).
 *
 * @since 0.1.0
 */
export const unauthorized = Metric.counter("zapier_auth_unauthorized", {
  description: "Answers of the API with status 401",
  incremental: true
})

/**
 * Requests that were sent again with another token after a 401, with the label `mode`.
 *
 * @since 0.1.0
 */
export const replays = Metric.counter("zapier_auth_replays", {
  description: "Requests that were sent again with another token",
  incremental: true
})

const callOptions = { description: "Calls of the API by endpoint, mode and status class", incremental: true } as const

/**
 * Calls of the API, one for each call whatever it took, with these labels:
 *
 * - `endpoint`: a name of the endpoint table, such as `GET /v2/zaps`; all that are not in it are `other`
 * - `mode`: `User`, `WhiteLabel`, `App`, `ClientId` or `None`
 * - `status`: the class of the last response's status, `2xx` for example; `none` where no response came
 *
 * @since 0.1.0
 */
export const calls = Metric.counter("zapier_auth_calls", callOptions)

interface Labels {
  readonly [name: string]: string
}

// A metric knows its series once it has found it, which takes longer than to update it. There are few labels.
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
 * Counts one, each with its labels.
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
 * Counts one, where no effect runs.
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
 * The label of an endpoint. Paths are unbounded, so those that are not in the table share one.
 *
 * @internal
 */
export const endpointLabel = (endpoint: Endpoint.Name | undefined): string => endpoint ?? "other"

/**
 * The class of a status, `2xx` for example.
 *
 * @internal
 */
export const statusClass = (status: number): string => `${Math.trunc(status / 100)}xx`

type Series = Metric.Metric<number, unknown>

// Each call looks for its series here: it makes no text for that.
const callSeries = new Map<Endpoint.Name | undefined, { [mode in Mode]?: Array<Series> }>()

// One that is made with its attributes is found faster than one that is given them.
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
 * Counts a call, where no effect runs.
 *
 * @param status of the last response, if there was one
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
 * How long a token request has taken.
 *
 * @internal
 */
export const took = (labels: Labels, duration: Duration.Duration): Effect.Effect<void> =>
  Metric.update(durationOf(labels), duration)
