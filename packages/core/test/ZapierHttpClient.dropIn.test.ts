/** Code that knows Effect's `HttpClient` alone becomes authorized by a layer. */
import { assert, describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Credential from "../src/zapier/Credential.ts"
import * as ZapierUrls from "../src/zapier/ZapierUrls.ts"
import type { ZapierAuthError } from "../src/ZapierAuthError.ts"
import * as ZapierHttpClient from "../src/ZapierHttpClient.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { connect, respond, subject, tick } = TestZapier

/** The client that is there in the end is the authorized one; the library has the other. */
const dropIn = (zapier: ReturnType<typeof TestZapier.make>, credential: Credential.Credential) =>
  ZapierHttpClient.layerHttpClient(credential).pipe(Layer.provideMerge(zapier.layer()))

const asUser = (zapier: ReturnType<typeof TestZapier.make>) => dropIn(zapier, Credential.user(subject))

const errorOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(Effect.mapError(effect, ZapierHttpClient.toCallError)), (error) => error)

describe("ZapierHttpClient.layerHttpClient", () => {
  it.effect("authorizes an effect that needs an HttpClient, and keeps its type", () => {
    const zapier = TestZapier.make()
    const zaps = HttpClient.get("/v2/zaps")
    expectTypeOf(Effect.provide(zaps, ZapierHttpClient.layerHttpClient(Credential.clientId))).toEqualTypeOf<
      Effect.Effect<Effect.Success<typeof zaps>, HttpClientError.HttpClientError, ZapierHttpClient.ZapierHttpClient>
    >()
    return Effect.gen(function* () {
      yield* connect(subject)
      assert.strictEqual((yield* zaps).status, 200)
      const [{ authorization, url } = {}, ...others] = zapier.apiRequests
      assert.deepStrictEqual([authorization, url?.href], ["Bearer access-token-1", "https://api.zapier.com/v2/zaps"])
      assert.deepStrictEqual(others, [])
    }).pipe(Effect.provide(asUser(zapier)))
  })

  it.effect("sends token requests by the client below, whichever layers provide both", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* connect(subject)
      yield* TestClock.adjust("11 hours")
      yield* HttpClient.get("/v2/zaps")
      assert.deepStrictEqual(
        zapier.tokenRequests.map(({ authorization, form }) => [authorization?.split(" ")[0], form.get("grant_type")]),
        [
          ["Basic", "authorization_code"],
          ["Basic", "refresh_token"]
        ]
      )
      assert.strictEqual(zapier.apiRequests.length, 1)
    }).pipe(Effect.provide(asUser(zapier)))
  })

  it.effect("authorizes an HttpApiClient", () => {
    const zapier = TestZapier.make()
    const Zaps = HttpApiGroup.make("zaps").add(
      HttpApiEndpoint.get("list", "/v2/zaps", { success: Schema.Struct({ data: Schema.Array(Schema.Unknown) }) })
    )
    const Api = HttpApi.make("zapier").add(Zaps)
    return Effect.gen(function* () {
      yield* connect(subject)
      const client = yield* HttpApiClient.make(Api, { baseUrl: "https://api.zapier.com" })
      assert.deepStrictEqual(yield* client.zaps.list(), { data: [] })
      zapier.state.accessTokens.clear()
      zapier.state.refreshTokens.clear()
      const error = yield* Effect.flip(Effect.mapError(client.zaps.list(), ZapierHttpClient.toCallError))
      expectTypeOf(error).toEqualTypeOf<HttpClientError.HttpClientError | Schema.SchemaError | ZapierAuthError>()
      expect(error).toMatchObject({ reason: { _tag: "ReconnectRequired", why: "Revoked" } })
    }).pipe(Effect.provide(asUser(zapier)))
  })

  it.effect("renews a rejected token and sends the request again, also below a filter of statuses", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* connect(subject)
      const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
      zapier.state.accessTokens.clear()
      assert.strictEqual((yield* client.get("/v2/zaps")).status, 200)
      assert.deepStrictEqual(
        zapier.apiRequests.map(({ authorization }) => authorization),
        ["Bearer access-token-1", "Bearer access-token-2"]
      )
      zapier.nextApi(respond(404, {}))
      const { reason } = yield* Effect.flip(client.get("/v2/zaps/1"))
      assert.strictEqual(reason._tag, "StatusCodeError")
    }).pipe(Effect.provide(asUser(zapier)))
  })

  it.effect("says why there is no token: a transport error where time helps, and else one that is not retried", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const never = yield* Effect.flip(client.get("/v2/zaps?code=s3cret"))
      assert.strictEqual(never.reason._tag, "EncodeError")
      assert.match(never.message, /^Encode: This user is not connected to Zapier\. Send .* \(GET .*\/v2\/zaps/)
      expect(ZapierHttpClient.toCallError(never)).toMatchObject({ reason: { _tag: "ReconnectRequired" } })
      yield* connect(subject)
      yield* TestClock.adjust("11 hours")
      zapier.nextToken(respond(503, "", { "retry-after": "5" }))
      const later = yield* Effect.flip(client.get("/v2/zaps"))
      assert.strictEqual(later.reason._tag, "TransportError")
      expect(ZapierHttpClient.toCallError(later)).toMatchObject({ reason: { _tag: "ServiceUnavailable" } })
    }).pipe(Effect.provide(asUser(zapier)))
  })

  it.effect("lets Effect retry only retryable errors", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const schedule = Schedule.spaced("2 seconds")
      const client = HttpClient.retryTransient(yield* HttpClient.HttpClient, { schedule, times: 3 })
      expect(yield* errorOf(client.get("/v2/zaps"))).toMatchObject({ reason: { _tag: "ReconnectRequired" } })
      yield* connect(subject)
      yield* TestClock.adjust("11 hours")
      zapier.nextToken(respond(503, ""))
      const fiber = yield* Effect.forkChild(client.get("/v2/zaps"), { startImmediately: true })
      for (let minute = 0; minute < 5; minute++) yield* Effect.andThen(tick, TestClock.adjust("1 minute"))
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
    }).pipe(Effect.provide(asUser(zapier)))
  })

  it.effect.each([
    "https://elsewhere.example/v2/zaps",
    "http://api.zapier.com/v2/zaps",
    "https://api.zapier.com:8443/v2/zaps",
    "https://api.zapier.com.elsewhere.example/v2/zaps",
    "https://zapier.com/oauth/token/"
  ])("refuses %s, and sends nothing", (url) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* connect(subject)
      expect(yield* errorOf(HttpClient.get(url))).toMatchObject({ reason: { _tag: "UntrustedOrigin" } })
      assert.deepStrictEqual(zapier.apiRequests, [])
    }).pipe(Effect.provide(asUser(zapier)))
  })

  it.effect("rejects paths beside the API at a gateway's origin", () => {
    const zapier = TestZapier.make()
    const urls = { ...ZapierUrls.production, api: "https://gateway.example/zapier" }
    return Effect.gen(function* () {
      yield* connect(subject)
      for (const url of ["https://gateway.example/billing", "https://gateway.example/zapierx", "/../billing"]) {
        expect(yield* errorOf(HttpClient.get(url))).toMatchObject({
          reason: { _tag: "UntrustedOrigin", expected: "https://gateway.example/zapier" }
        })
      }
      assert.deepStrictEqual(zapier.apiRequests, [])
      yield* HttpClient.get("https://gateway.example/zapier/v2/zaps")
      assert.strictEqual(zapier.apiRequests.length, 1)
    }).pipe(Effect.provide(Layer.provide(asUser(zapier), Layer.succeed(ZapierUrls.ZapierUrls, urls))))
  })

  it.effect("keeps the credential out of its errors, the library's and the caller's", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const request = HttpClientRequest.get("/v2/zaps", { headers: { authorization: "Bearer the-callers-own" } })
      const refused = yield* Effect.flip(HttpClient.execute(request))
      assert.strictEqual(refused.request.headers["authorization"], undefined)
      yield* connect(subject)
      zapier.nextApi(TestZapier.requestLost)
      const lost = yield* Effect.flip(HttpClient.execute(request))
      assert.strictEqual(lost.request.headers["authorization"], undefined)
      expect(ZapierHttpClient.toCallError(lost)).toBe(lost)
    }).pipe(Effect.provide(asUser(zapier)))
  })

  it.effect("takes each credential", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* Effect.provide(HttpClient.get("/v1/apps"), ZapierHttpClient.layerHttpClient(Credential.clientId))
      yield* Effect.provide(HttpClient.get("/v2/x"), ZapierHttpClient.layerHttpClient(Credential.app(["zap"])))
      assert.deepStrictEqual(
        zapier.apiRequests.map(({ authorization, url }) => authorization ?? url.search),
        ["?client_id=client-1", "Bearer access-token-1"]
      )
    }).pipe(Effect.provide(zapier.layer()))
  })
})
