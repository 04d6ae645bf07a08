/**
 * The current user's access to Zapier, for the handlers of an app on Effect's `HttpRouter` or `HttpApi`.
 *
 * A middleware asks the app who the user is, checks that the user's scopes allow what the route calls, gives the handler the
 * typed client (`ZapierApiClient`) of the user, and answers what goes wrong with problem details (`ZapierProblem`). What the
 * app's owner can do something about is logged: clients are not told.
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
 * // The app's own: whoever is signed in. A middleware of the app provides it.
 * class CurrentUser extends Context.Service<CurrentUser, { readonly id: string }>()("acme/CurrentUser") {}
 *
 * class Zapier extends HttpApiMiddleware.Service<
 *   Zapier,
 *   { provides: ZapierUser.ZapierUser; requires: CurrentUser }
 * >()("acme/Zapier", { error: ZapierProblem.errors }) {}
 *
 * // What it calls at Zapier.
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
 * The user that a request is handled for, and clients that act for them.
 *
 * @since 0.1.0
 */
export class ZapierUser extends Context.Service<
  ZapierUser,
  {
    /** The app's own name for the user. */
    readonly subject: string
    /** The typed client, whose calls act for the user and name nobody: `zaps.list()`. */
    readonly api: ZapierApiClient.UserClient
    /** Names the user in `ZapierHttpClient.call`. */
    readonly credential: Credential.User
    /** Picks the credential for each request off the endpoint table: `ZapierHttpClient.forUser`. */
    readonly client: HttpClient.HttpClient.With<CallError>
    /**
     * Sends each request for the user, as an `HttpClient` of Effect: for `HttpApiClient.makeWith` and generated clients. See
     * `ZapierHttpClient.layerHttpClient` for its errors.
     */
    readonly httpClient: HttpClient.HttpClient
  }
>()("@zapier-workflow-auth/core/app/ZapierUser") {}

/**
 * The service for a user: every client that is bound to one is made here.
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
 * The endpoints of Zapier that a route calls: an annotation of an endpoint, or of a group for those that have none. A request whose user has not
 * granted what they need is answered with 403, or with 409 if the user has to connect, and its handler is not run.
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
 * The least scopes that let a user use all of an API: what "Connect Zapier" asks for. They come from the `Calls` of its
 * endpoints.
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

// A user's own trouble is no news for whoever runs the app.
const log = (error: unknown) => {
  const known = toCallError(error)
  return ZapierProblem.isApiError(known) && !(isZapierAuthError(known) && known.blames === "User")
    ? Effect.logError(known.message)
    : Effect.void
}

/** Runs handlers for the current user, once what they call is allowed. */
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
 * The implementation of an app's own `HttpApiMiddleware`, which provides `ZapierUser` and has `ZapierProblem.errors`; the
 * example of this module shows one. `Calls` of the endpoint, or else of its group, say what has to be allowed first.
 *
 * @param service the app's middleware
 * @param subject the app's own name for the current user, as a middleware before this one or the request says it
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
 * A middleware of `HttpRouter`, for the routes that its `layer` is provided to: it provides `ZapierUser`, and answers with
 * problem details where they fail with what this library fails with.
 *
 * @param options `subject`: the app's own name for the current user; what it needs of a request, another middleware provides
 * (`combine`). `calls`: the endpoints of Zapier that the routes call; default: none is checked before.
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
        // With generic errors, catchIf finds no type. @effect-diagnostics-next-line catchConditionalRefailToCatchIf:off
        Effect.catch(run(handler, options.subject, options.calls ?? []), (error) =>
          ZapierProblem.isApiError(error) ? Effect.succeed(ZapierProblem.toResponse(error)) : Effect.fail(error)
        )
    )
  )
