/** What the fake responds with always decodes, by the definitions that clients decode it by. */
import { describe, expect, it } from "@effect/vitest"
import { EndpointFacts } from "@zapier-workflow-auth/core/zapier/api/EndpointFacts"
import * as Responses from "@zapier-workflow-auth/core/zapier/api/Responses"
import { NoGuess } from "@zapier-workflow-auth/core/zapier/api/Zaps"
import type * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
import { ZapierApi } from "@zapier-workflow-auth/core/zapier/ZapierApi"
import * as Arbitrary from "effect/Arbitrary"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as UrlParams from "effect/http/UrlParams"
import * as Schema from "effect/Schema"
import * as Catalog from "../../src/fake/internal/api/catalog.ts"
import * as Flow from "../utils/flow.ts"

type Plain = Schema.Codec<unknown, unknown>

interface Defined {
  readonly operation: Operation.Name
  readonly method: string
  readonly path: string
  readonly params: Plain
  readonly query: Plain
  readonly payload: Plain
  readonly success: ReadonlyMap<number, Plain>
}

const none: Plain = Schema.Struct({})

const defined: Array<Defined> = []

HttpApi.reflect(ZapierApi, {
  onGroup: () => undefined,
  onEndpoint: ({ endpoint, mergedAnnotations, successes }) => {
    const { operation } = Context.get(mergedAnnotations as Context.Context<EndpointFacts>, EndpointFacts)
    const [payload = none] = [...endpoint.payload.values()].flatMap(({ schemas }) => schemas)
    defined.push({
      operation,
      method: endpoint.method,
      path: endpoint.path,
      params: (endpoint.params ?? none) as Plain,
      query: (endpoint.query ?? none) as Plain,
      payload: payload as Plain,
      success: new Map([...successes].map(([status, [schema]]) => [status, schema as unknown as Plain]))
    })
  }
})

const scope =
  "profile zap zap:write zap:update zap:delete zap:runs action:run connection:read connection:write promotions:read promotions:write"

// A user with an enrollment and a run, by whom everything is asked.
const begin = () => {
  const fake = Flow.make({ settings: { onlyPartnersDeleteZaps: false } })
  const token = fake.connect({ scope }).access_token
  const [read, write] = ["READ", "WRITE"].map((type) => Catalog.actions.find((action) => action.type === type))
  const [authentication, other] = [write, read].map(
    (action) => fake.call(200, "GET", `/v2/authentications?app=${action?.app.uuid}`, token).data[0]
  )
  const data = { action: write?.id, authentication: authentication.id, inputs: { workspace: "w", title: "t" } }
  const run = fake.call(200, "POST", "/v2/action-runs", token, { data }).data.id
  const enrollment = fake.call(201, "POST", "/v2/promotions", token, { promotion_id: "p" }).enrollment_id
  const [zap] = fake.call(200, "GET", "/v2/zaps", token).data
  const known: { readonly [name: string]: ReadonlyArray<unknown> } = {
    id: [zap.id, run],
    action_id: [read?.id, write?.id],
    input_id: ["workspace", "title"],
    enrollment_id: [enrollment],
    authentication_id: [authentication.id],
    app: [write?.app.uuid],
    action: [write?.id],
    authentication: [authentication.id, null],
    promotion_id: ["p"],
    limit: [5],
    offset: [0, 5],
    page: [1, 2],
    per_page: [5],
    action_type: ["READ", "WRITE"],
    from_date: ["1969-01-01"],
    to_date: ["2030-01-01"],
    statuses: ["success,error"],
    search: ["a"],
    ids: [write?.app.uuid],
    category: ["crm"],
    description: ["Post Typeform entries to Slack"],
    zap_id: [100_100],
    // Steps that make a Zap.
    steps: [[{ ...data, action: read?.id, authentication: other.id }, data]]
  }
  return { fake, token, known }
}

// Some members get a value that the fake knows, so that not all of them are refused.
const withKnown = (value: unknown, known: ReturnType<typeof begin>["known"], draw: () => number): unknown => {
  if (Array.isArray(value)) return value.map((element) => withKnown(element, known, draw))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const values = known[name]
      const drawn = draw()
      return values !== undefined && drawn % 4 !== 0
        ? [name, values[drawn % values.length]]
        : [name, withKnown(member, known, draw)]
    })
  )
}

const Draws = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))).check(
  Schema.isMinLength(8),
  Schema.isMaxLength(8)
)

// Asks, checks what comes back, and says whether it was a success.
const trial = (one: Defined, drawn: { readonly [part: string]: unknown }, draws: ReadonlyArray<number>): boolean => {
  const { method, operation, params, path, payload, query, success } = one
  const { fake, known, token } = begin()
  let next = 0
  const draw = () => draws[next++ % draws.length] ?? 0
  const encoded = (schema: Plain, value: unknown) =>
    withKnown(Schema.encodeUnknownSync(schema)(value), known, draw) as { readonly [name: string]: string }
  const ids = encoded(params, drawn["params"])
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(ids[name] ?? ""))
  const asked = { ...encoded(query, drawn["query"]), client_id: fake.app.clientId }
  const bearer = operation === "promotions.remove" ? fake.appToken().json.access_token : token
  const body = payload === none ? undefined : encoded(payload, drawn["payload"])
  const response = fake.api(method, `${filled}?${UrlParams.toString(UrlParams.fromInput(asked))}`, bearer, body)
  const received: unknown = response.body === "" ? undefined : JSON.parse(response.body)
  const codec = success.get(response.status)
  if (codec === undefined) {
    expect([400, 403, 404]).toContain(response.status)
    const errors =
      operation === "zaps.guess" ? Schema.Union([Responses.ErrorResponse, NoGuess]) : Responses.ErrorResponse
    expect(Schema.decodeUnknownSync(errors as Plain)(received)).toEqual(received)
    return false
  }
  expect(response.status === 204 ? undefined : Schema.decodeUnknownSync(codec)(received)).toEqual(received)
  return true
}

describe("the fake's responses decode", () => {
  it.effect.each(defined.map((one) => [one.operation, one] as const))("%s", ([, one]) =>
    Effect.gen(function* () {
      let successes = 0
      const drawn = Arbitrary.all({
        params: Arbitrary.schema(one.params),
        query: Arbitrary.schema(one.query),
        payload: Arbitrary.schema(one.payload),
        draws: Arbitrary.schema(Draws)
      })
      const result = yield* Arbitrary.checkEffect(
        drawn,
        ({ draws, ...parts }) => {
          if (trial(one, parts, draws)) successes++
          return true
        },
        { runs: 40 }
      )
      expect(Arbitrary.formatCheckFailure(result)).toBeUndefined()
      expect(successes).toBeGreaterThan(0)
    })
  )
})
