import { assert, describe, it } from "@effect/vitest"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
import { type ApiError, type Request, ZapierApiClient } from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { FakeZapier } from "../src/FakeZapier.ts"
import * as Apps from "./utils/typedApp.ts"

const subject = "ada"

// What each call takes, from what the user has at the fake.
const prepare = Effect.gen(function* () {
  const zapier = yield* ZapierApiClient
  const { data: apps } = yield* zapier.apps.list({ subject })
  const slack = apps.find(({ title }) => title === "Slack")?.id ?? ""
  const typeform = apps.find(({ title }) => title === "Typeform")?.id ?? ""
  const action = (app: string, action_type: string) =>
    Effect.map(zapier.actions.list({ subject, query: { app, action_type } }), ({ data }) => data?.[0]?.id ?? "")
  const authentication = (app: string) =>
    Effect.map(zapier.authentications.list({ subject, query: { app } }), ({ data }) => data?.[0]?.id ?? "")
  const read = { action: yield* action(typeform, "READ"), authentication: yield* authentication(typeform) }
  const write = { action: yield* action(slack, "WRITE"), authentication: yield* authentication(slack) }
  const [zap] = (yield* zapier.zaps.list({ subject })).data
  const { enrollment_id } = yield* zapier.promotions.create({ subject, payload: { promotion_id: "trial" } })
  const inputs = { workspace: "workspace-1", title: "Hello" }
  const { data: run } = yield* zapier.actionRuns.create({ subject, payload: { data: { ...write, inputs } } })
  const data = { authentication: write.authentication, inputs }
  const params = { action_id: write.action }
  const steps = [
    { ...read, inputs },
    { ...write, inputs, alias: "told" }
  ]
  const id = zap?.id ?? ""
  return {
    "apps.list": { credential: Credential.clientId, query: { ids: [slack, typeform], limit: 1 } },
    "apps.listV1": { query: { title_search: "s", per_page: 3 } },
    "apps.listWhitelabel": { query: { search: "s" } },
    "categories.list": { query: { limit: 3 } },
    "profiles.me": { subject },
    "zapTemplates.list": { query: { apps: ["slack", "trello"] } },
    "zaps.list": {
      subject,
      query: { "inputs[workspace]": "workspace-1", include_shared: true, expand: ["steps.action"] }
    },
    "zaps.listV1": { subject, query: { params__workspace: "workspace-1" } },
    "zaps.create": { subject, payload: { data: { title: "New", steps } } },
    "zaps.update": { subject, params: { id }, payload: { data: { title: "Renamed" } } },
    "zaps.remove": { subject, params: { id } },
    "zaps.enable": { subject, params: { id } },
    "zaps.guess": { payload: { description: "Post each Typeform entry to Slack" } },
    "zapRuns.list": { subject, query: { statuses: ["success", "error"], limit: 5 } },
    "actions.list": { credential: Credential.user(subject), query: { app: slack, action_type: "WRITE" } },
    "actions.inputs": { subject, params, payload: { data } },
    "actions.choices": { subject, params: { ...params, input_id: "workspace" }, query: { page: 2 }, payload: { data } },
    "actions.outputs": { subject, params, payload: { data: { ...data, fetch_live_samples: true } } },
    "actions.test": { subject, params, payload: { data: { ...data, limit: 1, offset: 0 } } },
    "actionRuns.create": { subject, payload: { data: { ...write, inputs } } },
    "actionRuns.get": { subject, params: { id: run.id } },
    "authentications.list": { subject, query: { app: slack } },
    "authentications.create": {
      subject,
      payload: { data: { title: "Mine", app: slack, authentication_fields: { key: "k" } } }
    },
    "authentications.remove": { subject, params: { authentication_id: write.authentication } },
    "promotions.create": { subject, payload: { promotion_id: "trial" } },
    "promotions.get": { subject, params: { enrollment_id } },
    "promotions.remove": { params: { enrollment_id } }
  } satisfies { readonly [N in Operation.Name]: Request<N> }
})

// The client for who goes through all of it.
interface Functions {
  readonly [group: string]: {
    readonly [name: string]: (request: unknown) => Effect.Effect<unknown, ApiError>
  }
}

describe("ZapierApiClient", () => {
  it("has each endpoint of the table but the consent page, once", () => {
    assert.deepStrictEqual([...Object.values(Operation.table), "GET /v2/authorize"].sort(), [...Endpoint.names].sort())
  })

  it.effect.each(Operation.names)("calls %s by its method and path, and decodes the response", (operation) =>
    Effect.gen(function* () {
      yield* Apps.connect(subject)
      const zapier = yield* ZapierApiClient
      const fake = yield* FakeZapier
      const requests = yield* prepare
      const { group, method } = Operation.parts(operation)
      const client = zapier as unknown as Functions
      const response = yield* client[group]?.[method]?.(requests[operation]) ?? Effect.die(operation)
      const sent = (yield* fake.requests).at(-1)
      assert.strictEqual(
        sent === undefined ? undefined : Endpoint.match(sent.request.method, sent.request.path),
        Operation.table[operation]
      )
      assert.strictEqual(response === undefined, sent?.status === 204)
    }).pipe(Effect.provide(Apps.layer))
  )

  it.effect("gives all entries of a list of any length, in the order of its pages", () =>
    Effect.gen(function* () {
      yield* Apps.connect(subject)
      const zapier = yield* ZapierApiClient
      const titles = (limit: number) =>
        Stream.runCollect(Stream.map(zapier.apps.list.items({ subject, query: { limit } }), ({ title }) => title))
      assert.lengthOf(yield* titles(100), 12)
      assert.deepStrictEqual(yield* titles(5), yield* titles(100))
      assert.lengthOf(yield* Stream.runCollect(zapier.categories.list.pages({ query: { limit: 5 } })), 3)
      assert.lengthOf(yield* Stream.runCollect(zapier.zapTemplates.list.items({ query: { limit: 4 } })), 11)
      assert.lengthOf(yield* Stream.runCollect(zapier.apps.listV1.items({ query: { per_page: 5 } })), 12)
      assert.isAbove((yield* Stream.runCollect(Stream.take(zapier.zapRuns.list.items({ subject }), 31))).length, 30)
    }).pipe(Effect.provide(Apps.layer))
  )

  it.effect("waits when the fake limits its rate, and goes on", () =>
    Effect.gen(function* () {
      yield* Apps.connect(subject)
      const zapier = yield* ZapierApiClient
      const fake = yield* FakeZapier
      const calls = Effect.forEach(Array.from({ length: 70 }), () => zapier.categories.list())
      const fiber = yield* Effect.forkChild(calls)
      for (let second = 0; second < 130; second++) yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* Fiber.join(fiber), 70)
      assert.isTrue((yield* fake.requests).some(({ status }) => status === 429))
    }).pipe(Effect.provide(Apps.layer))
  )

  it.effect("returns Zapier's errors as typed errors", () =>
    Effect.gen(function* () {
      yield* Apps.connect(subject)
      const zapier = yield* ZapierApiClient
      const gone = yield* Effect.flip(Effect.asVoid(zapier.zaps.remove({ subject, params: { id: "gone" } })))
      assert.deepInclude(gone, {
        _tag: "ZapierApiError",
        status: 404,
        code: "not_found",
        detail: "There is no such Zap."
      })
      const guess = yield* Effect.flip(zapier.zaps.guess({ payload: { description: "Hello" } }))
      assert.strictEqual(guess._tag === "ZapierApiError" && guess.status, 400)
      assert.include(guess.message, "Name two apps")
    }).pipe(Effect.provide(Apps.layer))
  )
})
