import * as Schema from "effect/Schema"

/** The identifier of the error's schema. */
const id = (name: string) => `@zapier-workflow-auth/core/ZapierAuthError/${name}`

/** Returns the base class of an error. */
export const tagged =
  <Self>() =>
  <const Tag extends string, const Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
    Schema.TaggedError<Self>(id(tag))(tag, fields)
