/**
 * The apps that Zapier connects, and their categories.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Open from "../../internal/openSchema.ts"
import * as EndpointFacts from "./EndpointFacts.ts"
import * as Responses from "./Responses.ts"

const { Boolean, Finite, Int, NullOr, String, Unknown, optional, optionalKey } = Schema

/**
 * The category of an app, by its short name.
 *
 * @since 0.1.0
 */
export const AppCategory = Open.struct({ slug: String })

/**
 * An app of version 2.
 *
 * `links` leads to the page where a user connects the app, if the request used a user's token. The entries of `action_types`
 * are not documented.
 *
 * @since 0.1.0
 */
export const App = Open.struct({
  id: String,
  type: optionalKey(String),
  image: String,
  links: Open.struct({}),
  action_types: Schema.Array(Unknown),
  title: String,
  images: Responses.Images,
  hex_color: String,
  categories: Schema.Array(AppCategory),
  description: String
})

/**
 * An app of version 1.
 *
 * @since 0.1.0
 */
export const AppV1 = Open.struct({
  uuid: String,
  title: String,
  slug: String,
  description: String,
  image: String,
  url: String,
  links: Open.struct({}),
  categories: Schema.Array(AppCategory),
  images: Open.struct({}),
  app_latest: String
})

/**
 * An app that a White Label partner's users can connect.
 *
 * @since 0.1.0
 */
export const WhitelabelApp = Open.struct({
  type: String,
  id: String,
  title: String,
  image: String,
  is_oauth: Boolean,
  has_fields: Boolean,
  has_byoc: Boolean,
  links: Open.struct({ mcp_authorize_url: String, mcp_server_url: String })
})

/**
 * A page of `apps.list`. Only here may `meta` and `links` be null, and `prev` is called `previous`.
 *
 * @since 0.1.0
 */
export const AppPage = Open.struct({
  data: Schema.Array(App),
  meta: NullOr(Responses.FreeformMeta),
  links: NullOr(Open.struct({ next: optionalKey(NullOr(String)), previous: optionalKey(NullOr(String)) }))
})

/**
 * A page of `apps.listV1`. Zapier documents both links as text, but the first and last page must lack one.
 *
 * @since 0.1.0
 */
export const AppPageV1 = Open.struct({
  total: Finite,
  page: Finite,
  pages: Finite,
  per_page: Finite,
  objects: Schema.Array(AppV1),
  prev_url: optionalKey(NullOr(String)),
  next_url: optionalKey(NullOr(String))
})

/**
 * The group `apps`.
 *
 * @since 0.1.0
 */
export const apps = HttpApiGroup.make("apps").add(
  HttpApiEndpoint.get("list", EndpointFacts.path("apps.list"), {
    query: {
      category: optional(String),
      ids: optional(Open.commaSeparated),
      limit: optional(Int),
      offset: optional(Int),
      query: optional(String)
    },
    success: Responses.body(AppPage),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("apps.list")),
  HttpApiEndpoint.get("listV1", EndpointFacts.path("apps.listV1"), {
    query: {
      category: optional(String),
      // Zapier documents that setting it has an effect, but not its values.
      is_in_zap_template_with: optional(String),
      page: optional(Int),
      per_page: optional(Int),
      title_search: optional(String),
      title_starts_with: optional(String)
    },
    success: Responses.body(AppPageV1),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("apps.listV1")),
  HttpApiEndpoint.get("listWhitelabel", EndpointFacts.path("apps.listWhitelabel"), {
    query: {
      category: optional(String),
      limit: optional(Int),
      offset: optional(Int),
      search: optional(String)
    },
    success: Responses.body(Responses.freeformPage(WhitelabelApp)),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("apps.listWhitelabel"))
)

/**
 * A category, with its description.
 *
 * @since 0.1.0
 */
export const Category = Open.struct({
  id: Finite,
  title: String,
  slug: String,
  description: String,
  url: String,
  type_of: String,
  featured_entry_slug: NullOr(String),
  role: String
})

/**
 * The group `categories`.
 *
 * @since 0.1.0
 */
export const categories = HttpApiGroup.make("categories").add(
  HttpApiEndpoint.get("list", EndpointFacts.path("categories.list"), {
    query: { limit: optional(Int), offset: optional(Int) },
    success: Responses.body(Responses.pageV1(Category)),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("categories.list"))
)
