/** The names of a fake's options. Their values are checked where they are used. */
import * as Schema from "effect/Schema"

const Some = Schema.optional(Schema.Array(Schema.Unknown))

const fields = {
  seed: Schema.optional(Schema.String),
  settings: Schema.optional(Schema.Record(Schema.String, Schema.Unknown)),
  users: Some,
  apps: Some,
  faults: Some
}

/** Options of the state. */
export const OfState = Schema.Struct(fields)

/** Options of the service. */
export const OfService = Schema.Struct({
  ...fields,
  remember: Schema.optional(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
  fetch: Schema.optional(
    Schema.declare((given): given is typeof globalThis.fetch => typeof given === "function", {
      expected: "a function like fetch"
    })
  )
})
