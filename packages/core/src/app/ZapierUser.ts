/**
 * Gives the handlers of an `HttpRouter` or `HttpApi` access to Zapier for the current user.
 *
 * The middleware asks the app for the current user, checks that the granted scopes allow the route's calls, provides the
 * user's typed client (`ZapierApiClient`) to the handler, and responds to errors with problem details (`ZapierProblem`).
 * Errors that the app's owner can fix are logged instead of shown to clients.
 *
 * @example
 * ```ts
 * import * as ZapierProblem from "@zapier-workflow-auth/core/app/ZapierProblem"
 * import * as ZapierUser from "@zapier-workflow-auth/core/app/ZapierUser"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
 * import * as Schema from "effect/Schema"
 *
 * // The app's own service: the signed-in user. The app's own middleware provides it.
 * class CurrentUser extends Context.Service<CurrentUser, { readonly id: string }>()("acme/CurrentUser") {}
 *
 * class Zapier extends HttpApiMiddleware.Service<
 *   Zapier,
 *   { provides: ZapierUser.ZapierUser; requires: CurrentUser }
 * >()("acme/Zapier", { error: ZapierProblem.errors }) {}
 *
 * // The endpoint's calls to Zapier.
 * HttpApiEndpoint.get("zaps", "/zaps", { success: Schema.Unknown })
 *   .annotate(ZapierUser.Calls, ["GET /v2/zaps"])
 *   .middleware(Zapier)
 *
 * ZapierUser.layerMiddleware(
 *   Zapier,
 *   Effect.map(CurrentUser, ({ id }) => id)
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import { toCallError } from "../internal/callErrors.ts"
import type * as Scopes from "../oauth/Scopes.ts"
import * as Credential from "../zapier/Credential.ts"
import * as Endpoint from "../zapier/Endpoint.ts"
import { ZapierAuth } from "../ZapierAuth.ts"
import { InsufficientScope, isZapierAuthError, ZapierAuthError } from "../ZapierAuthError.ts"
import { type CallError, toHttpClient, ZapierHttpClient } from "../ZapierHttpClient.ts"
import * as ZapierApiClient from "../zapier/ZapierApiClient.ts"
import * as ZapierProblem from "./ZapierProblem.ts"

/**
 * The user of the current request, with clients that act for that user.
 *
 * @since 0.1.0
 */
export class ZapierUser extends Context.Service<
  ZapierUser,
  {
    /** The app's own id of the user. */
    readonly subject: string
    /** The typed client, bound to the user: `zaps.list()`. */
    readonly api: ZapierApiClient.UserClient
    /** The user's credential, for `ZapierHttpClient.call`. */
    readonly credential: Credential.User
    /** Picks each request's credential from the endpoint table: `ZapierHttpClient.forUser`. */
    readonly client: HttpClient.HttpClient.With<CallError>
    /**
     * An Effect `HttpClient` that sends each request for the user, for `HttpApiClient.makeWith` and generated clients. Its
     * errors are those of `ZapierHttpClient.layerHttpClient`.
     */
    readonly httpClient: HttpClient.HttpClient
  }
>()("@zapier-workflow-auth/core/app/ZapierUser") {}

/**
 * Makes the service for a user, with all its clients.
 *
 * @since 0.1.0
 */
export const make = (
  zapier: ZapierHttpClient["Service"],
  api: ZapierApiClient.Client,
  subject: string
): ZapierUser["Service"] => {
  const credential = Credential.user(subject)
  return {
    subject,
    api: ZapierApiClient.forUser(api, subject),
    credential,
    client: zapier.forUser(subject),
    httpClient: toHttpClient(zapier.as(credential))
  }
}

/**
 * Annotates an endpoint, or a group as default, with the Zapier endpoints that it calls.
 *
 * If the user has not granted the required scopes, the response is 403, or 409 if the user must connect, and the handler does
 * not run.
 *
 * @since 0.1.0
 */
export const Calls = Context.Reference<ReadonlyArray<Endpoint.Name>>(
  "@zapier-workflow-auth/core/app/ZapierUser/Calls",
  {
    defaultValue: () => []
  }
)

/**
 * Returns the fewest scopes with which a user can use a whole API, from the `Calls` of its endpoints.
 *
 * Request these scopes on "Connect Zapier".
 *
 * @example
 * ```ts
 * import * as ZapierUser from "@zapier-workflow-auth/core/app/ZapierUser"
 * import * as HttpApi from "effect/http-api/HttpApi"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 *
 * const Zaps = HttpApiGroup.make("zaps").add(
 *   HttpApiEndpoint.get("list", "/zaps").annotate(ZapierUser.Calls, ["GET /v2/zaps"]),
 *   HttpApiEndpoint.post("create", "/zaps").annotate(ZapierUser.Calls, ["POST /v2/zaps"])
 * )
 *
 * ZapierUser.scopesOf(HttpApi.make("acme").add(Zaps)) // => ["zap", "zap:write"]
 * ```
 *
 * @since 0.1.0
 */
