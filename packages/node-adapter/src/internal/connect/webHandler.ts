/** Turns routes into a function from `Request` to `Response` that responds even if they could not be built. */
import { Closed, InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Lifetime } from "../lifetime.ts"

type App<E> = Effect.Effect<HttpServerResponse.HttpServerResponse, E, HttpServerRequest.HttpServerRequest | Scope.Scope>

/** Responds to a request. The context is for this request only. */
export type Handle = (request: Request, context?: Context.Context<never>) => Promise<Response>

export const handleOf = <E>(app: App<E>): Handle => HttpEffect.toWebHandler(app)

/**
 * @param handleOf makes a handler from what was started
 * @param unavailable makes the response if the start failed, or after closing
 */
export const make = <A>(
  lifetime: Lifetime<A, ZapierAuthError>,
  handleOf: (started: A) => Effect.Effect<Handle, ZapierAuthError>,
  unavailable: (request: HttpServerRequest.HttpServerRequest, error: ZapierAuthError) => App<never>
): Handle => {
  const refuse = (error: ZapierAuthError) =>
    HttpEffect.toWebHandler(
      Effect.andThen(
        Effect.logError(error.message),
        Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => unavailable(request, error))
      )
    )

  return async (request, context) => {
    const exit = await lifetime.use((started) =>
      Effect.flatMap(handleOf(started), (handle) => Effect.promise(() => handle(request, context)))
    )
    if (Option.isNone(exit)) return refuse(ZapierAuthError.make(new Closed({})))(request)
    if (Exit.isSuccess(exit.value)) return exit.value.value
    const error = Option.getOrElse(Cause.findErrorOption(exit.value.cause), () =>
      ZapierAuthError.make(new InvalidConfig({ setting: "zapier", problem: "a layer threw while it was built" }))
    )
    return refuse(error)(request)
  }
}
