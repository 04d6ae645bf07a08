import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as ZapierApiClient from "../../src/zapier/ZapierApiClient.ts"
import * as TestZapier from "../utils/TestZapier.ts"
import * as TypedZapier from "../utils/TypedZapier.ts"

const { respond } = TestZapier
const { categories, run, subject, zap } = TypedZapier

const production = "https://api.zapier.com"

const page = (ids: ReadonlyArray<string>, links: unknown, meta: unknown = {}) =>
  respond(200, { data: ids.map(zap), links, meta })

const linked = (ids: ReadonlyArray<string>, next: string | null) => page(ids, { next, prev: null })

const ids = (client: ZapierApiClient.Client, query = {}) =>
  Stream.runCollect(Stream.map(client.zaps.list.items({ subject, query }), ({ id }) => id))

const urls = (zapier: ReturnType<typeof TestZapier.make>) =>
  zapier.apiRequests.map(({ authorization, url }) => `${authorization?.split(" ")[0] ?? "-"} ${url.href}`)

describe("ZapierApiClient: pages", () => {
  it.effect("follows links.next of version 2, keeps its query, and authorizes each request", () =>
    run(
      [
        linked(["1", "2"], `${production}/v2/zaps?limit=2&offset=2&cursor=a%2Bb&client_id=evil`),
        linked(["3"], `${production}/v2/zaps/?limit=2&offset=4`),
        linked([], null)
      ],
      Effect.fnUntraced(function* (client, zapier) {
        assert.deepStrictEqual(yield* ids(client, { limit: 2, "inputs[form]": "a,b" }), ["1", "2", "3"])
        assert.deepStrictEqual(urls(zapier), [
          `Bearer ${production}/v2/zaps?limit=2&inputs%5Bform%5D=a%2Cb`,
          `Bearer ${production}/v2/zaps?limit=2&offset=2&cursor=a%2Bb`,
          `Bearer ${production}/v2/zaps?limit=2&offset=4`
        ])
      })
    )
  )

  it.effect("follows next of version 1, and next_url of its apps", () =>
    run(
      [
        respond(200, categories(`${production}/v1/categories?limit=10&offset=10`, 11)),
        respond(200, categories("", 11)),
        respond(200, { total: 2, page: 1, pages: 2, per_page: 1, objects: [], next_url: "/v1/apps?page=2" }),
        respond(200, { total: 2, page: 2, pages: 2, per_page: 1, objects: [], prev_url: "x", next_url: null })
      ],
      Effect.fnUntraced(function* (client, zapier) {
        assert.lengthOf(yield* Stream.runCollect(client.categories.list.pages()), 2)
        assert.lengthOf(yield* Stream.runCollect(client.apps.listV1.pages()), 2)
        assert.deepStrictEqual(urls(zapier), [
          `- ${production}/v1/categories`,
          `- ${production}/v1/categories?limit=10&offset=10`,
          `- ${production}/v1/apps?client_id=client-1`,
          `- ${production}/v1/apps?page=2&client_id=client-1`
        ])
      })
    )
  )

  it.effect("counts by limit and offset where a page has no links, and where a list has no envelope", () => {
    const template = {
      id: 1,
      steps: [],
      title: "",
      slug: "",
      status: "published",
      description_plain: "",
      description_raw: "",
      url: "",
      description: "",
      create_url: "",
      type: ""
    }
    return run(
      [
        page(["1", "2"], {}, { count: 3, limit: 2, offset: 0 }),
        page(["3"], {}, { count: 3, limit: 2, offset: 2 }),
        respond(200, [template, template]),
        respond(200, [template])
      ],
      Effect.fnUntraced(function* (client, zapier) {
        assert.deepStrictEqual(yield* ids(client, { limit: 2 }), ["1", "2", "3"])
        assert.lengthOf(yield* Stream.runCollect(client.zapTemplates.list.items({ query: { limit: 2 } })), 3)
        assert.deepStrictEqual(
          zapier.apiRequests.map(({ url }) => url.search.replace("&client_id=client-1", "")),
          ["?limit=2", "?offset=2&limit=2", "?limit=2", "?limit=2&offset=2"]
        )
      })
    )
  })

  it.effect("asks for a page when it is needed, and no sooner", () =>
    run(
      [linked(["1", "2"], `${production}/v2/zaps?offset=2`), linked(["3", "4"], `${production}/v2/zaps?offset=4`)],
      Effect.fnUntraced(function* (client, zapier) {
        const entries = client.zaps.list.items({ subject })
        assert.lengthOf(zapier.apiRequests, 0)
        assert.lengthOf(yield* Stream.runCollect(Stream.take(entries, 2)), 2)
        assert.lengthOf(zapier.apiRequests, 1)
      })
    )
  )

  it.effect("asks for a list by POST with its body, again for each page", () => {
    const choices = (next: string | null) => respond(200, { links: { next }, meta: { page: 1 }, data: [] })
    const path = "/v2/actions/a%3Ab/inputs/c/choices"
    return run(
      // Zapier may write a colon as it is.
      [choices(`${production}/v2/actions/a:b/inputs/c/choices?page=2`), choices(null)],
      Effect.fnUntraced(function* (client, zapier) {
        const payload = { data: { authentication: null, inputs: {} } }
        const params = { action_id: "a:b", input_id: "c" }
        yield* Stream.runDrain(client.actions.choices.pages({ subject, params, payload }))
        assert.deepStrictEqual(
          zapier.apiRequests.map(({ method, url }) => `${method} ${url.pathname}${url.search}`),
          [`POST ${path}`, `POST ${path}?page=2`]
        )
      })
    )
  })

  it.effect.each([
    ["https://evil.example/v2/zaps?offset=2", "its link to the next page leads to https://evil.example"],
    [
      "https://api.zapier.com.evil.example/v2/zaps",
      "its link to the next page leads to https://api.zapier.com.evil.example"
    ],
    ["http://api.zapier.com/v2/zaps?offset=2", "its link to the next page leads to http://api.zapier.com"],
    ["//evil.example/v2/zaps?offset=2", "its link to the next page leads to https://evil.example"],
    ["https://api.zapier.com/v2/authentications?offset=2", "its link to the next page leads to another endpoint"],
    ["https://api.zapier.com/v2/zaps/../zap-runs", "its link to the next page leads to another endpoint"],
    ["https://api.zapier.com/v2/zaps", "its link to the next page leads to the page itself"],
    ["https://[", "its link to the next page is not a URL"]
  ] as const)("does not go where %s leads", ([next, problem]) =>
    run(
      [linked(["1"], next)],
      Effect.fnUntraced(function* (client, zapier) {
        const error = yield* Effect.flip(ids(client))
        assert.deepInclude(error, { _tag: "UnexpectedResponse", endpoint: "GET /v2/zaps", status: 200, problem })
        assert.lengthOf(zapier.apiRequests, 1)
      })
    )
  )

  // A gateway may write its own address, leave Zapier's in, or know nothing of the prefix that it takes off.
  it.effect.each([
    "https://gateway.example/zapier/v2/zaps",
    "https://api.zapier.com/v2/zaps",
    "/v2/zaps",
    "/zapier/v2/zaps",
    ""
  ])("stays within the base behind a gateway whose link is %j", (link) =>
    run(
      [linked(["1"], `${link}?offset=2`), linked(["2"], null)],
      Effect.fnUntraced(function* (client, zapier) {
        assert.deepStrictEqual(yield* ids(client), ["1", "2"])
        assert.deepStrictEqual(urls(zapier), [
          "Bearer https://gateway.example/zapier/v2/zaps",
          "Bearer https://gateway.example/zapier/v2/zaps?offset=2"
        ])
      }),
      undefined,
      "https://gateway.example/zapier/"
    )
  )

  it.effect("fails like a call, after the earlier pages", () =>
    run(
      [linked(["1"], "?offset=2"), respond(404, { errors: [{ status: "404", code: "not_found" }] })],
      Effect.fnUntraced(function* (client) {
        const seen: Array<string> = []
        const stream = client.zaps.list.items({ subject })
        const error = yield* Effect.flip(Stream.runForEach(stream, ({ id }) => Effect.sync(() => void seen.push(id))))
        assert.deepInclude(error, { _tag: "ZapierApiError", status: 404, code: "not_found" })
        assert.deepStrictEqual(seen, ["1"])
      })
    )
  )
})
