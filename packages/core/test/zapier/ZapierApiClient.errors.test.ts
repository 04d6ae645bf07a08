import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { inspect } from "node:util"
import * as Credential from "../../src/zapier/Credential.ts"
import type * as ZapierApiClient from "../../src/zapier/ZapierApiClient.ts"
import * as TestZapier from "../utils/TestZapier.ts"
import * as TypedZapier from "../utils/TypedZapier.ts"

const { respond } = TestZapier
const { categories, run, subject } = TypedZapier

const list = ({ categories }: ZapierApiClient.Client) => categories.list()

const failure = (status: number, body: unknown, headers?: Record<string, string>) =>
  run([respond(status, body, headers)], (client) => Effect.flip(list(client)), { retry: false })

describe("ZapierApiClient: errors", () => {
  it.effect("have the first error of the envelope, and the request id", () =>
    Effect.gen(function* () {
      const error = {
        status: "404",
        code: "not_found",
        title: "NotFound",
        detail: "There is no such Zap.",
        source: null
      }
      const body = { errors: [error, { code: "other" }] }
      const failed = yield* failure(404, body, { "x-request-id": "req-1" })
      const { code, detail, status, title } = { ...error, status: 404 }
      const endpoint = "GET /v1/categories"
      assert.deepInclude(failed, { _tag: "ZapierApiError", endpoint, status, code, title, detail, requestId: "req-1" })
      assert.strictEqual(
        failed.message,
        'GET /v1/categories: Zapier responded with 404 not_found. It says: "There is no such Zap." Its request id is req-1. Check the ids in the path: the object may be gone, or belong to another user.'
      )
    })
  )

  it.effect.each([
    ["nothing", ""],
    ["HTML", "<html>"],
    ["another envelope", { error: "x" }],
    ["no errors", { errors: [] }],
    ["errors that are none", { errors: [1] }],
    ["members that are none", { errors: [{ code: 1, title: [], detail: {} }] }]
  ] as const)("need no envelope: %s", ([, body]) =>
    Effect.gen(function* () {
      const failed = yield* failure(500, body)
      assert.deepInclude(failed, { _tag: "ZapierApiError", status: 500 })
      assert.notProperty(failed, "code")
      assert.strictEqual(
        failed.message,
        "GET /v1/categories: Zapier responded with 500. Zapier is unavailable. Try again later."
      )
    })
  )

  it.effect("read why a sentence is not guessed at, which comes without the envelope", () =>
    run([respond(400, { messages: [{ detail: "Name two apps." }] })], (client) =>
      Effect.gen(function* () {
        const failed = yield* Effect.flip(client.zaps.guess({ payload: { description: "?" } }))
        assert.deepInclude(failed, { _tag: "ZapierApiError", status: 400, detail: "Name two apps." })
      })
    )
  )

  it.effect("hold no token, no body, and nothing that breaks a line", () =>
    Effect.gen(function* () {
      const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
      const id = "00000000-0000-4000-8000-000000000001"
      const detail = `the token ${token}\u001b[31m\nof ${id} ${"is long ".repeat(100)}`
      const failed = yield* failure(403, {
        errors: [{ code: `c ${token}`, detail, meta: { secret: "s3cret-in-the-body" } }]
      })
      const shown = [failed.message, JSON.stringify(failed), inspect(failed, { depth: 10, showHidden: true })].join()
      assert.notInclude(shown, token)
      assert.notInclude(shown, "s3cret-in-the-body")
      assert.notInclude(failed.message, "\u001b")
      assert.notInclude(failed.message, "\n")
      assert.include(failed.message, id)
      assert.isBelow(failed.message.length, 700)
    })
  )

  it.effect("read no more of a body than a little, for a little while", () =>
    Effect.gen(function* () {
      const huge = `{"errors":[{"code":"x","detail":"${"y".repeat(200_000)}"}]}`
      assert.notProperty(yield* failure(500, huge), "code")
    })
  )

  it.effect("name the path where a success differs from the documentation, without its value", () =>
    Effect.gen(function* () {
      const cases = [
        [200, { ...categories(), count: "s3cret" }, "its body is not as documented at /count"],
        [200, { ...categories(), objects: [{ id: "s3cret" }] }, "its body is not as documented at /objects/0/id"],
        [200, "s3cret {", "its body is not as documented"],
        [200, "", "its body is not as documented"],
        [206, categories(), "this status is not documented"],
        [204, "", "this status is not documented"]
      ] as const
      for (const [status, body, problem] of cases) {
        const failed = yield* failure(status, body)
        assert.deepInclude(failed, { _tag: "UnexpectedResponse", status, problem, endpoint: "GET /v1/categories" })
        assert.notInclude(inspect(failed, { depth: 10, showHidden: true }), "s3cret")
      }
    })
  )

  it.effect("of authentication are not changed", () =>
    run([], (client) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(client.zaps.list({ subject: "nobody" }))
        assert.strictEqual(error._tag === "ZapierAuthError" && error.reason._tag, "ReconnectRequired")
        const scope = yield* Effect.flip(client.zapRuns.list({ subject }))
        assert.strictEqual(scope._tag === "ZapierAuthError" && scope.reason._tag, "InsufficientScope")
      })
    )
  )

  it.effect("of a 401 that survives a new token say so", () =>
    run([respond(401, { errors: [] }), respond(401, { errors: [{ code: "not_authenticated" }] })], (client, zapier) =>
      Effect.gen(function* () {
        const failed = yield* Effect.flip(client.zaps.list({ subject }))
        assert.deepInclude(failed, { _tag: "ZapierApiError", status: 401, code: "not_authenticated" })
        assert.lengthOf(zapier.apiRequests, 2)
      })
    )
  )
})

