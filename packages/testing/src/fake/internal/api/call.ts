/** What an endpoint is given, and what it gives back: an answer, or a refusal. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as FakeHttp from "../../FakeHttp.ts"
import type * as FakeState from "../../FakeState.ts"
import * as Parse from "../parse.ts"

export interface Call {
  readonly state: FakeState.FakeState
  readonly request: FakeHttp.FakeRequest
  readonly query: Parse.Parameters
  /** The parameters in the path, decoded. */
  readonly path: { readonly [name: string]: string }
  /** By the fake's clock, in milliseconds since the epoch. */
  readonly now: number
  /** Who calls, once the credential has been checked. */
  readonly clientId: string | undefined
  readonly user: FakeState.User | undefined
}

export interface UserCall extends Call {
  readonly clientId: string
  readonly user: FakeState.User
}

export interface Answer {
  /** What the state is afterwards, if it is another. */
  readonly state?: FakeState.FakeState
  readonly response: FakeHttp.FakeResponse
}

/** Comes to an answer, or to the refusal that takes its place and changes nothing. */
export type Handled = Generator<Result.Result<unknown, FakeHttp.FakeResponse>, Answer>

export type Handler = (call: Call) => Handled

export const ok = (body: unknown): Answer => ({ response: FakeHttp.json(200, body) })

export const noContent = (state: FakeState.FakeState): Answer => ({
  state,
  response: { status: 204, headers: {}, body: "" }
})

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
export const asUser = (handle: (call: UserCall) => Handled): Handler =>
  function* (call) {
    const { clientId, user } = call
    return clientId === undefined || user === undefined
      ? yield* Result.fail(problem(403, "The user is gone."))
      : yield* handle({ ...call, clientId, user })
  }

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const refuse = (issue: SchemaIssue.Issue): FakeHttp.FakeResponse => {
  const [first] = format(issue).issues
  const path = (first?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part))
  return malformed(first?.message ?? "Malformed request.", { pointer: path.map((part) => `/${part}`).join("") })
}

export const parseBody = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S
): ((request: FakeHttp.FakeRequest) => Result.Result<S["Type"], FakeHttp.FakeResponse>) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (request) => {
    const json = Parse.json(request)
    return json === undefined
      ? Result.fail(malformed("The body is not JSON, sent as application/json."))
      : Result.mapError(decode(json), ({ issue }) => refuse(issue))
  }
}

/** What a user fills in: any values by name. */
export const Inputs = Schema.Record(Schema.String, Schema.Unknown)

/** Zapier's requests have everything in `data`. */
export const parseData = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) =>
  parseBody(Schema.Struct({ data: schema }))
