/** Runs typed calls by operation name. Loaded by the first typed call, with the core's typed client. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
import { ZapierApi } from "@zapier-workflow-auth/core/zapier/ZapierApi"
import * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import { UnexpectedResponse, ZapierApiError } from "@zapier-workflow-auth/core/zapier/ZapierApiError"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Pull from "effect/Pull"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Failure from "./failure.ts"
import type { ApiFailure, Result } from "./failure.ts"
import * as Input from "./input.ts"
import * as Names from "./names.ts"
import type { Retry } from "./retry.ts"

/** The elements of an iteration. */
export type Part = "items" | "pages"

type Outcome<A> = Result<A, ApiFailure>

/** Pulls the next elements; `undefined` at the end. */
type Next = Effect.Effect<Outcome<ReadonlyArray<unknown> | undefined>>

/** The calls of a client. Failures are values here, so that they pass through any runner. */
export interface EndpointCalls {
  readonly call: (
    operation: Operation.Name,
    request: unknown
  ) => Effect.Effect<Outcome<unknown>, never, ZapierHttpClient>
  readonly begin: (
    operation: Operation.Paged,
    part: Part,
    request: unknown
  ) => Effect.Effect<Outcome<Next>, never, ZapierHttpClient | Scope.Scope>
}

const encodeApiError = Schema.encodeSync(ZapierApiError)

const encodeUnexpected = Schema.encodeSync(UnexpectedResponse)

const commonOf = ({
  blames,
  httpStatus,
  isRetryable,
  message,
  needsReconnect
}: ZapierApiError | UnexpectedResponse) => ({
  // This client's counterpart is `fetch`.
  message: message.replace("ZapierHttpClient.call", "fetch"),
  isRetryable,
  needsReconnect,
  blames,
  httpStatus
})

const failureOf = (error: ZapierApiClient.ApiError): ApiFailure => {
  switch (error._tag) {
    case "ZapierApiError":
      return { ...encodeApiError(error), ...commonOf(error) }
    case "UnexpectedResponse":
      return { ...encodeUnexpected(error), ...commonOf(error) }
    default:
      return Failure.ofError(error)
  }
}

const failed = (error: ZapierApiClient.ApiError): Outcome<never> => ({ ok: false, error: failureOf(error) })

const succeeded = <A>(value: A): Outcome<A> => ({ ok: true, value })

interface Known {
  /** The names of allowed options, by part. */
  readonly names: Names.Names
  /** The required parts, each with one required name. */
  readonly needed: { readonly [part: string]: string }
  /** Parts that also accept other names, for example filters by the inputs of an app. */
  readonly open: { readonly [part: string]: (name: string) => boolean }
}

const objectOf = (schema: Schema.Top | undefined): SchemaAST.Objects | undefined =>
  schema?.ast._tag === "Objects" ? schema.ast : undefined

const payloadOf = ({ payload }: HttpApiEndpoint.Top): Schema.Top | undefined =>
  [...payload.values()].flatMap(({ schemas }) => schemas)[0]

const callerNames = Names.plain("credential", "signal", "subject", "tenant")

const endpointOf = (operation: Operation.Name): HttpApiEndpoint.Top => {
  const { group, method } = Operation.parts(operation)
  // Look up by name, for which the type has only literals.
  const groups = ZapierApi.groups as unknown as {
    readonly [group: string]: { readonly endpoints: { readonly [name: string]: HttpApiEndpoint.Top } }
  }
  const found = groups[group]?.endpoints[method]
  if (found === undefined) throw new Error(`${operation} is not defined`)
  return found
}

const knownOf = (operation: Operation.Name): Known => {
  const endpoint = endpointOf(operation)
  const parts = { params: endpoint.params, query: endpoint.query, payload: payloadOf(endpoint) }
  const names: { [name: string]: Names.Names } = { ...callerNames }
  const needed: { [part: string]: string } = {}
  const open: { [part: string]: (name: string) => boolean } = {}
  for (const [part, schema] of Object.entries(parts)) {
    if (schema === undefined) continue
    const object = objectOf(schema)
    const members = object?.propertySignatures ?? []
    names[part] = Names.plain(...members.map(({ name }) => String(name)))
    const first = members.find(({ type }) => type.context?.isOptional !== true)
    if (first !== undefined) needed[part] = String(first.name)
    const rest = object?.indexSignatures.map(({ parameter }) => Schema.is(Schema.make(parameter)))
    open[part] = rest === undefined ? () => true : (name) => rest.some((accepts) => accepts(name))
  }
  return { names, needed, open }
}

