/**
 * A typed client of Zapier's API: each endpoint is a function that returns the decoded response.
 *
 * Lists are also available as streams. The endpoint determines the credential: name the user if the endpoint takes a user's
 * token, and nothing otherwise. Safe requests are retried when Zapier is busy or unavailable; see `RetryOptions`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { ZapierApiClient } from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
 *
 * const program = Effect.gen(function* () {
 *   const zapier = yield* ZapierApiClient
 *   const { data } = yield* zapier.zaps.list({ subject: "ada", query: { limit: 20 } })
 *   const titles = yield* Stream.runCollect(zapier.zaps.list.items({ subject: "ada" }).pipe(Stream.map(({ title }) => title)))
 *   const categories = yield* zapier.categories.list()
 *   yield* zapier.promotions.remove({ params: { enrollment_id: "42" } })
 *   return [data, titles, categories.objects]
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpApiClient from "effect/http-api/HttpApiClient"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type * as Types from "effect/Types"
import * as ApiCalls from "../internal/apiCalls.ts"
import * as RetryPolicy from "../internal/retryPolicy.ts"
import type { ZapierAuthError } from "../ZapierAuthError.ts"
import { ZapierHttpClient, type CallError } from "../ZapierHttpClient.ts"
import type * as Credential from "./Credential.ts"
import type * as Endpoint from "./Endpoint.ts"
import type * as Operation from "./Operation.ts"
import type { ZapierApi } from "./ZapierApi.ts"
import type { UnexpectedResponse, ZapierApiError } from "./ZapierApiError.ts"

/**
 * The errors of a call: those of `ZapierHttpClient.call`, Zapier's refusal, or an undocumented response.
 *
 * @since 0.1.0
 */
export type ApiError = CallError | ZapierApiError | UnexpectedResponse

/**
 * Names the caller of an endpoint.
 *
 * If the endpoint takes a user's token, pass `subject`, with `tenant` for a White Label user, or `credential`. If it also
 * takes the client id, `credential: Credential.clientId` selects that. Otherwise pass nothing.
 *
 * @since 0.1.0
 */
export type Caller<N extends Endpoint.Name> =
  "User" extends Endpoint.ModeOf<N>
    ? | { readonly subject: string; readonly tenant?: string | undefined; readonly credential?: undefined }
      | { readonly credential: Credential.For<N>; readonly subject?: undefined }
    : { readonly credential?: Credential.For<N> | undefined }

type Part<Name extends string, Value> = [Value] extends [never]
  ? {}
  : {} extends Value
    ? { readonly [name in Name]?: Value | undefined }
    : { readonly [name in Name]: Value }

type Definitions = {
  readonly [G in keyof ZapierApi["groups"]]: {
    readonly [
      E in keyof ZapierApi["groups"][G]["endpoints"] & string as `${G}.${E}`
    ]: ZapierApi["groups"][G]["endpoints"][E]
  }
}

type AllDefinitions = Types.UnionToIntersection<Definitions[keyof Definitions]>

/**
 * The definition of an operation in `ZapierApi`.
 *
 * @since 0.1.0
 */
export type Definition<N extends Operation.Name> = Extract<AllDefinitions[N], HttpApiEndpoint.ConstraintRequest>

/**
 * The parameters of an endpoint: path (`params`), query (`query`) and body (`payload`), as far as it has them.
 *
 * @since 0.1.0
 */
export type Parameters<N extends Operation.Name> = Types.Simplify<
  Part<"params", Definition<N>["~Params"]["Type"]> &
    Part<"query", Definition<N>["~Query"]["Type"]> &
    Part<"payload", Definition<N>["~Payload"]["Type"]>
>

/**
 * The argument of a call: the caller and the endpoint's parameters.
 *
 * @since 0.1.0
 */
export type Request<N extends Operation.Name> = Parameters<N> & Caller<Operation.EndpointOf<N>>

/**
 * The argument of a call by a user's client. It names a caller only if the endpoint takes no user's token.
 *
 * @since 0.1.0
 */
export type UserRequest<N extends Operation.Name> =
  "User" extends Endpoint.ModeOf<Operation.EndpointOf<N>> ? Parameters<N> : Request<N>

/**
 * The result of a call: the decoded response body.
 *
 * @since 0.1.0
 */
export type Response<N extends Operation.Name> = HttpApiClient.SuccessType<Definition<N>["~Success"]>

/**
 * An entry of a list.
 *
 * @since 0.1.0
 */
