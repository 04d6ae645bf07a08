/**
 * Zap templates: Zaps that a user can start from.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Open from "../../internal/openSchema.ts"
import * as EndpointFacts from "./EndpointFacts.ts"
import * as Responses from "./Responses.ts"

const { Finite, Int, NullOr, String, optional } = Schema

/**
 * A step of a template.
 *
 * @since 0.1.0
 */
export const ZapTemplateStep = Open.struct({
  id: NullOr(Finite),
  uuid: String,
  title: String,
  slug: String,
  description: String,
  image: String,
  hex_color: String,
  images: Responses.Images,
  api: String,
  url: String,
  label: NullOr(String)
})

/**
 * A template.
 *
 * @since 0.1.0
 */
export const ZapTemplate = Open.struct({
  id: Finite,
  steps: Schema.Array(ZapTemplateStep),
  title: String,
  slug: String,
  status: Open.literals("draft", "published"),
  description_plain: String,
  description_raw: String,
  url: String,
  description: String,
  create_url: String,
  type: String
})

/**
 * The group `zapTemplates`. A page is the list itself, without an envelope.
 *
 * @since 0.1.0
 */
export const zapTemplates = HttpApiGroup.make("zapTemplates").add(
  HttpApiEndpoint.get("list", EndpointFacts.path("zapTemplates.list"), {
    query: { apps: optional(Open.commaSeparated), limit: optional(Int), offset: optional(Int) },
    success: Responses.body(Schema.Array(ZapTemplate)),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("zapTemplates.list"))
)
