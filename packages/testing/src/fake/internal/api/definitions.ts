/** Schemas of requests and responses from `ZapierApi`, so that client and fake cannot differ. */
import { EndpointFacts } from "@zapier-workflow-auth/core/zapier/api/EndpointFacts"
import type * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
import { ZapierApi } from "@zapier-workflow-auth/core/zapier/ZapierApi"
import type * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import * as Context from "effect/Context"
import * as HttpApi from "effect/http-api/HttpApi"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"

type Side<S> = [S] extends [never] ? undefined : S extends { readonly Type: infer A } ? A : never

/** The decoded input of an operation. */
export interface Asked<N extends Operation.Name> {
  readonly params: Side<ZapierApiClient.Definition<N>["~Params"]>
  readonly query: Side<ZapierApiClient.Definition<N>["~Query"]>
  readonly payload: Side<ZapierApiClient.Definition<N>["~Payload"]>
}

type Codec = (value: unknown) => Result.Result<unknown, SchemaIssue.Issue>

interface Definition {
  readonly params: Codec
  readonly query: Codec
  /** The body, if there is one. */
  readonly payload: Codec | undefined
  /** The response bodies, by status. */
  readonly success: ReadonlyMap<number, Codec>
}

const nothing: Codec = () => Result.succeed(undefined)

// No schema needs a service, so their types may be erased.
type Plain = Schema.Codec<unknown, unknown>

const decoder = (schema: Schema.Top): Codec => {
  const decode = Schema.decodeUnknownResult(schema as unknown as Plain)
  return (value) => Result.mapError(decode(value), ({ issue }) => issue)
}

const encoder = (schema: Schema.Top): Codec => {
  const encode = Schema.encodeUnknownResult(schema as unknown as Plain)
  return (value) => Result.mapError(encode(value), ({ issue }) => issue)
}

const format = SchemaIssue.makeFormatterDefault()

const definitions = new Map<Operation.Name, Definition>()

HttpApi.reflect(ZapierApi, {
  onGroup: () => undefined,
  onEndpoint: ({ endpoint, mergedAnnotations, successes }) => {
    const facts = Option.getOrUndefined(Context.getOption(mergedAnnotations, EndpointFacts))
    if (facts === undefined) return
    const [payload] = [...endpoint.payload.values()].flatMap(({ schemas }) => schemas)
    definitions.set(facts.operation, {
      params: endpoint.params === undefined ? nothing : decoder(endpoint.params),
      query: endpoint.query === undefined ? nothing : decoder(endpoint.query),
      payload: payload === undefined ? undefined : decoder(payload),
      success: new Map([...successes].map(([status, [schema]]) => [status, encoder(schema)]))
    })
  }
})

/** The definition of an operation. */
export const of = (operation: Operation.Name): Definition => {
  const definition = definitions.get(operation)
  if (definition === undefined) throw new Error(`ZapierApi does not define ${operation}`)
  return definition
}

/** Encodes a response, which must be defined. */
export const encode = (operation: Operation.Name, status: number, body: unknown): unknown => {
  const codec = of(operation).success.get(status)
  if (codec === undefined) throw new Error(`ZapierApi does not define a response ${status} of ${operation}`)
  return Result.getOrThrowWith(codec(body), (issue) => new Error(`${operation}: ${format(issue)}`))
}
