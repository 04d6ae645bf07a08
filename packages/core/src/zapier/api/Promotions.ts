/**
 * Promotions: the app enrolls an account on behalf of its user, and unenrolls it as itself.
 *
 * Source: Zapier's pages "Create", "Get" and "Delete Promotion Enrollment".
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Open from "../../internal/openSchema.ts"
import * as EndpointFacts from "./EndpointFacts.ts"
import * as Responses from "./Responses.ts"

const { Finite, NullOr, String } = Schema

/**
 * An enrollment.
 *
 * @since 0.1.0
 */
export const Enrollment = Open.struct({
  promotion_id: String,
  enrollment_date: NullOr(String),
  expiration_date: NullOr(String),
  task_limit_per_month: NullOr(Finite),
  tasks_used_this_month: Finite,
  status: String
})

/**
 * The group `promotions`. The response to `remove` is not documented.
 *
 * @since 0.1.0
 */
export const promotions = HttpApiGroup.make("promotions").add(
  HttpApiEndpoint.post("create", EndpointFacts.path("promotions.create"), {
    payload: Open.struct({ promotion_id: String }),
    success: Responses.body(Open.struct({ enrollment_id: String }), 201),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("promotions.create")),
  HttpApiEndpoint.get("get", EndpointFacts.path("promotions.get"), {
    params: { enrollment_id: Open.pathParameter },
    success: Responses.body(Enrollment),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("promotions.get")),
  HttpApiEndpoint.delete("remove", EndpointFacts.path("promotions.remove"), {
    params: { enrollment_id: Open.pathParameter },
    success: Responses.undocumented,
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("promotions.remove"))
)
