/** Calls functions of apps without Effect's router, with the original `Request`. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"

/** Works because the request arrived as a `Request`. */
export const ask = <A>(
  request: HttpServerRequest.HttpServerRequest,
  how: (request: Request) => A | PromiseLike<A>,
  toError: (cause: unknown) => ZapierAuthError
): Effect.Effect<A, ZapierAuthError> =>
  Effect.tryPromise({
    try: async () => how(Result.getOrThrow(HttpServerRequest.toWebResult(request))),
    catch: toError
  })
