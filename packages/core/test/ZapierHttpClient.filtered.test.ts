/** Over a client that fails for a status, a 401 is handled as over any other, and the caller gets the client's failure. */
import { assert, describe, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as Credential from "../src/zapier/Credential.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { isZapierAuthError } from "../src/ZapierAuthError.ts"
import { ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { subject } = TestZapier

const call = Effect.flatMap(ZapierHttpClient, (zapier) =>
  zapier.call("GET /v2/zaps", { credential: Credential.user(subject) })
)

const apps = Effect.flatMap(ZapierHttpClient, (zapier) => zapier.call("GET /v1/apps"))

const filters = [
  { name: "filterStatusOk", wrap: HttpClient.filterStatusOk },
  {
    name: "filterOrFail",
    wrap: HttpClient.filterOrFail(
      ({ status }) => status < 400,
      (response) =>
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.StatusCodeError({ request: response.request, response, description: "mine" })
        })
    )
  }
] as const

const failureOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.isTrue(HttpClientError.isHttpClientError(error))
    return error as HttpClientError.HttpClientError
  })

describe("ZapierHttpClient, over a client that fails for a status", () => {
  it.effect.each(filters)("$name: a 401 leads to one refresh and one replay", ({ wrap }) => {
    const zapier = TestZapier.make(wrap)
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.state.accessTokens.clear()
      assert.strictEqual((yield* call).status, 200)
      assert.deepStrictEqual(
        zapier.apiRequests.map(({ authorization }) => authorization),
        ["Bearer access-token-1", "Bearer access-token-2"]
      )
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each(filters)("$name: the caller gets the last failure, without a token in its request", ({ wrap }) => {
    const zapier = TestZapier.make(wrap)
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.respond(401, "{}"), TestZapier.respond(404, "{}"))
      const { reason, response } = yield* failureOf(call)
      assert.strictEqual(reason._tag, "StatusCodeError")
      assert.strictEqual(response?.status, 404)
      assert.isUndefined(reason.request.headers["authorization"])
      assert.notInclude(inspect(reason.request, { depth: 9 }), "access-token")
      assert.strictEqual(zapier.tokenRequests.length, 2)
      // The token of the replay was accepted: nobody asks for another.
      assert.strictEqual((yield* call).status, 200)
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("a 401 that no newer token survives is the failure of the client", () => {
    const zapier = TestZapier.make(HttpClient.filterStatusOk)
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(...Array.from({ length: 3 }, () => TestZapier.respond(401, "{}")))
      assert.strictEqual((yield* failureOf(call)).response?.status, 401)
      assert.strictEqual(zapier.apiRequests.length, 2)
      assert.strictEqual((yield* failureOf(call)).response?.status, 401)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("other statuses fail at once, and refresh nothing", () => {
    const zapier = TestZapier.make(HttpClient.filterStatusOk)
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.respond(403, "{}"))
      assert.strictEqual((yield* failureOf(call)).response?.status, 403)
      assert.strictEqual(zapier.apiRequests.length, 1)
      assert.strictEqual(zapier.tokenRequests.length, 1)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("a client id that is refused is known", () => {
    const zapier = TestZapier.make(HttpClient.filterStatusOk)
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      zapier.nextApi(TestZapier.respond(401, "{}"))
      assert.strictEqual((yield* failureOf(apps)).response?.status, 401)
      assert.strictEqual(yield* auth.clientIdState, "Rejected")
      assert.strictEqual((yield* apps).status, 200)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("an error of the client's own passes through", () => {
    const wrap = HttpClient.filterOrFail(
      ({ status }) => status !== 418,
      () => "teapot"
    ) as unknown as (client: HttpClient.HttpClient) => HttpClient.HttpClient
    const zapier = TestZapier.make(wrap)
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.respond(418, "{}"))
      assert.equal(String(yield* Effect.flip(call)), "teapot")
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("a refusal of the token endpoint ends the grant", () => {
    const zapier = TestZapier.make(HttpClient.filterStatusOk)
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.state.accessTokens.clear()
      zapier.state.refreshTokens.clear()
      const error = yield* Effect.flip(call)
      assert.strictEqual(isZapierAuthError(error) ? error.reason._tag : "other", "ReconnectRequired")
      const auth = yield* ZapierAuth
      assert.strictEqual((yield* auth.status(subject))._tag, "ReconnectRequired")
    }).pipe(Effect.provide(zapier.layer()))
  })
})
