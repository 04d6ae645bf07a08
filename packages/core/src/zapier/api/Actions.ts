/**
 * The actions of an app, their input and output fields, and runs of single actions.
 *
 * Runs are in limited beta at Zapier.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Open from "../../internal/openSchema.ts"
import { App } from "./Apps.ts"
import * as EndpointFacts from "./EndpointFacts.ts"
import * as Responses from "./Responses.ts"

const { Boolean, Finite, Int, NullOr, String, Unknown, optional, optionalKey } = Schema

const types = ["READ", "READ_BULK", "SEARCH", "SEARCH_AND_WRITE", "SEARCH_OR_WRITE", "WRITE"] as const

/**
 * An action. `id` may change when the app does; `key` does not. `app` is an id, or the whole app if expanded.
 *
 * @since 0.1.0
 */
export const Action = Open.struct({
  id: String,
  key: String,
  app: Schema.Union([String, App]),
  type: String,
  action_type: Open.literals(...types),
  is_instant: Boolean,
  title: String,
  description: String
})

/**
 * A user's input: any values, by input field id.
 *
 * @since 0.1.0
 */
export const Inputs = Schema.Record(String, Unknown)

const common = { authentication: NullOr(String), inputs: Inputs }

/**
 * An input field of an action, a text shown beside fields, or a set of both.
 *
 * @since 0.1.0
 */
export const Field = Open.struct({
  type: String,
  id: String,
  title: optionalKey(String),
  description: optionalKey(String),
  default_value: optionalKey(String),
  depends_on: optionalKey(Schema.Array(String)),
  format: optionalKey(Open.literals("DATETIME", "MULTILINE", "PASSWORD", "CODE", "READONLY", "FILE", "SELECT")),
  invalidates_input_fields: optionalKey(Boolean),
  is_required: optionalKey(Boolean),
  items: optionalKey(Open.struct({})),
  placeholder: optionalKey(String),
  value_type: optionalKey(Open.literals("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT")),
  // In a set: Zapier documents one field in one place and a list in another.
  fields: optionalKey(Unknown)
})

/**
 * A possible value of a field with the format `SELECT`.
 *
 * @since 0.1.0
 */
export const Choice = Open.struct({ id: String, type: String, label: optionalKey(NullOr(String)), value: String })

/**
 * An output field of an action.
 *
 * @since 0.1.0
 */
export const OutputField = Open.struct({ type: String, id: String, title: String, sample: optionalKey(String) })

/**
 * The group `actions`.
 *
 * @since 0.1.0
 */
export const actions = HttpApiGroup.make("actions").add(
  HttpApiEndpoint.get("list", EndpointFacts.path("actions.list"), {
    query: { app: String, action_type: optional(Open.literals(...types)) },
    success: Responses.body(Responses.pageOrNone(Action)),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("actions.list")),
  HttpApiEndpoint.post("inputs", EndpointFacts.path("actions.inputs"), {
    params: { action_id: Open.pathParameter },
    payload: Open.struct({ data: Open.struct(common) }),
    success: Responses.body(Responses.page(Field)),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("actions.inputs")),
  HttpApiEndpoint.post("choices", EndpointFacts.path("actions.choices"), {
    params: { action_id: Open.pathParameter, input_id: Open.pathParameter },
    query: { page: optional(Int) },
    payload: Open.struct({ data: Open.struct({ authentication: NullOr(String), inputs: NullOr(Inputs) }) }),
    success: Responses.body(
      Open.struct({
        links: Responses.Links,
        meta: Open.struct({ page: Finite }),
        data: optionalKey(Schema.Array(Choice))
      })
    ),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("actions.choices")),
  HttpApiEndpoint.post("outputs", EndpointFacts.path("actions.outputs"), {
    params: { action_id: Open.pathParameter },
    payload: Open.struct({ data: Open.struct({ ...common, fetch_live_samples: optionalKey(Boolean) }) }),
    success: Responses.body(Responses.page(OutputField)),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("actions.outputs")),
  HttpApiEndpoint.post("test", EndpointFacts.path("actions.test"), {
    params: { action_id: Open.pathParameter },
    payload: Open.struct({
      data: Open.struct({ ...common, limit: optionalKey(NullOr(Int)), offset: optionalKey(NullOr(Int)) })
    }),
    success: Responses.body(Responses.page(Open.struct({}))),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("actions.test"))
)

/**
 * An error of the other app, not of Zapier. `delay` is in seconds.
 *
 * @since 0.1.0
 */
export const RunError = Open.struct({
  code: optionalKey(
    Open.literals("user", "authentication", "partner", "system", "throttled", "system_throttled", "hydration")
  ),
  title: optionalKey(String),
  detail: optionalKey(String),
  delay: optionalKey(Finite),
  meta: optionalKey(NullOr(Open.struct({})))
})

/**
 * A run of an action. `results` may be empty even if the run succeeded.
 *
 * @since 0.1.0
 */
export const ActionRun = Open.struct({
  type: String,
  status: Open.literals("success", "error", "waiting"),
  results: optionalKey(Schema.Array(Open.struct({}))),
  errors: Schema.Array(RunError)
})

/**
 * The group `actionRuns`.
 *
 * @since 0.1.0
 */
export const actionRuns = HttpApiGroup.make("actionRuns").add(
  HttpApiEndpoint.post("create", EndpointFacts.path("actionRuns.create"), {
    payload: Open.struct({ data: Open.struct({ ...common, action: String }) }),
    success: Responses.body(Open.struct({ data: Open.struct({ type: String, id: String }) })),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("actionRuns.create")),
  HttpApiEndpoint.get("get", EndpointFacts.path("actionRuns.get"), {
    params: { id: Open.pathParameter },
    success: Responses.body(Open.struct({ data: ActionRun })),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("actionRuns.get"))
)
