/** Input and output of an endpoint: a response, or an error response. */
import type * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
import type * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import * as Result from "effect/Result"
import * as FakeHttp from "../../FakeHttp.ts"
import type * as FakeState from "../../FakeState.ts"
import type * as Definitions from "./definitions.ts"

/** A call and its caller. */
export interface Caller {
  readonly state: FakeState.FakeState
  readonly request: FakeHttp.FakeRequest
  /** The fake's time, in milliseconds since the epoch. */
  readonly now: number
  /** The caller, once the credential has been checked. */
  readonly clientId: string | undefined
  readonly user: FakeState.User | undefined
}

/** A call of an operation, with its parameters and body as `ZapierApi` decodes them. */
export interface Call<N extends Operation.Name> extends Caller, Definitions.Asked<N> {}

export interface UserCaller extends Caller {
  readonly clientId: string
  readonly user: FakeState.User
}

export interface UserCall<N extends Operation.Name> extends UserCaller, Definitions.Asked<N> {}

export interface ApiResult<A> {
  /** The next state, if it changed. */
  readonly state?: FakeState.FakeState
  readonly status: number
  /** The body, before `ZapierApi` encodes it. */
  readonly body: A
}

/** Returns a response, or fails with an error response that changes nothing. */
export type Handled<A> = Generator<Result.Result<unknown, FakeHttp.FakeResponse>, ApiResult<A>>

export type Handler<N extends Operation.Name> = (call: Call<N>) => Handled<ZapierApiClient.Response<N>>

export const ok = <A>(body: A): ApiResult<A> => ({ status: 200, body })

export const noContent = (state: FakeState.FakeState): ApiResult<undefined> => ({ state, status: 204, body: undefined })

/** The codes and titles of errors, by status. */
export const problems = {
  401: ["not_authenticated", "NotAuthenticated"],
  403: ["permission_denied", "PermissionDenied"],
  404: ["not_found", "NotFound"],
  405: ["method_not_allowed", "MethodNotAllowed"],
  409: ["conflict", "Conflict"],
  429: ["throttled", "Throttled"],
  500: ["internal_error", "InternalError"],
  503: ["service_unavailable", "ServiceUnavailable"]
} as const

/** An error in Zapier's envelope, in the style of JSON:API. */
export const problem = (
  status: keyof typeof problems,
  detail: string,
  headers: FakeHttp.FakeResponse["headers"] = {}
): FakeHttp.FakeResponse => {
  const [code, title] = problems[status]
  const error = { status: String(status), code, title, detail, source: null, meta: {} }
  return FakeHttp.json(status, { errors: [error] }, headers)
}

/** The invalid part of a request: a query parameter, or a place in the body as a JSON pointer. */
export type Source = { readonly parameter: string } | { readonly pointer: string }

/** The error for a malformed request, the only one that Zapier documents in full. Its status is a number. */
export const malformed = (detail: string, source: Source | null = null): FakeHttp.FakeResponse => {
  const code = "parse_error"
  const meta = { source: "ZAPIER", full_details: { message: detail, code } }
  return FakeHttp.json(400, { errors: [{ status: 400, code, title: "ParseError", detail, source, meta }] })
}

export const notFound = (what: string): FakeHttp.FakeResponse => problem(404, `There is no such ${what}.`)

/** Names a user in their own data, which shows if data of one user reaches another. */
export const nameOf = ({ email, firstName, lastName }: FakeState.User): string =>
  `${firstName} ${lastName}`.trim() || email

/** Handles an endpoint that needs a user. */
export const asUser = <N extends Operation.Name>(
  handle: (call: UserCall<N>) => Handled<ZapierApiClient.Response<N>>
): Handler<N> =>
  function* (call) {
    const { clientId, user } = call
    return clientId === undefined || user === undefined
      ? yield* Result.fail(problem(403, "The user is gone."))
      : yield* handle({ ...call, clientId, user })
  }
