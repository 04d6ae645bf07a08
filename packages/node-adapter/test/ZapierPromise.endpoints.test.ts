/** Typed calls: every endpoint of the definition against the fake, and what programs in JavaScript give by mistake. */
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { EndpointFacts } from "@zapier-workflow-auth/core/zapier/api/EndpointFacts"
import * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
import { ZapierApi } from "@zapier-workflow-auth/core/zapier/ZapierApi"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as Context from "effect/Context"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import * as EndpointsWorld from "./utils/EndpointsWorld.ts"
import { valueOf } from "./utils/valueOf.ts"

const { make, subject, untyped } = EndpointsWorld

interface Defined {
  readonly operation: Operation.Name
  readonly modes: ReadonlyArray<string>
  readonly parts: { readonly [part: string]: Schema.Top | undefined }
}

const defined: Array<Defined> = []

HttpApi.reflect(ZapierApi, {
  onGroup: () => undefined,
  onEndpoint: ({ endpoint, mergedAnnotations }) => {
    const facts = Context.get(mergedAnnotations as Context.Context<EndpointFacts>, EndpointFacts)
    const [payload] = [...endpoint.payload.values()].flatMap(({ schemas }) => schemas)
    defined.push({
      operation: facts.operation,
      modes: facts.modes,
      parts: { params: endpoint.params, query: endpoint.query, payload }
    })
  }
})

type Known = { readonly [name: string]: unknown }

// The least that fits, with what the fake knows where it knows something by that name.
const example = (ast: SchemaAST.AST, known: Known): unknown => {
  if (ast._tag === "Union") return ast.types[0] && example(ast.types[0], known)
  if (ast._tag === "Arrays") return []
  if (ast._tag === "Boolean") return true
  if (ast._tag === "Number") return 1
  if (ast._tag !== "Objects") return "text"
  return Object.fromEntries(
    ast.propertySignatures
      .filter(({ name, type }) => type.context?.isOptional !== true || Object.hasOwn(known, name))
      .map(({ name, type }) => [name, Object.hasOwn(known, name) ? known[String(name)] : example(type, known)])
  )
}

type AnyCall = (request: unknown) => Promise<ZapierPromise.Result<unknown, ZapierPromise.ApiFailure>>

const callOf = (zapier: ZapierPromise.ZapierPromise, operation: Operation.Name): AnyCall => {
  const { group, method } = Operation.parts(operation)
  const call = untyped<{ readonly [group: string]: { readonly [method: string]: AnyCall } }>(zapier)[group]?.[method]
  if (call === undefined) throw new Error(`${operation} is not there`)
  return call
}

const isPlain = (value: unknown): boolean =>
  value === null ||
  ["string", "number", "boolean", "undefined"].includes(typeof value) ||
  (Array.isArray(value)
    ? value.every(isPlain)
    : Object.getPrototypeOf(value) === Object.prototype && Object.values(value as object).every(isPlain))

// What the fake has for this user: read by the very calls.
const known = async (zapier: ZapierPromise.ZapierPromise, operation: Operation.Name): Promise<Known> => {
  const apps = valueOf(await zapier.apps.list({ subject }))
  for (const { id: app } of apps.data) {
    const { data: actions = [] } = valueOf(await zapier.actions.list({ subject, query: { app, action_type: "WRITE" } }))
    const action = actions[0]?.id
    const { data: found = [] } = valueOf(await zapier.authentications.list({ subject, query: { app } }))
    const authentication = found[0]?.id
    if (action === undefined || authentication === undefined) continue
    const inputs = { workspace: "w", title: "t" }
    const run = valueOf(
      await zapier.actionRuns.create({ subject, payload: { data: { action, authentication, inputs } } })
    )
    const enrolled = untyped<{ readonly enrollment_id: string }>(
      valueOf(await zapier.promotions.create({ subject, payload: { promotion_id: "p" } }))
    )
    const { data: zaps } = valueOf(await zapier.zaps.list({ subject }))
    const { data: reads = [] } = valueOf(await zapier.actions.list({ subject, query: { app, action_type: "READ" } }))
    return {
      id: operation.startsWith("actionRuns") ? run.data.id : zaps[0]?.id,
      action_id: action,
      action,
      input_id: "workspace",
      enrollment_id: enrolled.enrollment_id,
      authentication_id: authentication,
      authentication,
      app,
      inputs,
      promotion_id: "p",
      description: "Post Typeform entries to Slack",
      steps: [
        { action: reads[0]?.id, inputs, authentication },
        { action, inputs, authentication }
      ]
    }
  }
  throw new Error("the fake has no action that the user may run")
}

