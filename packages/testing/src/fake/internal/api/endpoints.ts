/** The API: finds the endpoint of a request, authenticates, and handles it. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as SchemaIssue from "effect/SchemaIssue"
import * as FakeHttp from "../../FakeHttp.ts"
import type { FakeRequest, FakeResponse } from "../../FakeHttp.ts"
import type { Responded } from "../../FakeOutcome.ts"
import type * as FakeState from "../../FakeState.ts"
import * as Parse from "../parse.ts"
import * as Actions from "./actions.ts"
import * as Apps from "./apps.ts"
import * as Authenticate from "./authenticate.ts"
import * as Authentications from "./authentications.ts"
import { type ApiResult, type Call, type Handler, asUser, malformed, notFound, ok, problem } from "./call.ts"
import * as Definitions from "./definitions.ts"
import * as Promotions from "./promotions.ts"
import * as Templates from "./templates.ts"
import * as Zaps from "./zaps.ts"

const profile = asUser<"profiles.me">(function* ({ user: { email, firstName, id, lastName } }) {
  return ok({
    id,
    first_name: firstName,
    last_name: lastName,
    full_name: `${firstName} ${lastName}`,
    email,
    email_confirmed: true,
    timezone: "UTC"
  })
})

const handlers: { readonly [N in Operation.Name]: Handler<N> } = {
  "apps.list": Apps.listV2,
  "apps.listV1": Apps.listV1,
  "apps.listWhitelabel": Apps.listWhitelabel,
  "categories.list": Apps.listCategories,
  "profiles.me": profile,
  "zapTemplates.list": Templates.list,
  "zaps.list": Zaps.listV2,
  "zaps.listV1": Zaps.listV1,
  "zaps.create": Zaps.create,
  "zaps.update": Zaps.edit,
  "zaps.remove": Zaps.remove,
  "zaps.enable": Zaps.enable,
  "zaps.guess": Templates.guess,
  "zapRuns.list": Zaps.listRuns,
  "actions.list": Actions.list,
  "actions.inputs": Actions.listInputs,
  "actions.choices": Actions.listChoices,
  "actions.outputs": Actions.listOutputs,
  "actions.test": Actions.test,
  "actionRuns.create": Actions.run,
  "actionRuns.get": Actions.readRun,
  "authentications.list": Authentications.list,
  "authentications.create": Authentications.create,
  "authentications.remove": Authentications.remove,
  "promotions.create": Promotions.create,
  "promotions.get": Promotions.read,
  "promotions.remove": Promotions.remove
}

// All endpoints but the consent page, which is for browsers.
const operations: ReadonlyMap<Endpoint.Name, Operation.Name> = new Map(
  Operation.names.map((operation) => [Operation.table[operation], operation])
)

const noEndpoint = (path: string): FakeResponse => {
  const allowed = Endpoint.methodsOf(path)
  return allowed.length === 0
    ? notFound("endpoint")
    : problem(405, "The endpoint does not take this method.", { allow: allowed.join(", ") })
}

const decode = Option.liftThrowable(decodeURIComponent)

const decoded = (segment: string): string => Option.getOrElse(decode(segment), () => segment)

const pathParameters = (endpoint: Endpoint.Name, path: string): { readonly [name: string]: string } => {
  if (!endpoint.includes("{")) return {}
  const segments = path.split("/")
  const template = Endpoint.parts(endpoint).path.split("/")
  return Object.fromEntries(
    template.flatMap((part, index) =>
      part.startsWith("{") ? [[part.slice(1, -1), decoded(segments[index] ?? "")]] : []
    )
  )
}

// The query's parameters by name. Those without a value are left out.
const queryOf = (request: FakeRequest): { readonly [name: string]: string } => {
  const query = Parse.query(request)
  return Object.fromEntries(
    query.names().flatMap((name) => {
      const value = query.get(name)
      return value === undefined ? [] : [[name, value]]
    })
  )
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

type Refuse = (path: ReadonlyArray<string>, message: string | undefined) => FakeResponse

const refused =
  (refuse: Refuse) =>
  (issue: SchemaIssue.Issue): FakeResponse => {
    const [first] = format(issue).issues
    const path = (first?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part))
    return refuse(path, first?.message)
  }

const wrongQuery = refused(([parameter = ""], message = "Malformed parameter.") =>
  malformed(`${parameter}: ${message}`, { parameter })
)

const wrongBody = refused((path, message = "Malformed request.") =>
  malformed(message, { pointer: path.map((part) => `/${part}`).join("") })
)

const asked = (operation: Operation.Name, endpoint: Endpoint.Name, request: FakeRequest) =>
  Result.gen(function* () {
    const definition = Definitions.of(operation)
    const params = yield* Result.mapError(definition.params(pathParameters(endpoint, request.path)), () =>
      notFound("endpoint")
    )
    const query = yield* Result.mapError(definition.query(queryOf(request)), wrongQuery)
    if (definition.payload === undefined) return { params, query, payload: undefined }
    const json = Parse.json(request)
    if (json === undefined) {
      return yield* Result.fail(malformed("The body is not JSON, sent as application/json."))
    }
    return { params, query, payload: yield* Result.mapError(definition.payload(json), wrongBody) }
  })

const responseOf = (operation: Operation.Name, { body, status }: ApiResult<unknown>): FakeResponse => {
  const encoded = Definitions.encode(operation, status, body)
  return status === 204 ? { status, headers: {}, body: "" } : FakeHttp.json(status, encoded)
}

export const handle = (state: FakeState.FakeState, request: FakeRequest, now: number): Responded => {
  const endpoint = Endpoint.match(request.method, request.path)
  const operation = endpoint === undefined ? undefined : operations.get(endpoint)
  if (endpoint === undefined || operation === undefined) return { state, response: noEndpoint(request.path) }
  const handled = Result.gen(function* () {
    const caller = yield* Authenticate.authenticate(state, request, endpoint, now)
    const call = { state, request, now, ...caller, ...(yield* asked(operation, endpoint, request)) }
    // The input was decoded by the definition of the same operation.
    return yield* (handlers[operation] as Handler<Operation.Name>)(call as Call<Operation.Name>)
  })
  return Result.isFailure(handled)
    ? { state, response: handled.failure }
    : { state: handled.success.state ?? state, response: responseOf(operation, handled.success) }
}
