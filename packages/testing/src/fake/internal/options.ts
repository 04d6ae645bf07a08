/** Which options a fake has. What is in them, those say who take them. */
import * as Schema from "effect/Schema"

const Some = Schema.optional(Schema.Array(Schema.Unknown))

const fields = {
  seed: Schema.optional(Schema.String),
  knobs: Schema.optional(Schema.Record(Schema.String, Schema.Unknown)),
  users: Some,
  apps: Some,
  faults: Some
}

/** Of its state. */
export const OfState = Schema.Struct(fields)

/** Of the service. */
export const OfService = Schema.Struct({
  ...fields,
  remember: Schema.optional(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
  fetch: Schema.optional(
    Schema.declare((given): given is typeof globalThis.fetch => typeof given === "function", {
      expected: "a function like fetch"
    })
  )
})