export const scopesOf = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): ReadonlyArray<Scopes.Scope> => {
  const calls = new Set<Endpoint.Name>()
  HttpApi.reflect(api, {
    onGroup: () => undefined,
    onEndpoint: ({ mergedAnnotations }) => {
      for (const name of Context.get(mergedAnnotations, Calls)) calls.add(name)
    }
  })
  return Endpoint.leastScopes(calls)
}

const allow = Effect.fnUntraced(function* (
  auth: ZapierAuth["Service"],
  subject: string,
  calls: ReadonlyArray<Endpoint.Name>
) {
  if (calls.length === 0) return
  const { scopes } = auth.accessTokenKnown(subject) ?? (yield* auth.accessToken(subject))
  const endpoint = calls.find((name) => !Endpoint.isAllowed(name, scopes))
  if (endpoint === undefined) return
  const { scopes: anyOf } = Endpoint.requirement(endpoint)
  return yield* ZapierAuthError.make(new InsufficientScope({ endpoint, anyOf, mode: "User" }))
})

// The app's operators need not know of errors that only the user can fix.
const log = (error: unknown) => {
  const known = toCallError(error)
  return ZapierProblem.isApiError(known) && !(isZapierAuthError(known) && known.blames === "User")
    ? Effect.logError(known.message)
    : Effect.void
}

/** Makes the function that runs a handler for the current user, after checking scopes. */
const makeRun = Effect.gen(function* () {
  const auth = yield* ZapierAuth
  const zapier = yield* ZapierHttpClient
  const api = yield* ZapierApiClient.ZapierApiClient
  return <A, E, R, ES, RS>(
    handler: Effect.Effect<A, E, R>,
    asked: Effect.Effect<string, ES, RS>,
    calls: ReadonlyArray<Endpoint.Name>
  ) =>
    Effect.flatMap(asked, (subject) =>
      Effect.flatMap(allow(auth, subject, calls), () =>
        Effect.provideService(handler, ZapierUser, make(zapier, api, subject))
      )
    ).pipe(Effect.tapError(log))
})

/**
 * Implements an app's own `HttpApiMiddleware` that provides `ZapierUser` and has `ZapierProblem.errors`.
 *
 * See this module's example. The `Calls` of the endpoint, or else of its group, are checked first.
 *
 * @param service the app's middleware
 * @param subject the app's own id of the current user, from an earlier middleware or the request
 *
 * @since 0.1.0
 */
export const layerMiddleware = <Id, Requires>(
  service: Context.Key<Id, HttpApiMiddleware.HttpApiMiddleware<ZapierUser, typeof ZapierProblem.errors, Requires>>,
  subject: Effect.Effect<string, ZapierProblem.Failure, Requires | HttpRouter.Provided>
): Layer.Layer<Id, never, ZapierAuth | ZapierHttpClient | ZapierApiClient.ZapierApiClient> =>
  Layer.effect(
    service,
    Effect.map(
      makeRun,
      (run): HttpApiMiddleware.HttpApiMiddleware<ZapierUser, typeof ZapierProblem.errors, Requires> =>
        (handler, { endpoint, group }) =>
          run(handler, subject, Context.get(Context.merge(group.annotations, endpoint.annotations), Calls))
    )
  )

/**
 * Makes an `HttpRouter` middleware that provides `ZapierUser` to routes and responds to this library's errors with problem
 * details.
 *
 * @param options `subject`: the app's own id of the current user; another middleware can provide what it needs (`combine`).
 * `calls`: the Zapier endpoints that the routes call, to be checked first. Default: none.
 *
 * @example
 * ```ts
 * import * as ZapierUser from "@zapier-workflow-auth/core/app/ZapierUser"
 * import * as Effect from "effect/Effect"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerRequest from "effect/http/HttpServerRequest"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import * as Layer from "effect/Layer"
 *
 * // The app's own session.
 * const subject = Effect.map(HttpServerRequest.HttpServerRequest, ({ cookies }) => cookies["user"] ?? "nobody")
 *
 * const zaps = HttpRouter.add(
 *   "GET",
 *   "/zaps",
 *   Effect.gen(function* () {
 *     const { api } = yield* ZapierUser.ZapierUser
 *     const { data } = yield* api.zaps.list({ query: { limit: 20 } })
 *     return HttpServerResponse.jsonUnsafe(data.map(({ title }) => title))
 *   })
 * )
 *
 * zaps.pipe(Layer.provide(ZapierUser.middleware({ subject, calls: ["GET /v2/zaps"] }).layer))
 * ```
 *
 * @since 0.1.0
 */
export const middleware = <E = never, R = never>(options: {
  readonly subject: Effect.Effect<string, E, R>
  readonly calls?: ReadonlyArray<Endpoint.Name> | undefined
}) =>
  HttpRouter.middleware<{ provides: ZapierUser; handles: ZapierApiClient.ApiError }>()(
    Effect.map(
      makeRun,
      (run) => (handler) =>
        // catchIf finds no type for generic errors. @effect-diagnostics-next-line catchConditionalRefailToCatchIf:off
        Effect.catch(run(handler, options.subject, options.calls ?? []), (error) =>
          ZapierProblem.isApiError(error) ? Effect.succeed(ZapierProblem.toResponse(error)) : Effect.fail(error)
        )
    )
  )
