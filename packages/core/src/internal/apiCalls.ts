/** The functions of the typed client: credentials, retries and pages. `HttpApiClient` encodes and decodes. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type * as HttpMethod from "effect/http/HttpMethod"
import type * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Stream from "effect/Stream"
import { EndpointFacts } from "../zapier/api/EndpointFacts.ts"
import * as Credential from "../zapier/Credential.ts"
import * as Endpoint from "../zapier/Endpoint.ts"
import * as Operation from "../zapier/Operation.ts"
import { ZapierApi } from "../zapier/ZapierApi.ts"
import { UnexpectedResponse, type ZapierApiError } from "../zapier/ZapierApiError.ts"
import type { CallError, ZapierHttpClient } from "../ZapierHttpClient.ts"
import * as ApiFailure from "./apiFailure.ts"
import * as ApiRetry from "./apiRetry.ts"
import * as CallerChecks from "./callerChecks.ts"
import * as NextPage from "./nextPage.ts"
import * as Target from "./target.ts"

type Failure = CallError | ZapierApiError | UnexpectedResponse

export interface Parts {
  readonly http: ZapierHttpClient["Service"]
  readonly policy: ApiRetry.Policy | undefined
}

/** The argument of a call, as the types of `ZapierApiClient` describe it. */
interface Given {
  readonly [part: string]: unknown
}

// One call, from its parameters to its decoded response.
interface Call {
  readonly operation: Operation.Name
  readonly credential: Credential.Credential
  /** Replaces the query of the parameters: that of a link to the next page. */
  readonly query: UrlParams.UrlParams | undefined
  /** The request's path and query, once sent. */
  sent: { readonly path: string; readonly query: UrlParams.UrlParams } | undefined
  /** The status of the response, once received. */
  status: number | undefined
}

// `HttpApiClient` passes nothing but the request to its `HttpClient`, so the call travels in the context.
const CurrentCall = Context.Reference<Call | undefined>("@zapier-workflow-auth/core/internal/apiCalls/CurrentCall", {
  defaultValue: () => undefined
})

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

// The path of an invalid value, without the value. Member names may come from outside.
const pathOf = ({ issue }: Schema.SchemaError): ReadonlyArray<string> =>
  (formatIssue(issue).issues[0]?.path ?? []).map((part) =>
    ApiFailure.printable(String(typeof part === "object" ? part.key : part), 60)
  )

const misfit = (call: Call, error: Schema.SchemaError): Failure => {
  const endpoint = Operation.table[call.operation]
  const path = pathOf(error)
  if (call.status === undefined) {
    return CallerChecks.invalid(path.join(".") || "request", `give a value that ${endpoint} accepts; see its types`)
  }
  const at = path.length === 0 ? "" : ` at ${path.map((part) => `/${part}`).join("")}`
  return new UnexpectedResponse({
    endpoint,
    status: call.status,
    problem: `its body is not as documented${at}`
  })
}

// The documented success statuses of each operation.
const successes = (): ReadonlyMap<Operation.Name, ReadonlySet<number>> => {
  const found = new Map<Operation.Name, ReadonlySet<number>>()
  HttpApi.reflect(ZapierApi, {
    onGroup: () => undefined,
    onEndpoint: ({ mergedAnnotations, successes }) => {
      const facts = Context.getOption(mergedAnnotations, EndpointFacts)
      if (Option.isSome(facts)) found.set(facts.value.operation, new Set(successes.keys()))
    }
  })
  return found
}

const replaceQuery = (
  { body, headers, method, url }: HttpClientRequest.HttpClientRequest,
  query: UrlParams.UrlParams
) => HttpClientRequest.make(method as HttpMethod.HttpMethod)(url, { body, headers, urlParams: query })

type Send = (call: Call, request: HttpClientRequest.HttpClientRequest) => Effect.Effect<HttpClientResponse, Failure>

const sender = ({ http, policy }: Parts): Send => {
  const expected = successes()
  return Effect.fnUntraced(function* (call, given) {
    const query = call.query ?? given.urlParams
    call.sent = { path: given.url, query }
    const request = HttpClientRequest.acceptJson(call.query === undefined ? given : replaceQuery(given, query))
    const once = http.as(call.credential).execute(request)
    const outcome =
      policy === undefined ? yield* Effect.result(once) : yield* ApiRetry.run(policy, request.method, once)
    const response = ApiRetry.responseOf(outcome)
    if (response === undefined) return yield* Effect.fromResult(outcome)
    const { status } = response
    call.status = status
    if (expected.get(call.operation)?.has(status) === true) return response
    const endpoint = Operation.table[call.operation]
    if (status < 200 || status > 299) return yield* yield* ApiFailure.read(endpoint, response)
    return yield* new UnexpectedResponse({ endpoint, status, problem: "this status is not documented" })
  })
}

const ofUser = (subject: string, tenant: unknown) =>
  tenant === undefined ? Credential.user(subject) : Credential.whiteLabel(subject, tenant as string)

