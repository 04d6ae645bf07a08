/**
 * The Zaps of a user, and their runs.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as Open from "../../internal/openSchema.ts"
import { Action, Inputs } from "./Actions.ts"
import { Authentication } from "./Authentications.ts"
import * as EndpointFacts from "./EndpointFacts.ts"
import * as Responses from "./Responses.ts"

const { Boolean, Finite, Int, NullOr, String, Unknown, optional, optionalKey } = Schema

/**
 * A step of a Zap. `action` and `authentication` are ids, or whole objects if expanded. `inputs` is not documented.
 *
 * @since 0.1.0
 */
export const Step = Open.struct({
  action: Schema.Union([String, Action]),
  authentication: NullOr(Schema.Union([String, Authentication])),
  inputs: Unknown,
  title: NullOr(String)
})

/**
 * A Zap of version 2.
 *
 * @since 0.1.0
 */
export const Zap = Open.struct({
  type: String,
  id: String,
  is_enabled: optionalKey(Boolean),
  last_successful_run_date: NullOr(String),
  updated_at: String,
  title: String,
  links: Open.struct({ html_editor: optionalKey(String) }),
  steps: Schema.Array(Schema.Union([String, Step]))
})

/**
 * An app in a step of version 1.
 *
 * @since 0.1.0
 */
export const StepAppV1 = Open.struct({
  id: Finite,
  uuid: String,
  title: String,
  slug: String,
  description: String,
  hex_color: String,
  image: String,
  images: Responses.Images,
  api: String,
  url: String
})

/**
 * A Zap of version 1. Here `id` is a number.
 *
 * @since 0.1.0
 */
export const ZapV1 = Open.struct({
  id: Finite,
  title: String,
  state: Open.literals("on", "off"),
  steps: Schema.Array(
    Open.struct({
      type_of: Open.literals("read", "write", "filter", "search", "search_or_write"),
      app: StepAppV1,
      params: NullOr(Open.struct({}))
    })
  ),
  url: String,
  modified_at: String
})

/**
 * A step of a Zap to create or edit. Later steps refer to it by `alias`.
 *
 * @since 0.1.0
 */
export const NewStep = Open.struct({
  action: String,
  inputs: Inputs,
  authentication: NullOr(String),
  alias: optionalKey(
    NullOr(String.check(Schema.isMaxLength(64), Schema.isPattern(/^[a-z][a-z0-9_]*$/, { expected: "snake_case" })))
  )
})

// Query parameters whose names depend on the app.
const filtered = <const F extends Schema.Struct.Fields, const P extends Schema.TemplateLiteral.Parts>(
  fields: F,
  ...key: P
) =>
  Schema.StructWithRest(Schema.Struct(fields), [Schema.Record(Schema.TemplateLiteral(key), Schema.UndefinedOr(String))])

const expand = optional(Open.commaSeparated)

/**
 * An app in a guess, with its title and API name.
 *
 * @since 0.1.0
 */
export const GuessedStep = Open.struct({ title: NullOr(String), app: String, api: String })

/**
 * The Zap that a sentence describes. The entries of `messages` are not documented.
 *
 * @since 0.1.0
 */
export const Guess = Open.struct({
  title: String,
  steps: Schema.Array(Open.struct({ step: GuessedStep, alternatives: Schema.Array(GuessedStep) })),
  prefilled_url: String,
  messages: optionalKey(Schema.Array(Open.struct({})))
})

/**
 * The reasons why a sentence led to no guess. It lacks the envelope of other errors.
 *
 * @since 0.1.0
 */
export const NoGuess = Open.struct({ messages: optionalKey(Schema.Array(Open.struct({}))) })

/**
 * The group `zaps`. Zapier's documentation was not found to describe the responses to `update`, `remove` and `enable`.
 *
 * @since 0.1.0
 */
export const zaps = HttpApiGroup.make("zaps").add(
  HttpApiEndpoint.get("list", EndpointFacts.path("zaps.list"), {
    query: filtered(
      { expand, include_shared: optional(Boolean), limit: optional(Int), offset: optional(Int) },
      "inputs[",
      String,
      "]"
    ),
    success: Responses.body(Responses.freeformPage(Zap)),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("zaps.list")),
  HttpApiEndpoint.get("listV1", EndpointFacts.path("zaps.listV1"), {
    query: filtered(
      // Zapier documents that setting it has an effect, but not its values.
      { get_params: optional(String), limit: optional(Int), offset: optional(Int) },
      "params__",
      String
    ),
    success: Responses.body(Responses.pageV1(ZapV1)),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("zaps.listV1")),
  HttpApiEndpoint.post("create", EndpointFacts.path("zaps.create"), {
    query: { expand },
    payload: Open.struct({ data: Open.struct({ steps: Schema.Array(NewStep), title: String }) }),
    success: Responses.body(Zap, 201),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("zaps.create")),
  HttpApiEndpoint.patch("update", EndpointFacts.path("zaps.update"), {
    params: { id: Open.pathParameter },
    payload: Open.struct({
      data: Open.struct({ steps: optionalKey(Schema.Array(NewStep)), title: optionalKey(String) })
    }),
    success: Responses.undocumented,
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("zaps.update")),
  HttpApiEndpoint.delete("remove", EndpointFacts.path("zaps.remove"), {
    params: { id: Open.pathParameter },
    success: Responses.undocumented,
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("zaps.remove")),
  HttpApiEndpoint.post("enable", EndpointFacts.path("zaps.enable"), {
    params: { id: Open.pathParameter },
    success: Responses.undocumented,
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("zaps.enable")),
  HttpApiEndpoint.post("guess", EndpointFacts.path("zaps.guess"), {
    payload: Open.struct({ description: Schema.NonEmptyString }),
    success: Responses.body(Guess),
    error: [...Responses.errors, NoGuess.pipe(HttpApiSchema.status(400))]
  }).annotateMerge(EndpointFacts.of("zaps.guess"))
)

/**
 * A run of a Zap. `data_in` and `data_out` are not documented.
 *
 * @since 0.1.0
 */
export const ZapRun = Open.struct({
  id: String,
  zap_id: Finite,
  start_time: optionalKey(NullOr(String)),
  end_time: optionalKey(NullOr(String)),
  status: String,
  zap_title: NullOr(String),
  steps: NullOr(Schema.Array(Open.struct({ status: NullOr(String), start_time: optionalKey(NullOr(String)) }))),
  data_in: optionalKey(Unknown),
  data_out: optionalKey(Unknown)
})

/**
 * The group `zapRuns`.
 *
 * @since 0.1.0
 */
export const zapRuns = HttpApiGroup.make("zapRuns").add(
  HttpApiEndpoint.get("list", EndpointFacts.path("zapRuns.list"), {
    query: {
      from_date: optional(String),
      limit: optional(Int),
      offset: optional(Int),
      search: optional(String),
      statuses: optional(
        Open.commaSeparatedLiterals(
          "delayed",
          "scheduled",
          "pending",
          "error",
          "error_handled",
          "halted",
          "throttled",
          "held",
          "filtered",
          "skipped",
          "success"
        )
      ),
      to_date: optional(String),
      zap_id: optional(Int)
    },
    success: Responses.body(Responses.pageOrNone(ZapRun)),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("zapRuns.list"))
)
