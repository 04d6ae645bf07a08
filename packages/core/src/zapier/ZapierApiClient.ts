/**
 * A typed client of Zapier's API: each endpoint as a function that takes its parameters and gives what Zapier responds,
 * decoded; lists of any length as streams.
 *
 * The credential follows from the endpoint: the caller names the user where the endpoint takes a user's token, and nobody
 * else. Requests that may be repeated are, when Zapier is busy or has trouble; see `RetryOptions`.
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
 * How a call may fail: as `ZapierHttpClient.call` does, because Zapier refuses it, or because its response is not what is
 * documented.
 *
 * @since 0.1.0
 */
export type ApiError = CallError | ZapierApiError | UnexpectedResponse

/**
 * Who calls. Where an endpoint takes a user's token, `subject` names the user, with `tenant` a White Label user, or
 * `credential` says so in full; where it
 * takes the client id as well, `credential: Credential.clientId` asks for that. Where there is no choice, nothing is said.
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
 * What an endpoint takes: the parameters of the path (`params`), the query (`query`) and the body (`payload`), as far as it
 * has them.
 *
 * @since 0.1.0
 */
export type Parameters<N extends Operation.Name> = Types.Simplify<
  Part<"params", Definition<N>["~Params"]["Type"]> &
    Part<"query", Definition<N>["~Query"]["Type"]> &
    Part<"payload", Definition<N>["~Payload"]["Type"]>
>

/**
 * What a call takes: who calls, and the endpoint's parameters.
 *
 * @since 0.1.0
 */
export type Request<N extends Operation.Name> = Parameters<N> & Caller<Operation.EndpointOf<N>>

/**
 * What a call of a user's client takes. Who calls is said where no user's token is taken, as for the app's own.
 *
 * @since 0.1.0
 */
export type UserRequest<N extends Operation.Name> =
  "User" extends Endpoint.ModeOf<Operation.EndpointOf<N>> ? Parameters<N> : Request<N>

/**
 * What a call gives: the response's body, decoded.
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
 * An endpoint as a function. Lists have their pages and entries as streams, too: a page is asked for when the stream needs
 * it, by the link in the page before or by `limit` and `offset`. A link is followed only within the configured address.
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
 * All endpoints, for one user: calls that take a user's token name nobody.
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
 * When a request is repeated. GET and DELETE are, after a 5xx or when the transport fails; any method is after a 429 with
 * `Retry-After`, by which Zapier documents that it refused the request. POST and PATCH are not repeated otherwise: they may
 * have been carried out. A DELETE that was carried out although its response was lost ends in 404 when it is repeated.
 *
 * `Retry-After` of a 429 and 503 is waited for, a 429 without it is waited for a minute, and other pauses grow from half a
 * second. An attempt that is under way is not cut off: that is for `Effect.timeout`.
 *
 * @since 0.1.0
 */
export interface RetryOptions {
  /** How often a request is repeated at most. Default: 3. */
  readonly times?: number | undefined
  /**
   * After the first attempt, how long another may be begun. If that would be too late the failure is returned at once.
   * Default: 2 minutes, which is enough for one pause of a minute.
   */
  readonly within?: Duration.Input | undefined
}

/**
 * Options of the client.
 *
 * @since 0.1.0
 */
export interface Options {
  /** When requests are repeated; `false`: never. */
  readonly retry?: RetryOptions | false | undefined
}

/**
 * Makes the client over `ZapierHttpClient`, and calls the API where that does. Fails with `InvalidConfig` for options that do
 * not fit.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options?: Options) {
  const http = yield* ZapierHttpClient
  const policy = yield* Effect.fromResult(RetryPolicy.make(options))
  // Its functions are made from the same definitions as their types; a test calls each.
  return (yield* ApiCalls.make({ http, policy })) as unknown as Client
})

/**
 * The client for one user: wherever an endpoint takes a user's token, it is that user's, whatever a call says.
 *
 * @param user the app's own name for the user, or a White Label user
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
  // As the client's own, and with a name in each request.
  ApiCalls.forUser(client as unknown as ApiCalls.Functions, user) as unknown as UserClient

/**
 * The client as a layer. Fails with `InvalidConfig` for options that do not fit.
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
