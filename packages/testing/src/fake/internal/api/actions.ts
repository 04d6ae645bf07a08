/** Actions of apps: their inputs, outputs and runs. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as FakeHttp from "../../FakeHttp.ts"
import type * as FakeState from "../../FakeState.ts"
import * as Links from "../links.ts"
import * as Authentications from "./authentications.ts"
import { type Handler, type UserCaller, asUser, malformed, nameOf, notFound, ok } from "./call.ts"
import * as Catalog from "./catalog.ts"
import * as Paging from "./paging.ts"

export const shown = ({ app, description, id, key, title, type }: Catalog.Action) => ({
  id,
  key,
  app: app.uuid,
  type: "action",
  action_type: type,
  is_instant: type === "READ",
  title,
  description
})

const types = ["READ", "READ_BULK", "SEARCH", "SEARCH_AND_WRITE", "SEARCH_OR_WRITE", "WRITE"]

export const list: Handler<"actions.list"> = function* (call) {
  const type = call.query.action_type
  if (type !== undefined && !types.includes(type)) {
    const detail = `action_type has to be one of ${types.join(", ")}.`
    return yield* Result.fail(malformed(detail, { parameter: "action_type" }))
  }
  const app = yield* Authentications.appInQuery(call)
  const found = Catalog.actions.filter((action) => action.app === app && (type ?? action.type) === action.type)
  return yield* Paging.v2({ request: call.request, query: {} }, found.map(shown))
}

/** Checks that an action may use an authentication: one of this user, for this app. All apps here need one. */
export const checkAuthentication = (
  state: FakeState.FakeState,
  user: FakeState.User,
  action: Catalog.Action,
  authentication: string | null,
  pointer: string
): Result.Result<void, FakeHttp.FakeResponse> =>
  authentication !== null && Authentications.find(state, user, authentication)?.app === action.app.uuid
    ? Result.void
    : Result.fail(malformed(`This takes an authentication of ${action.app.title}.`, { pointer }))

interface Asking extends UserCaller {
  readonly params: { readonly action_id: string }
  readonly payload: { readonly data: { readonly authentication: string | null } }
}

// The action in the path, after a check of its authentication.
const asked = ({ params, payload, state, user }: Asking): Result.Result<Catalog.Action, FakeHttp.FakeResponse> =>
  Result.gen(function* () {
    const action = yield* Result.fromNullishOr(Catalog.action(params.action_id), () => notFound("action"))
    yield* checkAuthentication(state, user, action, payload.data.authentication, "/data/authentication")
    return action
  })

const field = (id: string, title: string, isRequired: boolean, more: { readonly [name: string]: unknown } = {}) => ({
  type: "input_field",
  id,
  default_value: "",
  depends_on: [],
  description: "",
  format: "MULTILINE",
  invalidates_input_fields: false,
  is_required: isRequired,
  items: {},
  placeholder: "",
  title,
  value_type: "STRING",
  ...more
})

const inputsOf = ({ app, type }: Catalog.Action) => {
  const workspace = field("workspace", "Workspace", true, { format: "SELECT", invalidates_input_fields: true })
  const title = field("title", `Title of the ${app.noun}`, true, { depends_on: ["workspace"] })
  return type === "READ"
    ? [workspace]
    : type === "SEARCH"
      ? [workspace, title]
      : [workspace, title, field("body", "Text", false)]
}

// The required inputs of an action.
const requiredInputs = (action: Catalog.Action): ReadonlyArray<string> =>
  inputsOf(action).flatMap(({ id, is_required }) => (is_required ? [id] : []))

export const listInputs = asUser<"actions.inputs">(function* (call) {
  return Paging.unpaged(inputsOf(yield* asked(call)))
})

const choicesOf = (user: FakeState.User) =>
  Array.from({ length: 25 }, (_, index) => ({
    id: `workspace-${index + 1}`,
    type: "choice",
    label: `Workspace ${index + 1} (${nameOf(user)})`,
    value: `workspace-${index + 1}`
  }))

const choicesPerPage = 10

export const listChoices = asUser<"actions.choices">(function* (call) {
  const action = yield* asked(call)
  const input = yield* Result.fromNullishOr(
    inputsOf(action).find(({ id }) => id === call.params.input_id),
    () => notFound("input field")
  )
  const page = yield* Paging.within(call.query.page, "page", { otherwise: 1, least: 1 })
  const end = page * choicesPerPage
  const all = input.format === "SELECT" ? choicesOf(call.user) : []
  const at = (page: number) => Links.to(call.request, `${call.request.path}?page=${page}`)
  return ok({
    data: all.slice(end - choicesPerPage, end),
    links: { next: end < all.length ? at(page + 1) : null, prev: page > 1 ? at(page - 1) : null },
    meta: { page }
  })
})

