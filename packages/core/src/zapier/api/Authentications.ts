/**
 * A user's accounts in other apps. Zapier's newer pages call them connections.
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

const { Boolean, Int, String, Unknown, optional } = Schema

/**
 * An account in another app. `app` is an id, or the whole app if expanded.
 *
 * @since 0.1.0
 */
export const Authentication = Open.struct({
  type: String,
  id: String,
  app: Schema.Union([String, App]),
  is_expired: Boolean,
  title: String
})

/**
 * The group `authentications`. The response to `remove` is not documented.
 *
 * @since 0.1.0
 */
export const authentications = HttpApiGroup.make("authentications").add(
  HttpApiEndpoint.get("list", EndpointFacts.path("authentications.list"), {
    query: { app: String, limit: optional(Int), offset: optional(Int) },
    success: Responses.body(Responses.pageOrNone(Authentication)),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("authentications.list")),
  HttpApiEndpoint.post("create", EndpointFacts.path("authentications.create"), {
    payload: Open.struct({
      data: Open.struct({
        title: String.check(Schema.isMaxLength(255)),
        app: String,
        authentication_fields: Schema.Record(String, Unknown)
      })
    }),
    success: Responses.body(Responses.pageOrNone(Authentication), 201),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("authentications.create")),
  HttpApiEndpoint.delete("remove", EndpointFacts.path("authentications.remove"), {
    params: { authentication_id: Open.pathParameter },
    success: Responses.undocumented,
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("authentications.remove"))
)
