/** Routes as a function from a `Request` to a `Response`, which answers whether they could be built or not. */
import { Closed, InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Lifetime from "../lifetime.ts"

type Answer<E> = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  E,
  HttpServerRequest.HttpServerRequest | Scope.Scope
>

export const make = <E>(
  routes: Effect.Effect<{ readonly app: Answer<E>; readonly patience: number }, ZapierAuthError, Scope.Scope>,
  unavailable: (request: HttpServerRequest.HttpServerRequest, error: ZapierAuthError) => Answer<never>
) => {
  const lifetime = Lifetime.make(
    Effect.map(routes, ({ app, patience }) => ({ handle: HttpEffect.toWebHandler(app), patience })),
    ({ patience }) => patience
  )

  const refuse = (error: ZapierAuthError) =>
    HttpEffect.toWebHandler(
      Effect.andThen(
        Effect.logError(error.message),
        Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => unavailable(request, error))
      )
    )

  return {
    handler: async (request: Request): Promise<Response> => {
      const exit = await lifetime.use(({ handle }) => Effect.promise(() => handle(request)))
      if (Option.isNone(exit)) return refuse(ZapierAuthError.make(new Closed({})))(request)
      if (Exit.isSuccess(exit.value)) return exit.value.value
      const error = Option.getOrElse(Cause.findErrorOption(exit.value.cause), () =>
        ZapierAuthError.make(new InvalidConfig({ setting: "zapier", problem: "the layer threw when it was built" }))
      )
      return refuse(error)(request)
    },
    dispose: lifetime.close
  }
}
