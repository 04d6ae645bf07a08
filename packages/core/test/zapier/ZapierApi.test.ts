import { assert, describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { EndpointFacts } from "../../src/zapier/api/EndpointFacts.ts"
import * as Endpoint from "../../src/zapier/Endpoint.ts"
import * as Operation from "../../src/zapier/Operation.ts"
import { ZapierApi } from "../../src/zapier/ZapierApi.ts"
import * as TestZapier from "../utils/TestZapier.ts"
import * as TypedZapier from "../utils/TypedZapier.ts"

type AnySchema = Schema.Codec<unknown, unknown>

interface Defined {
  readonly operation: Operation.Name
  readonly endpoint: HttpApiEndpoint.Top
  readonly facts: typeof EndpointFacts.Service
  readonly success: ReadonlyMap<number, AnySchema>
}

const defined: Array<Defined> = []

HttpApi.reflect(ZapierApi, {
  onGroup: () => undefined,
  onEndpoint: ({ endpoint, group, mergedAnnotations, successes }) => {
    defined.push({
      operation: `${group.identifier}.${endpoint.identifier}` as Operation.Name,
      endpoint,
      facts: Context.get(mergedAnnotations as Context.Context<EndpointFacts>, EndpointFacts),
      success: new Map([...successes].map(([status, [schema]]) => [status, schema as unknown as AnySchema]))
    })
  }
})

const bodyOf = ({ success }: Defined): AnySchema => success.get(200) ?? Schema.Unknown

describe("ZapierApi", () => {
  it("has each endpoint of the table but the consent page, with its method, path, credentials and scopes", () => {
    const rows = defined.map(({ endpoint: { method, path }, facts: { modes, scopes } }) => [
      `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`,
      { modes, scopes }
    ])
    const { "GET /v2/authorize": _, ...table } = Endpoint.table
    const expected = Object.entries(table).map(([name, { modes, scopes }]) => [name, { modes, scopes }])
    assert.deepStrictEqual(Object.fromEntries(rows), Object.fromEntries(expected))
    assert.lengthOf(rows, Object.keys(table).length)
  })

  it("has the operations by their names, and nothing else", () => {
    assert.deepStrictEqual(defined.map(({ operation }) => operation).sort(), [...Operation.names].sort())
    for (const { facts, operation } of defined) {
      assert.deepStrictEqual([facts.operation, facts.name], [operation, Operation.table[operation]])
    }
  })

  it("describes the parameters of each path", () => {
    for (const { endpoint, facts } of defined) {
      const names = [...facts.name.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      assert.strictEqual(endpoint.params === undefined, names.length === 0, facts.name)
      if (endpoint.params === undefined) continue
      const decode = Schema.decodeUnknownResult(endpoint.params as unknown as AnySchema)
      const whole = Object.fromEntries(names.map((name) => [name, "1"]))
      assert.deepStrictEqual(Result.getOrThrow(decode({ ...whole, other: "1" })), whole)
      assert.isTrue(Result.isFailure(decode({})))
    }
  })
})

const isPlain = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const mapMembers = (value: unknown, change: (member: unknown) => unknown): unknown =>
  Array.isArray(value)
    ? value.map(change)
    : isPlain(value)
      ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(member)]))
      : value

// The same with a member more in each object.
const extended = (value: unknown): unknown => {
  const members = mapMembers(value, extended)
  return isPlain(members) ? { ...members, unheard_of: [1, null] } : members
}

// The same with another value at one place.
const replaced = (value: unknown, place: number, by: unknown): unknown => {
  let left = place
  const walk = (value: unknown): unknown => (left-- === 0 ? by : mapMembers(value, walk))
  return walk(value)
}

const sizeOf = (value: unknown): number => {
  let size = 0
  const walk = (value: unknown): unknown => {
    size++
    return mapMembers(value, walk)
  }
  walk(value)
  return size
}

const Replacement = Schema.Struct({ place: Schema.Natural, by: Schema.Json })

// Each of a hundred responses, changed at ten places: a thousand of each schema.
describe.each(defined.map((one) => [one.operation, one] as const))("responses of %s", (_, one) => {
  const schema = bodyOf(one)
  const decode = Schema.decodeUnknownResult(schema)
  const encode = Schema.encodeUnknownResult(schema)

  it.prop(
    "survive decoding whole, with members that are not known, or fail where they are changed",
    {
      body: schema,
      replacements: Schema.Array(Replacement).check(Schema.isMinLength(10), Schema.isMaxLength(10)),
      other: Schema.Json
    },
    ({ body, other, replacements }) => {
      const sent = extended(JSON.parse(JSON.stringify(Result.getOrThrow(encode(body)) ?? null)))
      expect(Result.getOrThrow(decode(sent))).toEqual(sent)
      const size = sizeOf(sent)
      for (const changed of [other, ...replacements.map(({ by, place }) => replaced(sent, place % size, by))]) {
        const decoded = decode(changed)
        if (Result.isSuccess(decoded)) expect(decoded.success).toEqual(changed)
        else expect(Schema.isSchemaError(decoded.failure)).toBe(true)
      }
    },
    { arbitrary: { runs: 100 } }
  )
})

it("values of lists that are not known survive, too", () => {
  const zap = { ...TypedZapier.zap("1"), is_enabled: false, kind: "agent" }
  const page = { links: { next: null, last: "x" }, meta: { count: 1, total: 2 }, data: [zap] }
  const list = defined.find(({ operation }) => operation === "zaps.list")
  const run = defined.find(({ operation }) => operation === "actionRuns.get")
  assert.isDefined(list)
  assert.isDefined(run)
  assert.deepStrictEqual(Schema.decodeSync(bodyOf(list))(page), page)
  const paused = { data: { type: "run", status: "paused", errors: [{ code: "quota", meta: { a: 1 } }] } }
  assert.deepStrictEqual(Schema.decodeSync(bodyOf(run))(paused), paused)
})

// What the client makes of whatever a server responds with.
const Any = Arbitrary.all({
  status: Arbitrary.schema(
    Schema.Literals([200, 200, 200, 201, 202, 206, 301, 400, 401, 403, 404, 409, 418, 429, 500, 503])
  ),
  text: Arbitrary.schema(Schema.Union([Schema.fromJsonString(Schema.Json), Schema.String]))
})

it.effect.prop(
  "the client returns the decoded body or one of its errors for any response",
  { responses: Arbitrary.array(Any, { minLength: 20, maxLength: 20 }) },
  ({ responses }) =>
    TypedZapier.run(
      responses.map(({ status, text }) => TestZapier.respond(status, text)),
      (client) =>
        Effect.gen(function* () {
          for (const _ of responses) {
            const result = yield* Effect.result(client.categories.list())
            if (Result.isSuccess(result)) assert.isArray(result.success.objects)
            else assert.include(["ZapierApiError", "UnexpectedResponse"], result.failure._tag)
          }
        }),
      { retry: false }
    ),
  { arbitrary: { runs: 50 } }
)