export type Entry<N extends Operation.Paged> =
  Response<N> extends ReadonlyArray<infer A>
    ? A
    : Response<N> extends { readonly objects: ReadonlyArray<infer A> }
      ? A
      : Response<N> extends { readonly data?: ReadonlyArray<infer A> }
        ? A
        : never

type Arguments<R> = {} extends R ? [request?: R] : [request: R]

/**
 * An endpoint as a function. Lists also provide their pages and entries as streams.
 *
 * A stream requests a page when it needs it, by the previous page's link or by `limit` and `offset`. Links are followed only
 * within the configured address.
 *
 * @since 0.1.0
 */
export type Method<N extends Operation.Name, R = Request<N>> = ((
  ...request: Arguments<R>
) => Effect.Effect<Response<N>, ApiError>) &
  (N extends Operation.Paged
    ? {
        readonly pages: (...request: Arguments<R>) => Stream.Stream<Response<N>, ApiError>
        readonly items: (...request: Arguments<R>) => Stream.Stream<Entry<N>, ApiError>
      }
    : {})

/**
 * All endpoints, by group and name.
 *
 * @since 0.1.0
 */
export type Client = {
  readonly [G in keyof ZapierApi["groups"]]: {
    readonly [E in keyof ZapierApi["groups"][G]["endpoints"] & string]: `${G}.${E}` extends Operation.Name
      ? Method<`${G}.${E}`>
      : never
  }
}

/**
 * All endpoints, bound to one user.
 *
 * @since 0.1.0
 */
export type UserClient = {
  readonly [G in keyof ZapierApi["groups"]]: {
    readonly [E in keyof ZapierApi["groups"][G]["endpoints"] & string]: `${G}.${E}` extends Operation.Name
      ? Method<`${G}.${E}`, UserRequest<`${G}.${E}`>>
      : never
  }
}

/**
 * The typed client.
 *
 * @since 0.1.0
 */
export class ZapierApiClient extends Context.Service<ZapierApiClient, Client>()(
  "@zapier-workflow-auth/core/zapier/ZapierApiClient"
) {}

/**
 * Configures retries.
 *
 * GET and DELETE are retried after a 5xx or a transport error. Any method is retried after a 429 with `Retry-After`, which
 * per Zapier's documentation means that the request was refused. POST and PATCH are not retried otherwise, because they may
 * have been carried out. A DELETE that was carried out, but whose response was lost, ends in 404 when retried.
 *
 * A retry waits as long as `Retry-After` of a 429 or 503 says, or a minute after a 429 without it; other pauses grow from
 * half a second. An attempt in progress is not cut off; use `Effect.timeout` for that.
 *
 * @since 0.1.0
 */
export interface RetryOptions {
  /** The maximum number of retries. Default: 3. */
  readonly times?: number | undefined
  /**
   * How long after the first attempt a retry may begin. If the pause would end later, the call fails at once. Default: 2
   * minutes, which allows one pause of a minute.
   */
  readonly within?: Duration.Input | undefined
}

/**
 * Options of the client.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Configures retries; `false` turns them off. */
  readonly retry?: RetryOptions | false | undefined
}

/**
 * Makes the client over `ZapierHttpClient`, for the same API address. Fails with `InvalidConfig` for invalid options.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options?: Options) {
  const http = yield* ZapierHttpClient
  const policy = yield* Effect.fromResult(RetryPolicy.make(options))
  // Types and functions come from the same definitions; a test calls each function.
  return (yield* ApiCalls.make({ http, policy })) as unknown as Client
})

/**
 * Binds the client to one user, whose token is used wherever an endpoint takes a user's token.
 *
 * @param user the app's own id of the user, or a White Label user
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
 *
 * const program = Effect.gen(function* () {
 *   const zapier = ZapierApiClient.forUser(yield* ZapierApiClient.ZapierApiClient, "ada")
 *   const { data } = yield* zapier.zaps.list({ query: { limit: 20 } })
 *   return data
 * })
 * ```
 *
 * @since 0.1.0
 */
export const forUser = (client: Client, user: string | Credential.WhiteLabel): UserClient =>
  // The same functions, with the user added to each request.
  ApiCalls.forUser(client as unknown as ApiCalls.Functions, user) as unknown as UserClient

/**
 * Provides the client. Fails with `InvalidConfig` for invalid options.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
 * import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
 *
 * ZapierApiClient.layer({ retry: { times: 1, within: "10 seconds" } }).pipe(Layer.provideMerge(ZapierHttpClient.layer()))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<ZapierApiClient, ZapierAuthError, ZapierHttpClient> =>
  Layer.effect(ZapierApiClient, make(options))
