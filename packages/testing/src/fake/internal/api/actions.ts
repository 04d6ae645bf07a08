/** What an app can do: its actions, what they take, what they give, and their runs. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as FakeHttp from "../../FakeHttp.ts"
import type * as FakeState from "../../FakeState.ts"
import * as Links from "../links.ts"
import * as Authentications from "./authentications.ts"
import { type Handler, type UserCall, Inputs, asUser, malformed, nameOf, notFound, ok, parseData } from "./call.ts"
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

export const list: Handler = function* (call) {
  const type = call.query.get("action_type")
  if (type !== undefined && !types.includes(type)) {
    const detail = `action_type has to be one of ${types.join(", ")}.`
    return yield* Result.fail(malformed(detail, { parameter: "action_type" }))
  }
  const app = yield* Authentications.appInQuery(call)
  const found = Catalog.actions.filter((action) => action.app === app && (type ?? action.type) === action.type)
  return yield* Paging.v2(call, found.map(shown))
}

/** Whether an action may be used with an authentication: one of this user, for this app. All apps here need one. */
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

const common = { authentication: Schema.NullOr(Schema.String), inputs: Inputs }

// The action in the path, and what is asked of it.
const asked = <A extends { readonly data: { readonly authentication: string | null } }>(
  { path, request, state, user }: UserCall,
  parse: (request: UserCall["request"]) => Result.Result<A, FakeHttp.FakeResponse>
): Result.Result<A["data"] & { readonly action: Catalog.Action }, FakeHttp.FakeResponse> =>
  Result.gen(function* () {
    const action = yield* Result.fromNullishOr(Catalog.action(path["action_id"] ?? ""), () => notFound("action"))
    const { data } = yield* parse(request)
    yield* checkAuthentication(state, user, action, data.authentication, "/data/authentication")
    return { ...data, action }
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

// The inputs that an action cannot do without.
const requiredInputs = (action: Catalog.Action): ReadonlyArray<string> =>
  inputsOf(action).flatMap(({ id, is_required }) => (is_required ? [id] : []))

const parseInputs = parseData(Schema.Struct(common))

export const listInputs = asUser(function* (call) {
  const { action } = yield* asked(call, parseInputs)
  return Paging.unpaged(inputsOf(action))
})

const choicesOf = (user: FakeState.User) =>
  Array.from({ length: 25 }, (_, index) => ({
    id: `workspace-${index + 1}`,
    type: "choice",
    label: `Workspace ${index + 1} (${nameOf(user)})`,
    value: `workspace-${index + 1}`
  }))

const choicesPerPage = 10

const parseChoices = parseData(Schema.Struct({ authentication: common.authentication, inputs: Schema.NullOr(Inputs) }))

export const listChoices = asUser(function* (call) {
  const { action } = yield* asked(call, parseChoices)
  const input = yield* Result.fromNullishOr(
    inputsOf(action).find(({ id }) => id === call.path["input_id"]),
    () => notFound("input field")
  )
  const page = yield* Paging.whole(call, "page", { otherwise: 1, least: 1 })
  const end = page * choicesPerPage
  const all = input.format === "SELECT" ? choicesOf(call.user) : []
  const at = (page: number) => Links.to(call.request, `${call.request.path}?page=${page}`)
  return ok({
    data: all.slice(end - choicesPerPage, end),
    links: { next: end < all.length ? at(page + 1) : null, prev: page > 1 ? at(page - 1) : null },
    meta: { page }
  })
})

// What an action gives, as an example: each user has their own.
const sample = ({ app }: Catalog.Action, user: FakeState.User, index: number) => {
  const id = `${app.noun}-${user.id}-${index + 1}`
  return {
    id,
    title: `${app.noun.replace(/^./, (letter) => letter.toUpperCase())} ${index + 1} (${nameOf(user)})`,
    url: `https://${app.slug}.example/${id}`
  }
}

const parseOutputs = parseData(Schema.Struct({ ...common, fetch_live_samples: Schema.optionalKey(Schema.Boolean) }))

export const listOutputs = asUser(function* (call) {
  const { action } = yield* asked(call, parseOutputs)
  const fields = Object.entries(sample(action, call.user, 0)).map(([id, value]) => ({
    type: "output_field",
    id,
    title: id.replace(/^./, (letter) => letter.toUpperCase()),
    sample: value
  }))
  return Paging.unpaged(fields)
})

const whole = (least: number) =>
  Schema.optionalKey(Schema.NullOr(Schema.Int.check(Schema.isGreaterThanOrEqualTo(least))))

const parseTest = parseData(Schema.Struct({ ...common, limit: whole(1), offset: whole(0) }))

// A reading action finds a few; the others act on one.
const samplesOf = (action: Catalog.Action, user: FakeState.User) =>
  Array.from({ length: action.type === "READ" ? 3 : 1 }, (_, index) => sample(action, user, index))

export const test = asUser(function* (call) {
  const asks = yield* asked(call, parseTest)
  const all = samplesOf(asks.action, call.user)
  const limit = asks.limit ?? 10
  const offset = asks.offset ?? 0
  const data = all.slice(offset, offset + limit)
  return ok({ links: { next: null, prev: null }, meta: { count: all.length, limit, offset }, data })
})

// An action that is run by itself is under way for a second; then it has succeeded or failed.
const duration = 1_000

const parseRun = parseData(Schema.Struct({ ...common, action: Schema.String }))

export const run = asUser(function* ({ clientId, now, request, state, user }) {
  const { data } = yield* parseRun(request)
  const action = yield* Result.fromNullishOr(Catalog.action(data.action), () =>
    malformed("There is no such action.", { pointer: "/data/action" })
  )
  const { authentication } = data
  if (authentication !== null) {
    yield* checkAuthentication(state, user, action, authentication, "/data/authentication")
  }
  const drawn: FakeState.FakeState = { ...state, counter: state.counter + 1 }
  const id = Catalog.uuid("b000", drawn.counter)
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
  return requiredInputs(action)
    .filter((name) => (run.inputs[name] ?? "") === "")
    .map((name) => error("user", "A required field is missing", `"${name}" has to be filled in.`))
}

export const readRun = asUser(function* (call) {
  const run = Option.getOrUndefined(HashMap.get(call.state.actionRuns, call.path["id"] ?? ""))
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
