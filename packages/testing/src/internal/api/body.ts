/** JSON bodies, which a schema has to accept. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { FakeRequest, FakeResponse } from "../../FakeHttp.ts"
import * as Parse from "../parse.ts"
import * as Problem from "./problem.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const refuse = (issue: SchemaIssue.Issue): FakeResponse => {
  const [first] = format(issue).issues
  const path = (first?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part))
  return Problem.malformed(first?.message ?? "Malformed request.", { pointer: path.map((part) => `/${part}`).join("") })
}

export const parse = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S
): ((request: FakeRequest) => Result.Result<S["Type"], FakeResponse>) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (request) => {
    const json = Parse.json(request)
    return json === undefined
      ? Result.fail(Problem.malformed("The body is not JSON, sent as application/json."))
      : Result.mapError(decode(json), ({ issue }) => refuse(issue))
  }
}

/** What a user fills in: any values by name. */
export const Inputs = Schema.Record(Schema.String, Schema.Unknown)

/** Zapier's requests have everything in `data`. */
export const data = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => parse(Schema.Struct({ data: schema }))
