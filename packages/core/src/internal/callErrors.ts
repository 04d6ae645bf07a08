/** Converts authentication errors to errors of a plain Effect `HttpClient`, and back. */
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { isZapierAuthError, type ZapierAuthError } from "../ZapierAuthError.ts"

/**
 * Effect's clients retry a `TransportError` and no other error without a response, so only errors that time can resolve
 * become one. The wrapped error and the caller's own request hold no credential.
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

/** Recovers the authentication error that an error carries, or returns the error itself. */
export const toCallError = <E>(error: E): E | ZapierAuthError => {
  if (!HttpClientError.isHttpClientError(error)) return error
  const { cause } = error.reason
  return isZapierAuthError(cause) ? cause : error
}
