/**
 * The profile of a user at Zapier.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Open from "../../internal/openSchema.ts"
import * as EndpointFacts from "./EndpointFacts.ts"
import * as Responses from "./Responses.ts"

/**
 * A user's profile.
 *
 * @since 0.1.0
 */
export const Profile = Open.struct({
  id: Schema.Finite,
  first_name: Schema.String,
  last_name: Schema.String,
  full_name: Schema.String,
  email: Schema.String,
  email_confirmed: Schema.Boolean,
  timezone: Schema.String
})

/**
 * The group `profiles`.
 *
 * @since 0.1.0
 */
export const profiles = HttpApiGroup.make("profiles").add(
  HttpApiEndpoint.get("me", EndpointFacts.path("profiles.me"), {
    success: Responses.body(Profile),
    error: Responses.errors
  }).annotateMerge(EndpointFacts.of("profiles.me"))
)
