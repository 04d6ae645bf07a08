/**
 * The endpoints of the Workflow API as functions that return promises. Names and types come from the typed client, which is
 * loaded by the first call.
 */
import * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
import type * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { CallError, ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as EffectResult from "effect/Result"
import * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import type * as EndpointCalls from "./endpointCalls.ts"
import type { ApiFailure, Result } from "./failure.ts"
import * as Failure from "./failure.ts"
import * as Input from "./input.ts"
import type { Retry } from "./retry.ts"

/**
 * The argument of a typed call.
 *
 * It has the user (`subject` or `credential`), the endpoint's parameters in path (`params`), query (`query`) and body
 * (`payload`), and `signal`, which aborts the call or the iteration.
 *
 * @since 0.1.0
 */
export type EndpointRequest<N extends Operation.Name> = Types.Simplify<
  ZapierApiClient.Request<N> & { readonly signal?: AbortSignal | undefined }
>

/**
 * The result of a typed call: the decoded response body, as plain values.
 *
 * @since 0.1.0
 */
export type EndpointResponse<N extends Operation.Name> = ZapierApiClient.Response<N>

type Arguments<N extends Operation.Name> =
  {} extends EndpointRequest<N> ? [request?: EndpointRequest<N>] : [request: EndpointRequest<N>]

/**
 * An endpoint as a function.
 *
 * @since 0.1.0
 */
export type Endpoint<N extends Operation.Name> = (
  ...request: Arguments<N>
) => Promise<Result<EndpointResponse<N>, ApiFailure>>

/**
 * An endpoint with paged responses: calling it returns one page, and `items` and `pages` iterate over all.
 *
 * A page is requested when the iteration needs it; leaving the loop stops that. Each loop begins with the first page. A
 * failure is thrown as `IterationError`.
 *
 * @since 0.1.0
 */
export interface PagedEndpoint<N extends Operation.Paged> extends Endpoint<N> {
  /** The entries of all pages: `for await (const zap of zapier.zaps.list.items({ subject }))`. */
  readonly items: (...request: Arguments<N>) => AsyncIterable<ZapierApiClient.Entry<N>>
  /** The pages themselves. */
  readonly pages: (...request: Arguments<N>) => AsyncIterable<EndpointResponse<N>>
}

/**
 * All endpoints, by group and name: `zapier.zaps.list`.
 *
 * @since 0.1.0
 */
export type Endpoints = {
  readonly [G in keyof ZapierApiClient.Client]: {
    readonly [E in keyof ZapierApiClient.Client[G] & string]: `${G}.${E}` extends Operation.Paged
      ? PagedEndpoint<`${G}.${E}`>
      : `${G}.${E}` extends Operation.Name
        ? Endpoint<`${G}.${E}`>
        : never
  }
}

/**
 * Thrown by a loop over pages. `failure` is the `error` that the call itself would have returned.
 *
 * @example
 * ```ts
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 *
 * const zapier = ZapierPromise.make({
 *   application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/zapier/callback"] },
 *   stores: "memory"
 * })
 * const titles: Array<string> = []
 * let needsReconnect = false
 * try {
 *   for await (const { title } of zapier.zaps.list.items({ subject: "ada" })) titles.push(title)
 * } catch (error) {
 *   if (!(error instanceof ZapierPromise.IterationError)) throw error
 *   needsReconnect = error.failure.needsReconnect
 * }
 * needsReconnect // => true
 * await zapier.close()
 * ```
 *
 * @since 0.1.0
 */
export class IterationError extends Error {
  override readonly name = "IterationError"
  readonly failure: ApiFailure

  constructor(failure: ApiFailure) {
    super(failure.message)
    this.failure = failure
  }
}

/** Runs an effect in the client to which the endpoints belong. */
type Run = <A>(
  effect: Effect.Effect<A, CallError, ZapierAuth | ZapierHttpClient>,
  signal: AbortSignal | undefined
) => Promise<Result<A>>

const flatten = <A>(result: Result<Result<A, ApiFailure>>): Result<A, ApiFailure> => (result.ok ? result.value : result)

interface Given {
  readonly request: unknown
  readonly signal: AbortSignal | undefined
}

// Read once, so that later changes do not matter and throwing getters are the caller's failure.
const read = (given: unknown): Result<Given, ApiFailure> => {
  const found = EffectResult.flatMap(Input.read([given]), ([request]) =>
    EffectResult.map(Input.isRecord(request) ? Input.signal(request) : EffectResult.succeed(undefined), (signal) => ({
      request,
      signal
    }))
  )
  return EffectResult.isFailure(found)
    ? { ok: false, error: Failure.ofError(found.failure) }
    : { ok: true, value: found.success }
}

/** Makes the endpoints of a client. */
export const make = (run: Run, retry: Retry | undefined): Endpoints => {
  let loaded: Promise<EndpointCalls.EndpointCalls> | undefined
  const calls = Effect.promise(() => (loaded ??= import("./endpointCalls.ts").then((module) => module.make({ retry }))))

  const one = (operation: Operation.Name) => async (given?: unknown) => {
    const asked = read(given)
    if (!asked.ok) return asked
    const { request, signal } = asked.value
    return flatten(
      await run(
        Effect.flatMap(calls, ({ call }) => call(operation, request)),
        signal
      )
    )
  }

  const iterate = async function* (
    operation: Operation.Paged,
    part: EndpointCalls.Part,
    asked: Result<Given, ApiFailure>
  ) {
    if (!asked.ok) throw new IterationError(asked.error)
    const { request, signal } = asked.value
    const scope = Scope.makeUnsafe()
    const valueOf = <A>(result: Result<Result<A, ApiFailure>>): A => {
      const flat = flatten(result)
      if (!flat.ok) throw new IterationError(flat.error)
      return flat.value
    }
    try {
      const begin = Effect.flatMap(calls, ({ begin }) => begin(operation, part, request))
      const pull = valueOf(await run(Scope.provide(begin, scope), signal))
      for (;;) {
        const elements = valueOf(await run(pull, signal))
        if (elements === undefined) return
        for (const element of elements) {
          signal?.throwIfAborted()
          yield element
        }
      }
    } finally {
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  }

  const iterable = (operation: Operation.Paged, part: EndpointCalls.Part) => (given?: unknown) => {
    const asked = read(given)
    return { [Symbol.asyncIterator]: () => iterate(operation, part, asked) }
  }

  const isPaged = (operation: Operation.Name): operation is Operation.Paged =>
    (Operation.paged as ReadonlyArray<Operation.Name>).includes(operation)

  const made: { [group: string]: { [name: string]: unknown } } = {}
  for (const operation of Operation.names) {
    const { group, method } = Operation.parts(operation)
    made[group] ??= {}
    made[group][method] = isPaged(operation)
      ? Object.assign(one(operation), { items: iterable(operation, "items"), pages: iterable(operation, "pages") })
      : one(operation)
  }
  // Made from the table that also defines the types; a test calls each function.
  return made as unknown as Endpoints
}
