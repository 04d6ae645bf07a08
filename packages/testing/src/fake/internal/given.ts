/** Validates a test's input for the fake, and says what is wrong with it, where, and which names are known. */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"

type Path = ReadonlyArray<PropertyKey>

const place = (path: Path): string =>
  path
    .map((key) => {
      if (typeof key === "number") return `[${key}]`
      const text = String(key)
      return /^[\w$]+$/.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`
    })
    .join("")
    .replace(/^\./, "")

const membersOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => String(name)) : []

const tagOf = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (!SchemaAST.isObjects(ast)) return []
  const tag = ast.propertySignatures.find(({ name }) => name === "_tag")?.type
  return tag !== undefined && SchemaAST.isLiteral(tag) ? [String(tag.literal)] : []
}

const valueAt = (input: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (Predicate.hasProperty(value, key) ? value[key] : undefined), input)

const standard = SchemaIssue.makeFormatterStandardSchemaV1()

// A tag is not secret, and a wrong one is easily recognized.
const wrongTag = (input: unknown, path: Path, tags: ReadonlyArray<string>): string => {
  const tag = valueAt(input, path)
  const given = typeof tag === "string" ? JSON.stringify(tag.slice(0, 40)) : "missing"
  return `${place(path)} is ${given}; use one of ${tags.join(", ")}`
}

const describe = (issue: SchemaIssue.Issue, input: unknown, path: Path): ReadonlyArray<string> => {
  if (issue._tag === "Pointer") return describe(issue.issue, input, [...path, ...issue.path])
  if (issue._tag === "Encoding") return describe(issue.issue, input, path)
  if (issue._tag === "Composite" || (issue._tag === "AnyOf" && issue.issues.length > 0)) {
    return issue.issues.flatMap((issue) => describe(issue, input, path))
  }
  if (issue._tag === "UnexpectedKey") return [`${place(path)} is unknown; known: ${membersOf(issue.ast).join(", ")}`]
  if (issue._tag === "InvalidType" && SchemaAST.isNever(issue.ast)) {
    return [`${place(path)} is unknown; no member is allowed`]
  }
  const tags = issue._tag === "AnyOf" ? issue.ast.types.flatMap(tagOf) : []
  if (tags.length > 0) return [wrongTag(input, [...path, "_tag"], tags)]
  const where = path.length === 0 ? "" : `${place(path)}: `
  return standard(issue).issues.map(({ message }) => `${where}${message}`)
}

/**
 * Reads input by a schema. Errors name places and known names, but no values.
 * @param what the name of the input, as the subject of a sentence
 */
export const parse = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, what: string) => {
  const decode = Schema.decodeUnknownResult(schema, { onExcessProperty: "error", errors: "all" })
  return (input: unknown): Result.Result<S["Type"], string> =>
    Result.mapError(
      decode(input),
      ({ issue }) => `${what} cannot be used: ${[...new Set(describe(issue, input, []))].join(". ")}.`
    )
}
