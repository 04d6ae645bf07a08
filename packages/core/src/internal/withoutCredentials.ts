/**
 * Removes credentials from the outcome of a request.
 *
 * Effect's errors and responses keep the request with its `Authorization` header; a token request also has secrets in its
 * body. Callers and tracers get the original request instead.
 */
import * as Cause from "effect/Cause"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Predicate from "effect/Predicate"
import * as Defects from "./defects.ts"
import * as OwnResponse from "./ownResponse.ts"
import { shows } from "./shows.ts"

type Request = HttpClientRequest.HttpClientRequest

/** A request before its credentials were added, and as it was sent. */
export interface Sending {
  readonly original: Request
  readonly sent: Request
}

// Parameters of token requests (RFC 6749 section 2.3.1, RFC 7636 section 4.5).
const secretParameters = ["client_secret", "code", "code_verifier", "refresh_token"]

const isNotEmpty = (text: string | null): text is string => text !== null && text !== ""

const secretsOf = ({ body, headers }: Request): ReadonlyArray<string> => {
  const authorization = headers["authorization"] ?? ""
  const form =
    body._tag === "Uint8Array" && body.contentType === "application/x-www-form-urlencoded"
      ? new URLSearchParams(new TextDecoder().decode(body.body))
      : new URLSearchParams()
  const secrets = [
    authorization.slice(authorization.indexOf(" ") + 1),
    ...secretParameters.map((name) => form.get(name))
  ].filter(isNotEmpty)
  return [...new Set(secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]))]
}

// The caller may have added a credential too.
const bare = (request: Request): Request =>
  request.headers["authorization"] === undefined ? request : HttpClientRequest.removeHeader(request, "authorization")

// Keep the name and code only.
const withheld = (cause: unknown): Error => {
  const error = new Error("withheld, because it held a credential")
  error.name = Defects.nameOf(cause)
  delete error.stack
  return Predicate.hasProperty(cause, "code") && typeof cause.code === "string"
    ? Object.assign(error, { code: cause.code })
    : error
}

const harmless = (cause: unknown, secrets: ReadonlyArray<string>): unknown =>
  shows(cause, secrets) ? withheld(cause) : cause

const own = (
  { reason }: HttpClientError.HttpClientError,
  request: Request,
  secrets: ReadonlyArray<string>,
  toOwn: (response: HttpClientResponse) => HttpClientResponse
): HttpClientError.HttpClientError => {
  const { description } = reason
  const common = {
    request,
    ...(reason.cause === undefined ? {} : { cause: harmless(reason.cause, secrets) }),
    ...(description === undefined || shows(description, secrets) ? {} : { description })
  }
  const made = (): HttpClientError.HttpClientErrorReason => {
    switch (reason._tag) {
      case "TransportError":
        return new HttpClientError.TransportError(common)
      case "EncodeError":
        return new HttpClientError.EncodeError(common)
      case "InvalidUrlError":
        return new HttpClientError.InvalidUrlError(common)
      case "StatusCodeError":
        return new HttpClientError.StatusCodeError({ ...common, response: toOwn(reason.response) })
      case "DecodeError":
        return new HttpClientError.DecodeError({ ...common, response: toOwn(reason.response) })
      case "EmptyBodyError":
        return new HttpClientError.EmptyBodyError({ ...common, response: toOwn(reason.response) })
    }
  }
  return new HttpClientError.HttpClientError({ reason: made() })
}

const ofBody: OwnResponse.ToOwn<Sending> = (error, { sent }, response) =>
  own(error, response.request, secretsOf(sent), () => response)

/** Replaces the request of a response, and of errors when its body is read, by the original one. */
export const response = (given: HttpClientResponse, sending: Sending): HttpClientResponse =>
  OwnResponse.make(given, bare(sending.original), sending, ofBody)

const error = (given: unknown, sending: Sending): unknown => {
  const secrets = secretsOf(sending.sent)
  return HttpClientError.isHttpClientError(given)
    ? own(given, bare(sending.original), secrets, (theirs) => response(theirs, sending))
    : harmless(given, secrets)
}

/** Replaces the request in a cause's errors and defects by the original one. */
export const cause = <E>(cause: Cause.Cause<E>, sending: Sending): Cause.Cause<E> =>
  Cause.fromReasons(
    cause.reasons.map((reason) => {
      switch (reason._tag) {
        case "Fail":
          // Types only know `HttpClientError`, which stays one.
          return Cause.makeFailReason(error(reason.error, sending) as E).annotate(Cause.reasonAnnotations(reason))
        case "Die":
          return Cause.makeDieReason(error(reason.defect, sending)).annotate(Cause.reasonAnnotations(reason))
        case "Interrupt":
          return reason
      }
    })
  )
