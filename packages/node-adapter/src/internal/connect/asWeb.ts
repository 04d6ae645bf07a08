/** Calls functions of apps without Effect's router, with the original `Request`. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Config from "./config.ts"

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

type AskTenant = (request: Request, subject: string) => string | PromiseLike<string>

/** White Label's options, with a function of the original request. Anything else is refused later. */
export const whiteLabel = <Given extends { readonly tenant: AskTenant } | undefined>(given: Given) => {
  if (!Predicate.isObject(given) || !Predicate.isFunction(given.tenant)) return given as undefined
  const { tenant } = given
  return {
    ...given,
    tenant: (request: HttpServerRequest.HttpServerRequest, subject: string) =>
      ask(request, (asked) => tenant(asked, subject), Config.tenantFailed)
  }
}
