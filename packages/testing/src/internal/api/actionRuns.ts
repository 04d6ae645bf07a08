/** Actions that are run by themselves. A run is under way for a second; then it has succeeded or failed. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as FakeState from "../../FakeState.ts"
import * as Actions from "./actions.ts"
import * as Authentications from "./authentications.ts"
import * as Body from "./body.ts"
import type { UserCall } from "./call.ts"
import { asUser, ok } from "./call.ts"
import * as Catalog from "./catalog.ts"
import * as Problem from "./problem.ts"
import * as FakeHttp from "../../FakeHttp.ts"

const duration = 1_000

const parse = Body.data(
  Schema.Struct({
    action: Schema.String,
    authentication: Schema.NullOr(Schema.String),
    inputs: Body.Inputs
  })
)

export const create = asUser(function* ({ clientId, now, request, state, user }) {
  const { data } = yield* parse(request)
  const action = Catalog.action(data.action)
  if (action === undefined) {
    return yield* Result.fail(Problem.malformed("There is no such action.", { pointer: "/data/action" }))
  }
  const { authentication } = data
  if (authentication !== null) {
    yield* Actions.checkAuthentication(state, user, action, authentication, "/data/authentication")
  }
  const drawn: FakeState.FakeState = { ...state, counter: state.counter + 1 }
  const id = `00000000-0000-4000-b000-${String(drawn.counter).padStart(12, "0")}`
  const run: FakeState.ActionRun = { id, clientId, userId: user.id, startedAt: now, ...data }
  return {
    state: { ...drawn, actionRuns: HashMap.set(drawn.actionRuns, id, run) },
    response: FakeHttp.json(200, { data: { type: "run", id } })
  }
})

const error = (code: string, title: string, detail: string) => ({ code, title, detail, meta: null })

// What went wrong at the other app, which is no error of Zapier's.
const errorsOf = ({ state, user }: UserCall, run: FakeState.ActionRun, action: Catalog.Action) => {
  if (run.authentication === null || Authentications.find(state, user, run.authentication) === undefined) {
    const detail = `${action.app.title} takes no calls without an authentication.`
    return [error("authentication", "Authentication is missing", detail)]
  }
  return Actions.requiredInputs(action)
    .filter((name) => (run.inputs[name] ?? "") === "")
    .map((name) => error("user", "A required field is missing", `"${name}" has to be filled in.`))
}

export const read = asUser(function* (call) {
  const run = Option.getOrUndefined(HashMap.get(call.state.actionRuns, call.path["id"] ?? ""))
  const action = run === undefined ? undefined : Catalog.action(run.action)
  if (run === undefined || action === undefined || run.userId !== call.user.id || run.clientId !== call.clientId) {
    return yield* Result.fail(Problem.notFound("action run"))
  }
  if (call.now < run.startedAt + duration) {
    return ok({ data: { type: "run", status: "waiting", results: [], errors: [] } })
  }
  const errors = errorsOf(call, run, action)
  const hasFailed = errors.length > 0
  const results = hasFailed ? [] : [Actions.sample(action, 0)]
  return ok({ data: { type: "run", status: hasFailed ? "error" : "success", results, errors } })
})