const credentialOf = (endpoint: Endpoint.Name, { credential, subject, tenant }: Given) =>
  Target.choose(endpoint, credential ?? (typeof subject === "string" ? ofUser(subject, tenant) : undefined))

type EndpointFunction = (request: unknown) => Effect.Effect<unknown, Failure | Schema.SchemaError>

const methodOf = (operation: Operation.Name, call: EndpointFunction, base: string) => {
  const endpoint = Operation.table[operation]

  const begin = (given: Given, query?: UrlParams.UrlParams): Effect.Effect<Call, Failure> =>
    Effect.map(Effect.fromResult(credentialOf(endpoint, given)), (credential) => ({
      operation,
      credential,
      query,
      sent: undefined,
      status: undefined
    }))

  // Always pass all parts: optional ones may be undefined, and missing ones are refused.
  const carryOut = (current: Call, { params, payload, query = {} }: Given): Effect.Effect<unknown, Failure> =>
    call({ params, query, payload }).pipe(
      Effect.provideService(CurrentCall, current),
      Effect.mapError((error) => (Schema.isSchemaError(error) ? misfit(current, error) : error))
    )

  const checked = (given: unknown): Effect.Effect<Given, Failure> =>
    given === undefined || CallerChecks.isRecord(given)
      ? Effect.succeed(given ?? {})
      : Effect.fail(CallerChecks.invalid("request", `pass an object with the parameters of ${endpoint}, or omit it`))

  const one = (given?: unknown) =>
    Effect.flatMap(checked(given), (parts) => Effect.flatMap(begin(parts), (current) => carryOut(current, parts)))

  const following = (
    current: Call,
    page: NextPage.Body
  ): Effect.Effect<Option.Option<UrlParams.UrlParams>, Failure> => {
    if (current.sent === undefined) return Effect.succeedNone
    const next = NextPage.after({ base, ...current.sent }, page)
    return Result.isSuccess(next)
      ? Effect.succeed(Option.fromUndefinedOr(next.success))
      : Effect.fail(new UnexpectedResponse({ endpoint, status: current.status ?? 0, problem: next.failure }))
  }

  const paged = <A>(given: unknown, toElements: (page: NextPage.Body) => ReadonlyArray<A>) =>
    Stream.paginate(
      undefined as UrlParams.UrlParams | undefined,
      Effect.fnUntraced(function* (query) {
        const parts = yield* checked(given)
        const current = yield* begin(parts, query)
        const page = (yield* carryOut(current, parts)) as NextPage.Body
        return [toElements(page), yield* following(current, page)] as const
      })
    )

  return (Operation.paged as ReadonlyArray<Operation.Name>).includes(operation)
    ? Object.assign(one, {
        pages: (given?: unknown) => paged(given, (page) => [page]),
        items: (given?: unknown) => paged(given, NextPage.entries)
      })
    : one
}

/** Makes the functions, by group and name. */
export const make = Effect.fnUntraced(function* (parts: Parts) {
  const send = sender(parts)
  const httpClient = HttpClient.makeWith<never, never, Failure, never>(
    Effect.flatMap((request) =>
      Effect.flatMap(CurrentCall, (call) =>
        call === undefined ? Effect.die(new Error("a request outside of a call")) : send(call, request)
      )
    ),
    Effect.succeed
  )
  // Callers' types describe the arguments, and encoding checks them.
  const client = (yield* HttpApiClient.makeWith(ZapierApi, { httpClient })) as unknown as {
    readonly [group: string]: { readonly [name: string]: EndpointFunction }
  }
  const made: { [group: string]: { [name: string]: unknown } } = {}
  for (const operation of Operation.names) {
    const { group, method } = Operation.parts(operation)
    const call = client[group]?.[method]
    if (call !== undefined) made[group] = { ...made[group], [method]: methodOf(operation, call, parts.http.api) }
  }
  return made
})

type Function = (request?: unknown) => unknown

/** The client's functions. Those of lists have streams. */
export interface Functions {
  readonly [group: string]: {
    readonly [name: string]: Function & { readonly pages?: Function; readonly items?: Function }
  }
}

const takesUser = (operation: string) =>
  Object.hasOwn(Operation.table, operation) &&
  Endpoint.requirement(Operation.table[operation as Operation.Name]).modes.includes("User")

/** Adds the user to each request that takes a user's token. */
export const forUser = (client: Functions, user: string | Credential.WhiteLabel): Functions => {
  const whose = typeof user === "object" ? { credential: user } : { credential: undefined, subject: user }
  // An argument that is not an object is refused later, as without a user.
  const named =
    (call: Function): Function =>
    (request = {}) =>
      call(CallerChecks.isRecord(request) ? { ...request, ...whose } : request)
  return Record.map(client, (functions, group) =>
    Record.map(functions, (call, name) => {
      if (!takesUser(`${group}.${name}`)) return call
      const { items, pages } = call
      return Object.assign(named(call), pages && { pages: named(pages) }, items && { items: named(items) })
    })
  )
}