// An example of an action's output; it differs for each user.
const sample = ({ app }: Catalog.Action, user: FakeState.User, index: number) => {
  const id = `${app.noun}-${user.id}-${index + 1}`
  return {
    id,
    title: `${app.noun.replace(/^./, (letter) => letter.toUpperCase())} ${index + 1} (${nameOf(user)})`,
    url: `https://${app.slug}.example/${id}`
  }
}

export const listOutputs = asUser<"actions.outputs">(function* (call) {
  const action = yield* asked(call)
  const fields = Object.entries(sample(action, call.user, 0)).map(([id, value]) => ({
    type: "output_field",
    id,
    title: id.replace(/^./, (letter) => letter.toUpperCase()),
    sample: value
  }))
  return Paging.unpaged(fields)
})

// A reading action finds a few; the others act on one.
const samplesOf = (action: Catalog.Action, user: FakeState.User) =>
  Array.from({ length: action.type === "READ" ? 3 : 1 }, (_, index) => sample(action, user, index))

const least = (number: number, least: number, pointer: string) =>
  number < least ? Result.fail(malformed(`This has to be at least ${least}.`, { pointer })) : Result.void

export const test = asUser<"actions.test">(function* (call) {
  const all = samplesOf(yield* asked(call), call.user)
  const limit = call.payload.data.limit ?? 10
  const offset = call.payload.data.offset ?? 0
  yield* least(limit, 1, "/data/limit")
  yield* least(offset, 0, "/data/offset")
  const data = all.slice(offset, offset + limit)
  return ok({ links: { next: null, prev: null }, meta: { count: all.length, limit, offset }, data })
})

// A single action runs for a second; then it has succeeded or failed.
const duration = 1_000

export const run = asUser<"actionRuns.create">(function* ({ clientId, now, payload: { data }, state, user }) {
  const action = yield* Result.fromNullishOr(Catalog.action(data.action), () =>
    malformed("There is no such action.", { pointer: "/data/action" })
  )
  const { authentication } = data
  if (authentication !== null) {
    yield* checkAuthentication(state, user, action, authentication, "/data/authentication")
  }
  const drawn: FakeState.FakeState = { ...state, counter: state.counter + 1 }
  const id = Catalog.uuid("b000", drawn.counter)
  const { inputs } = data
  const run: FakeState.ActionRun = {
    id,
    clientId,
    userId: user.id,
    startedAt: now,
    action: data.action,
    authentication,
    inputs
  }
  return {
    state: { ...drawn, actionRuns: HashMap.set(drawn.actionRuns, id, run) },
    ...ok({ data: { type: "run", id } })
  }
})

const error = (code: string, title: string, detail: string) => ({ code, title, detail, meta: null })

// Errors of the other app, not of Zapier.
const errorsOf = ({ state, user }: UserCaller, run: FakeState.ActionRun, action: Catalog.Action) => {
  if (run.authentication === null || Authentications.find(state, user, run.authentication) === undefined) {
    const detail = `${action.app.title} takes no calls without an authentication.`
    return [error("authentication", "Authentication is missing", detail)]
  }
  return requiredInputs(action)
    .filter((name) => (run.inputs[name] ?? "") === "")
    .map((name) => error("user", "A required field is missing", `"${name}" has to be filled in.`))
}

export const readRun = asUser<"actionRuns.get">(function* (call) {
  const run = Option.getOrUndefined(HashMap.get(call.state.actionRuns, call.params.id))
  const action = run === undefined ? undefined : Catalog.action(run.action)
  if (run === undefined || action === undefined || run.userId !== call.user.id || run.clientId !== call.clientId) {
    return yield* Result.fail(notFound("action run"))
  }
  if (call.now < run.startedAt + duration) {
    return ok({ data: { type: "run", status: "waiting", results: [], errors: [] } })
  }
  const errors = errorsOf(call, run, action)
  const hasFailed = errors.length > 0
  const results = hasFailed ? [] : [sample(action, call.user, 0)]
  return ok({ data: { type: "run", status: hasFailed ? "error" : "success", results, errors } })
})
