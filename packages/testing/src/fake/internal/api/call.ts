/** What an endpoint is given, and what it gives back: an answer, or a refusal. */
import type * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
import type * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import * as Result from "effect/Result"
import * as FakeHttp from "../../FakeHttp.ts"
import type * as FakeState from "../../FakeState.ts"
import type * as Definitions from "./definitions.ts"

/** What is asked of the fake, and by whom. */
export interface Caller {
  readonly state: FakeState.FakeState
  readonly request: FakeHttp.FakeRequest
  /** By the fake's clock, in milliseconds since the epoch. */
  readonly now: number
  /** Who calls, once the credential has been checked. */
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

export interface Answer<A> {
  /** What the state is afterwards, if it is another. */
  readonly state?: FakeState.FakeState
  readonly status: number
  /** What is responded with, as `ZapierApi` encodes it. */
  readonly body: A
}

/** Comes to an answer, or to the refusal that takes its place and changes nothing. */
export type Handled<A> = Generator<Result.Result<unknown, FakeHttp.FakeResponse>, Answer<A>>

export type Handler<N extends Operation.Name> = (call: Call<N>) => Handled<ZapierApiClient.Response<N>>

export const ok = <A>(body: A): Answer<A> => ({ status: 200, body })

export const noContent = (state: FakeState.FakeState): Answer<undefined> => ({ state, status: 204, body: undefined })

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

/** A refusal in Zapier's error envelope, in the style of JSON:API. */
export const problem = (
  status: keyof typeof problems,
  detail: string,
  headers: FakeHttp.FakeResponse["headers"] = {}
): FakeHttp.FakeResponse => {
  const [code, title] = problems[status]
  const error = { status: String(status), code, title, detail, source: null, meta: {} }
  return FakeHttp.json(status, { errors: [error] }, headers)
}

/** Which part of a request is wrong: a query parameter, or a place in the body as a JSON pointer. */
export type Source = { readonly parameter: string } | { readonly pointer: string }

/** A malformed request, in the one shape that Zapier documents in full. Here the status is a number. */
export const malformed = (detail: string, source: Source | null = null): FakeHttp.FakeResponse => {
  const code = "parse_error"
  const meta = { source: "ZAPIER", full_details: { message: detail, code } }
  return FakeHttp.json(400, { errors: [{ status: 400, code, title: "ParseError", detail, source, meta }] })
}

export const notFound = (what: string): FakeHttp.FakeResponse => problem(404, `There is no such ${what}.`)

/** Who a user is, as it stands in what is theirs: data of one user that is shown to another is seen by it. */
export const nameOf = ({ email, firstName, lastName }: FakeState.User): string =>
  `${firstName} ${lastName}`.trim() || email

/** An endpoint that is called on behalf of a user. */
export const asUser = <N extends Operation.Name>(
  handle: (call: UserCall<N>) => Handled<ZapierApiClient.Response<N>>
): Handler<N> =>
  function* (call) {
    const { clientId, user } = call
    return clientId === undefined || user === undefined
      ? yield* Result.fail(problem(403, "The user is gone."))
      : yield* handle({ ...call, clientId, user })
  }
