/** What goes wrong with an authorized request, as a plain `HttpClient` of Effect says it. */
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { isZapierAuthError, type ZapierAuthError } from "../ZapierAuthError.ts"

/**
 * Effect's clients retry a `TransportError` and nothing else that has no response, so that only what time can mend is one.
 * The error that is carried holds no credential, and the request is the caller's own, without one.
 */
export const toHttpClientError = (
  error: ZapierAuthError,
  request: HttpClientRequest.HttpClientRequest
): HttpClientError.HttpClientError => {
  const given = {
    request: HttpClientRequest.removeHeader(request, "authorization"),
    cause: error,
    description: error.message
  }
  const reason = error.isRetryable ? new HttpClientError.TransportError(given) : new HttpClientError.EncodeError(given)
  return new HttpClientError.HttpClientError({ reason })
}

/** The error of authentication that an error carries, or the error itself. */
export const toCallError = <E>(error: E): E | ZapierAuthError => {
  if (!HttpClientError.isHttpClientError(error)) return error
  const { cause } = error.reason
  return isZapierAuthError(cause) ? cause : error
}
