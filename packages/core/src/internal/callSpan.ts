/** The span of an API call: credential, endpoint and outcome. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as AuthMetrics from "../AuthMetrics.ts"
import type { Credential } from "../zapier/Credential.ts"
import type { ZapierAuthError } from "../ZapierAuthError.ts"
import type { Target } from "./target.ts"
import * as OwnSpan from "./ownSpan.ts"

type Outcome = Exit.Exit<HttpClientResponse, HttpClientError | ZapierAuthError>

const errorOf = (outcome: Outcome) =>
  Exit.isSuccess(outcome) ? undefined : Option.getOrUndefined(Cause.findErrorOption(outcome.cause))

/** The status of the last response, if any. */
export const statusOf = (outcome: Outcome): number | undefined => {
  if (Exit.isSuccess(outcome)) return outcome.value.status
  const error = errorOf(outcome)
  return error?._tag === "HttpClientError" ? error.response?.status : undefined
}

const nameOf = (outcome: Outcome): string => {
  const status = statusOf(outcome)
  if (status !== undefined) return AuthMetrics.statusClass(status)
  const error = errorOf(outcome)
  if (error !== undefined) return error.reason._tag
  return Exit.hasInterrupts(outcome) ? "Interrupted" : "Defect"
}

/** Runs a call in a span that contains those of its requests. */
export const around = <A extends HttpClientResponse, E extends HttpClientError | ZapierAuthError>(
  { endpoint }: Target,
  mode: Credential["_tag"],
  call: () => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.useSpan(
    "ZapierHttpClient.call",
    { attributes: { mode, endpoint: AuthMetrics.endpointLabel(endpoint) } },
    (span) =>
      Effect.onExit(Effect.withParentSpan(Effect.suspend(call), span, OwnSpan.withoutStack), (outcome) =>
        Effect.sync(() => span.attribute("outcome", nameOf(outcome)))
      )
  )