describe("typed calls", () => {
  it("are those that are defined, and no others", () => {
    const { zapier } = make()
    expect(defined.map(({ operation }) => operation).sort()).toEqual([...Operation.names].sort())
    for (const operation of Operation.names) {
      const call = callOf(zapier, operation)
      expect(call, operation).toBeTypeOf("function")
      expect("items" in call && "pages" in call, operation).toBe(
        (Operation.paged as ReadonlyArray<string>).includes(operation)
      )
    }
  })

  it.each(defined.map((one) => [one.operation, one] as const))("%s gives plain values", async (operation, one) => {
    const { connect, fake, zapier } = make()
    await connect()
    const values = await known(zapier, operation)
    const request: { [part: string]: unknown } = one.modes.includes("User") ? { subject } : {}
    for (const [part, schema] of Object.entries(one.parts)) {
      if (schema !== undefined) request[part] = example(schema.ast, values)
    }
    const result = await callOf(zapier, operation)(request)
    expect(result).toMatchObject({ ok: true })
    expect(result.ok && isPlain(result.value)).toBe(true)
    const sent = (await fake.requests()).at(-1)
    expect(sent?.request.method).toBe(Operation.table[operation].split(" ")[0])
    await zapier.close()
  })

  it("give what Zapier refuses as a failure to switch over, of plain values", async () => {
    const { connect, zapier } = make()
    await connect()
    const gone = await zapier.zaps.remove({ subject, params: { id: "gone" } })
    expect(gone).toMatchObject({
      ok: false,
      error: { _tag: "ZapierApiError", endpoint: "DELETE /v2/zaps/{id}", status: 404, needsReconnect: false }
    })
    if (gone.ok) throw new Error("it succeeded")
    expect(isPlain(gone.error)).toBe(true)
    expect(ZapierPromise.toResponse(gone.error).status).toBe(404)
    const eve = await zapier.zaps.list({ subject: "eve" })
    expect(eve).toMatchObject({ ok: false, error: { _tag: "ReconnectRequired" } })
    await zapier.close()
    expect(await zapier.zaps.list({ subject })).toMatchObject({ ok: false, error: { _tag: "Closed" } })
  })

  it("tell that a body is not what is documented, and how to get it all the same", async () => {
    const fake = FakeZapierPromise.make({ apps: [EndpointsWorld.app] })
    const fetch: typeof globalThis.fetch = async (input, init) =>
      new Request(input, init).url.includes("/v1/categories") ? Response.json({ objects: 5 }) : fake.fetch(input, init)
    const { zapier } = make({ fetch })
    const result = await zapier.categories.list()
    expect(result).toMatchObject({ ok: false, error: { _tag: "UnexpectedResponse", status: 200, blames: "Zapier" } })
    expect(!result.ok && result.error.message).toMatch(/ Use fetch to get the raw response/)
    await zapier.close()
  })

  it("are repeated after a 429 and a 5xx, as often as is said", async () => {
    const { connect, fake, zapier } = make({ retry: { times: 1, within: "10 seconds" } })
    await connect()
    await fake.addFault({ fault: { _tag: "RateLimited", retryAfter: 0 }, times: 1 })
    expect(await zapier.zaps.list({ subject })).toMatchObject({ ok: true })
    const never = make({ retry: false })
    await never.connect()
    await never.fake.addFault({ fault: { _tag: "Unavailable" }, times: 1 })
    expect(await never.zapier.zaps.list({ subject })).toMatchObject({
      ok: false,
      error: { _tag: "ZapierApiError", isRetryable: true, blames: "Zapier" }
    })
    await zapier.close()
    await never.zapier.close()
  })

  it("are there over a layer", async () => {
    const { connect, zapier } = make()
    await connect()
    await using other = ZapierPromise.fromLayer(zapier.layer, { retry: false })
    expect(await other.zaps.list({ subject })).toMatchObject({ ok: true })
    await zapier.close()
  })
})