const known = new Map<Operation.Name, Known>()

const subjectProblem = (endpoint: Endpoint.Name, { credential, subject }: { readonly [name: string]: unknown }) => {
  if (subject !== undefined && typeof subject !== "string") {
    return Input.invalid("subject", "give the app's own id of its user, as text")
  }
  const isMissing =
    subject === undefined && credential === undefined && Endpoint.requirement(endpoint).modes.includes("User")
  return isMissing ? Input.invalid("subject", `name the user: ${endpoint} takes a user's token`) : undefined
}

// JavaScript programs may misspell names, and Zapier ignores unknown ones. Values are checked when they are encoded.
const problemOf = (operation: Operation.Name, given: unknown): ZapierAuthError | undefined => {
  const request = given ?? {}
  if (!Input.isRecord(request)) return undefined
  const found = known.get(operation) ?? knownOf(operation)
  known.set(operation, found)
  const { names, needed, open } = found
  const endpoint = Operation.table[operation]
  const wrong = Names.unknown(request, "", names, names) ?? subjectProblem(endpoint, request)
  if (wrong !== undefined) return wrong
  for (const [part, inside] of Object.entries(names)) {
    const given = request[part]
    const missing = needed[part]
    if (missing !== undefined && (given === undefined || given === null)) {
      return Input.invalid(`${part}.${missing}`, `${endpoint} requires it; pass ${part}: { ${missing}: … }`)
    }
    if (Object.hasOwn(callerNames, part) || !Input.isRecord(given)) continue
    const others = Object.keys(given).filter((name) => open[part]?.(name))
    const inPart = Names.unknown(given, part, { ...inside, ...Names.plain(...others) }, names)
    if (inPart !== undefined) return inPart
  }
  return undefined
}

interface AnyMethod {
  (request: unknown): Effect.Effect<unknown, ZapierApiClient.ApiError>
  readonly items: (request: unknown) => Stream.Stream<unknown, ZapierApiClient.ApiError>
  readonly pages: (request: unknown) => Stream.Stream<unknown, ZapierApiClient.ApiError>
}

const methodOf = (client: ZapierApiClient.Client, operation: Operation.Name): AnyMethod => {
  const { group, method } = Operation.parts(operation)
  // The schemas validate each argument; a test calls each function.
  const groups = client as unknown as { readonly [group: string]: { readonly [method: string]: AnyMethod } }
  return groups[group]?.[method] as AnyMethod
}

/** Makes the calls over the HTTP client of the current start. */
export const make = ({ retry }: { readonly retry: Retry | undefined }): EndpointCalls => {
  let made: { readonly http: ZapierHttpClient["Service"]; readonly client: ZapierApiClient.Client } | undefined
  const client = Effect.gen(function* () {
    const http = yield* ZapierHttpClient
    // The options were validated when the client was made.
    if (made?.http !== http) made = { http, client: yield* Effect.orDie(ZapierApiClient.make({ retry })) }
    return made.client
  })

  const next = (pull: Pull.Pull<ReadonlyArray<unknown>, ZapierApiClient.ApiError>): Next =>
    Pull.matchEffect(pull, {
      onSuccess: (elements) => Effect.succeed(succeeded(elements)),
      onFailure: (cause) =>
        Effect.map(
          Effect.catch(Effect.failCause(cause), (error) => Effect.succeed(error)),
          failed
        ),
      onDone: () => Effect.succeed(succeeded(undefined))
    })

  return {
    call: Effect.fnUntraced(function* (operation, request) {
      const wrong = problemOf(operation, request)
      if (wrong !== undefined) return failed(wrong)
      return yield* Effect.match(methodOf(yield* client, operation)(request), {
        onFailure: failed,
        onSuccess: succeeded
      })
    }),
    begin: Effect.fnUntraced(function* (operation, part, request) {
      const wrong = problemOf(operation, request)
      if (wrong !== undefined) return failed(wrong)
      return succeeded(next(yield* Stream.toPull(methodOf(yield* client, operation)[part](request))))
    })
  }
}
