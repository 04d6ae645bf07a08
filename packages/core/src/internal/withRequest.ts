/** Gives an error of an `HttpClient` the request that its caller knows. */
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"

const described = ({ description }: { readonly description?: string | undefined }) =>
  description === undefined ? {} : { description }

const ofResponse = (reason: HttpClientError.ResponseError, request: HttpClientRequest) => ({
  ...described(reason),
  request,
  response: reason.response,
  ...(reason.cause === undefined ? {} : { cause: reason.cause })
})

const reasonWith = (reason: HttpClientError.HttpClientErrorReason, request: HttpClientRequest) => {
  switch (reason._tag) {
    case "TransportError":
      return new HttpClientError.TransportError({ ...described(reason), request, cause: reason.cause })
    case "EncodeError":
      return new HttpClientError.EncodeError({ ...described(reason), request, cause: reason.cause })
    case "InvalidUrlError":
      return new HttpClientError.InvalidUrlError({ ...described(reason), request, cause: reason.cause })
    case "StatusCodeError":
      return new HttpClientError.StatusCodeError(ofResponse(reason, request))
    case "DecodeError":
      return new HttpClientError.DecodeError(ofResponse(reason, request))
    case "EmptyBodyError":
      return new HttpClientError.EmptyBodyError(ofResponse(reason, request))
  }
}

/**
 * The same error with another request. Errors carry the request that was sent, which has a token in its headers: the
 * caller's own has not. What is no `HttpClientError` after all stays as it is.
 */
export const withRequest = (
  error: HttpClientError.HttpClientError,
  request: HttpClientRequest
): HttpClientError.HttpClientError =>
  HttpClientError.isHttpClientError(error)
    ? new HttpClientError.HttpClientError({ reason: reasonWith(error.reason, request) })
    : error