describe("what does not fit is refused by its name", () => {
  it.each([
    ["zaps.list", { subject, limit: 5 }, "limit", "query.limit"],
    ["zaps.list", { subjects: "ada" }, "subjects", "subject"],
    ["zaps.list", { subject, query: { limt: 5 } }, "query.limt", "query.limit"],
    ["zaps.list", { subject, query: { "input[form]": "5" } }, "query.input[form]", "limit"],
    ["zaps.listV1", { subject, query: { params_form: "5" } }, "query.params_form", "get_params"],
    ["apps.listV1", { query: { title_serch: "a" } }, "query.title_serch", "query.title_search"],
    ["categories.list", { query: { limit: "5" } }, "limit", ""],
    ["zaps.update", { subject, payload: { data: {} } }, "params.id", ""],
    ["zaps.update", { subject, params: { id: "1" } }, "payload.data", ""],
    ["zaps.update", { subject, params: { id: ".." }, payload: { data: {} } }, "id", ""],
    [
      "actionRuns.create",
      { subject, payload: { data: { action: 5, authentication: null, inputs: {} } } },
      "data.action",
      ""
    ],
    ["zaps.list", {}, "subject", ""],
    ["zaps.list", { subject: 5 }, "subject", ""],
    ["zaps.list", "ada", "request", ""],
    ["zaps.list", { subject, signal: 5 }, "signal", ""]
  ] as const)("%s(%j): %s", async (operation, request, setting, meant) => {
    const { connect, fake, zapier } = make()
    await connect()
    const before = (await fake.requests()).length
    const result = await callOf(zapier, operation)(request)
    expect(result).toMatchObject({ ok: false, error: { _tag: "InvalidConfig", setting } })
    expect(!result.ok && result.error.message).toContain(meant)
    expect((await fake.requests()).length).toBe(before)
    await zapier.close()
  })

  it("but not filters by the inputs of an app", async () => {
    const { connect, fake, zapier } = make()
    await connect()
    expect(await zapier.zaps.list({ subject, query: { "inputs[form]": "5" } })).toMatchObject({ ok: true })
    expect((await fake.requests()).at(-1)?.request.query).toBe("inputs%5Bform%5D=5")
    expect(await zapier.zaps.listV1({ subject, query: { params__form: "5" } })).toMatchObject({ ok: true })
    await zapier.close()
  })

  it.each([
    [5, "retry"],
    [{ times: -1 }, "retry.times"],
    [{ within: "soon" }, "retry.within"],
    [{ time: 3 }, "retry.time"]
  ])("retry: %j", async (retry, setting) => {
    const { zapier } = make({ retry: untyped(retry) })
    expect(await zapier.categories.list()).toMatchObject({ error: { _tag: "InvalidConfig", setting } })
    const over = ZapierPromise.fromLayer(make().zapier.layer, { retry: untyped(retry) })
    expect(await over.categories.list()).toMatchObject({ error: { _tag: "InvalidConfig", setting } })
  })

  it("members that throw when they are read are the caller's", async () => {
    const { zapier } = make()
    const request = {
      get subject(): string {
        throw new Error("s3cret")
      }
    }
    expect(await zapier.zaps.list(request)).toMatchObject({ error: { _tag: "InvalidConfig", setting: "options" } })
  })
})

it("has types that say what is taken and given", () => {
  const typesOf = async (zapier: ZapierPromise.ZapierPromise) => {
    const zaps = await zapier.zaps.list({ subject, query: { limit: 2 } })
    if (zaps.ok) expectTypeOf(zaps.value.data[0]?.title).toEqualTypeOf<string | undefined>()
    else if (zaps.error._tag === "ZapierApiError") expectTypeOf(zaps.error.status).toEqualTypeOf<number>()
    for await (const zap of zapier.zaps.list.items({ subject })) expectTypeOf(zap.title).toEqualTypeOf<string>()
    for await (const { meta } of zapier.zaps.list.pages({ subject })) {
      expectTypeOf(meta.count).toEqualTypeOf<number | undefined>()
    }
    await zapier.categories.list()
    await zapier.promotions.remove({ params: { enrollment_id: "1" } })
    // @ts-expect-error: a user has to be named
    await zapier.zaps.list()
    // @ts-expect-error: nobody is named where the app's own token is taken
    await zapier.promotions.remove({ subject, params: { enrollment_id: "1" } })
    // @ts-expect-error: no such parameter
    await zapier.categories.list({ query: { size: 5 } })
    // @ts-expect-error: this endpoint has no pages
    return zapier.zaps.create.pages
  }
  expect(typesOf).toBeTypeOf("function")
})
