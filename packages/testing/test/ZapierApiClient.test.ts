import { assert, describe, it } from "@effect/vitest"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
import { ZapierApiClient } from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
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
  } satisfies { readonly [N in Operation.Name]: import("@zapier-workflow-auth/core/zapier/ZapierApiClient").Request<N> }
})

describe("ZapierApiClient", () => {
  it("has each endpoint of the table but the consent page, once", () => {
    assert.deepStrictEqual([...Object.values(Operation.table), "GET /v2/authorize"].sort(), [...Endpoint.names].sort())
  })

  it.effect.each(Operation.names)("calls %s", (operation) =>
    Effect.gen(function* () {
      yield* Apps.connect(subject)
      const zapier = yield* ZapierApiClient
      const requests = yield* prepare
      const [group = "", name = ""] = operation.split(".")
      const client = zapier as unknown as {
        [group: string]: { [name: string]: (request: unknown) => Effect.Effect<unknown, unknown> }
      }
      const response = yield* client[group]![name]!(requests[operation])
      console.log(operation, JSON.stringify(response)?.slice(0, 100))
    }).pipe(Effect.provide(Apps.layer))
  )

  it.effect("streams", () =>
    Effect.gen(function* () {
      yield* Apps.connect(subject)
      const zapier = yield* ZapierApiClient
      const a = yield* Stream.runCollect(zapier.apps.list.items({ subject, query: { limit: 5 } }))
      assert.strictEqual(a.length, 12)
      const pages = yield* Stream.runCollect(zapier.categories.list.pages({ query: { limit: 5 } }))
      assert.strictEqual(pages.length, 3)
    }).pipe(Effect.provide(Apps.layer))
  )
})
