import * as Schema from "effect/Schema"

/** What the schema of an error is named in others' output. */
const id = (name: string) => `@zapier-workflow-auth/core/ZapierAuthError/${name}`

/** The class that an error extends, with its name said once. */
export const tagged =
  <Self>() =>
  <const Tag extends string, const Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
    Schema.TaggedError<Self>(id(tag))(tag, fields)
