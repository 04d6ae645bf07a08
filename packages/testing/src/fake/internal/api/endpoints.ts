/** The API: which endpoint a request is for, who calls, and what it answers. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { FakeRequest, FakeResponse } from "../../FakeHttp.ts"
import type { Answered } from "../../FakeOutcome.ts"
import type * as FakeState from "../../FakeState.ts"
import * as Parse from "../parse.ts"
import * as Actions from "./actions.ts"
import * as Apps from "./apps.ts"
import * as Authenticate from "./authenticate.ts"
import * as Authentications from "./authentications.ts"
import { type Handler, asUser, notFound, ok, problem } from "./call.ts"
import * as Promotions from "./promotions.ts"
import * as Templates from "./templates.ts"
import * as Zaps from "./zaps.ts"

const profile = asUser(function* ({ user: { email, firstName, id, lastName } }) {
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

// All but the consent page, which is for browsers.
const handlers: { readonly [name in Exclude<Endpoint.Name, "GET /v2/authorize">]: Handler } = {
  "GET /v1/apps": Apps.listV1,
  "GET /v1/zap-templates": Templates.list,
  "GET /v1/categories": Apps.listCategories,
  "GET /v1/profiles/me": profile,
  "GET /v1/zaps": Zaps.listV1,
  "GET /v2/apps": Apps.listV2,
  "GET /v2/actions": Actions.list,
  "GET /v2/whitelabel/apps": Apps.listWhitelabel,
  "POST /v2/actions/{action_id}/inputs": Actions.listInputs,
  "POST /v2/actions/{action_id}/inputs/{input_id}/choices": Actions.listChoices,
  "POST /v2/actions/{action_id}/outputs": Actions.listOutputs,
  "POST /v2/actions/{action_id}/test": Actions.test,
  "POST /v2/action-runs": Actions.run,
  "GET /v2/action-runs/{id}": Actions.readRun,
  "GET /v2/authentications": Authentications.list,
  "POST /v2/authentications": Authentications.create,
  "DELETE /v2/authentications/{authentication_id}": Authentications.remove,
  "GET /v2/zaps": Zaps.listV2,
  "POST /v2/zaps": Zaps.create,
  "PATCH /v2/zaps/{id}": Zaps.edit,
  "DELETE /v2/zaps/{id}": Zaps.remove,
  "POST /v2/zaps/{id}/enable": Zaps.enable,
  "GET /v2/zap-runs": Zaps.listRuns,
  "POST /v2/promotions": Promotions.create,
  "GET /v2/promotions/{enrollment_id}": Promotions.read,
  "DELETE /v2/promotions/{enrollment_id}": Promotions.remove,
  "POST /v2/guess": Templates.guess
}

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

export const handle = (state: FakeState.FakeState, request: FakeRequest, now: number): Answered => {
  const endpoint = Endpoint.match(request.method, request.path)
  if (endpoint === undefined || endpoint === "GET /v2/authorize") return { state, response: noEndpoint(request.path) }
  const handled = Result.gen(function* () {
    const caller = yield* Authenticate.authenticate(state, request, endpoint, now)
    const query = Parse.query(request)
    const path = pathParameters(endpoint, request.path)
    return yield* handlers[endpoint]({ state, request, query, path, now, ...caller })
  })
  return Result.isFailure(handled) ? { state, response: handled.failure } : { state, ...handled.success }
}
