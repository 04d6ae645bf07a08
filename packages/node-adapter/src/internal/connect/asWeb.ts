/** What an app that is not on Effect's router is asked: it is given the `Request` that came. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"

/** A request that came as a `Request` can be had as one. */
export const ask = <A>(
  request: HttpServerRequest.HttpServerRequest,
  how: (request: Request) => A | PromiseLike<A>,
  toError: (cause: unknown) => ZapierAuthError
): Effect.Effect<A, ZapierAuthError> =>
  Effect.tryPromise({
    try: async () => how(Result.getOrThrow(HttpServerRequest.toWebResult(request))),
    catch: toError
  })