describe("ZapierApiClient: the caller's input", () => {
  /** What programs without types give. */
  const untyped = (value: unknown) => value as never

  const wrong: ReadonlyArray<
    readonly [string, (client: ZapierApiClient.Client) => Effect.Effect<unknown, ZapierApiClient.ApiError>, string]
  > = [
    ["no user", ({ zaps }) => zaps.list(untyped(undefined)), "credential: name the user"],
    ["a subject that is none", ({ zaps }) => zaps.list(untyped({ subject: 1 })), "credential: name the user"],
    ["no request", ({ zaps }) => zaps.list(untyped("ada")), "request: pass an object"],
    [
      "another credential",
      ({ zaps }) => zaps.list(untyped({ credential: Credential.clientId })),
      "credential: GET /v2/zaps accepts User"
    ],
    [
      "no parameters",
      ({ zaps }) => zaps.remove(untyped({ subject })),
      "request: give a value that DELETE /v2/zaps/{id} accepts"
    ],
    ["an empty parameter", ({ zaps }) => zaps.remove({ subject, params: { id: "" } }), "id: give a value that"],
    ["a dot segment", ({ zaps }) => zaps.remove({ subject, params: { id: ".." } }), "id: give a value that"],
    ["half a character", ({ zaps }) => zaps.remove({ subject, params: { id: "\ud800" } }), "id: give a value that"],
    ["a fraction", ({ zaps }) => zaps.list({ subject, query: { limit: 1.5 } }), "limit: give a value that"],
    ["a comma in a list", ({ apps }) => apps.list({ subject, query: { ids: ["a,b"] } }), "ids.0: give a value that"],
    ["no body", ({ promotions }) => promotions.create(untyped({ subject })), "request: give a value that"],
    [
      "a body that is none",
      ({ promotions }) => promotions.create(untyped({ subject, payload: { promotion_id: 1 } })),
      "promotion_id: give a value that"
    ],
    [
      "a long alias",
      ({ zaps }) =>
        zaps.create({
          subject,
          payload: { data: { title: "A", steps: [{ action: "a", inputs: {}, authentication: null, alias: "A b" }] } }
        }),
      "data.steps.0.alias: give a value that"
    ]
  ]

  it.effect.each(wrong)("is said of %s, and nothing is sent", ([, call, message]) =>
    run(
      [],
      Effect.fnUntraced(function* (client, zapier) {
        const error = yield* Effect.flip(Effect.asVoid(call(client)))
        assert.strictEqual(error._tag === "ZapierAuthError" && error.reason._tag, "InvalidConfig")
        assert.isTrue(error.message.startsWith(message), error.message)
        assert.lengthOf(zapier.apiRequests, 0)
      })
    )
  )
})
