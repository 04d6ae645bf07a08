/**
 * Turns every outcome into a response: JSON for programs, a page or redirect for browsers. The app's own response takes
 * precedence.
 */
import * as ProblemDetails from "@zapier-workflow-auth/core/ProblemDetails"
import type { Status } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import type { PartialTexts, Reader } from "../../ConnectTexts.ts"
import * as Page from "../page.ts"
import * as Failures from "./failures.ts"
import type { Outcome } from "./outcome.ts"
import * as OutcomePage from "./outcomePage.ts"
import * as Words from "./words.ts"

type Response = HttpServerResponse.HttpServerResponse

/**
 * The form of a response: data or a page, and with which texts.
 *
 * @since 0.1.0
 */
export interface Asked extends OutcomePage.Telling {
  readonly format: "json" | "page"
}

/** A request that needs a response, and the reader of that. */
export interface Asking extends Omit<Asked, "texts"> {
  readonly reader: Omit<Reader, "page">
}

/** Makes the app's own response to an outcome; `undefined` for the default one. */
export type Respond<R> = (outcome: Outcome, asked: Asked) => Effect.Effect<Response | undefined, never, R>

/** Determines the form of the response: data for programs, a page for browsers. */
export const askedBy = (request: HttpServerRequest): Asking => {
  const accept = request.headers["accept"] ?? ""
  return {
    format: accept.includes("application/json") && !accept.includes("text/html") ? "json" : "page",
    // Connecting always begins with a link.
    action: request.method === "POST" ? "Disconnect" : "Connect",
    reader: Words.readerOf(request)
  }
}

const statusOf = (outcome: Outcome): number => {
  switch (outcome._tag) {
    case "Connected":
    case "AppConnected":
    case "ScopesMissing":
    case "Disconnected":
    case "Status":
    case "Unconfirmed":
      return 200
    case "SignedOut":
      return 401
    case "Refused":
      return outcome.why === "OtherSite" ? 403 : 400
    case "StillConnected":
      return OutcomePage.isHarmless(outcome.error.reason) ? 200 : outcome.error.reason.httpStatus
    case "Failed":
      return outcome.error.reason.httpStatus
  }
}

const statusData = (status: Status) => ({
  ...status,
  connected: status._tag === "Active" || status._tag === "Refreshing",
  needsReconnect: status._tag === "ReconnectRequired"
})

const dataOf = (outcome: Outcome, asked: Asked): object => {
  const message = OutcomePage.messageOf(outcome, asked)
  switch (outcome._tag) {
    case "Connected":
    case "Status":
      return statusData(outcome.status)
    case "AppConnected":
      return { connection: outcome.connection }
    case "ScopesMissing":
      return { ...statusData(outcome.status), missingScopes: outcome.missing }
    case "Disconnected":
      return { wasConnected: outcome.wasConnected, revocation: outcome.revocation }
    case "SignedOut":
      return { error: "SignedOut", message, signIn: outcome.signIn }
    case "Refused":
    case "Unconfirmed":
      return { error: outcome._tag, message }
    case "StillConnected": {
      const { isRetryable, reason } = outcome.error
      return { ...statusData(outcome.status), error: reason._tag, message, isRetryable }
    }
    case "Failed": {
      const { isRetryable, needsReconnect, reason } = outcome.error
      return { error: reason._tag, message, isRetryable, needsReconnect }
    }
  }
}

const bodyOf = (outcome: Outcome, asked: Asked): Response => {
  const status = statusOf(outcome)
  const isJson = asked.format === "json" || outcome._tag === "Status"
  if (isJson) return HttpServerResponse.jsonUnsafe(dataOf(outcome, asked), { status })
  const isSuccess = outcome._tag === "Connected" || outcome._tag === "AppConnected"
  const page = isSuccess && outcome.popup === undefined ? undefined : OutcomePage.make(outcome, asked)
  return page === undefined
    ? HttpServerResponse.redirect(outcome.returnTo, { status: 303 })
    : Page.respond(status, page)
}

/** Makes the default response. */
export const respond = (outcome: Outcome, asked: Asked): Response => {
  const seconds = "error" in outcome ? ProblemDetails.retryAfter(outcome.error.reason) : undefined
  const response = bodyOf(outcome, asked)
  return seconds === undefined ? response : HttpServerResponse.setHeader(response, "Retry-After", `${seconds}`)
}

const isResponse = (given: unknown): given is Response | undefined =>
  given === undefined || HttpServerResponse.isHttpServerResponse(given)

const call = ["respond", "respond"] as const

// A JavaScript program may return anything, or throw; the user still gets the default response.
const ownResponse = <R>(
  own: Respond<R>,
  outcome: Outcome,
  asked: Asked
): Effect.Effect<Response | undefined, never, R> =>
  Failures.ofApp(...call, () => own(outcome, asked)).pipe(
    Effect.filterOrFail(isResponse, (given) => Failures.useless(...call, given, "an HttpServerResponse")),
    Effect.catch((error) => Effect.as(Effect.logError(error.message), undefined))
  )

// If the app's texts cannot be loaded, the user gets English ones, and the error is logged.
const textsOf = (outcome: Outcome, asking: Asking, find: Words.Find): Effect.Effect<PartialTexts> => {
  const page = OutcomePage.nameOf(outcome, asking)
  if (page === undefined) return Effect.succeed({})
  const found = find({ ...asking.reader, page })
  return Result.isSuccess(found) ? Effect.succeed(found.success) : Effect.as(Effect.logError(found.failure.message), {})
}

/** Makes the response, the app's or the default one, with headers that prevent caching and embedding. */
export const make =
  <R>(own: Respond<R> | undefined, find: Words.Find) =>
  (outcome: Outcome, asking: Asking): Effect.Effect<Response, never, R> =>
    Effect.flatMap(textsOf(outcome, asking, find), (texts) => {
      const asked: Asked = { format: asking.format, action: asking.action, texts }
      return Effect.map(own === undefined ? Effect.undefined : ownResponse(own, outcome, asked), (response) =>
        HttpServerResponse.setHeaders(response ?? respond(outcome, asked), Page.guards)
      )
    })
