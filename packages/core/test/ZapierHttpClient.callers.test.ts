import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Credential from "../src/zapier/Credential.ts"
import * as ZapierUrls from "../src/zapier/ZapierUrls.ts"
import { isZapierAuthError } from "../src/ZapierAuthError.ts"
import { type CallError, ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const subject = "user-1"

/** What programs without types give. */
const untyped = (value: unknown) => value as never

const told = <A, R>(call: Effect.Effect<A, CallError, R>) =>
  Effect.map(Effect.flip(Effect.asVoid(call)), (error) => (isZapierAuthError(error) ? error.message : error._tag))

const remove = "DELETE /v2/promotions/{enrollment_id}"

const wrong: ReadonlyArray<readonly [string, unknown, unknown, string]> = [
  ["no path", remove, undefined, "path.enrollment_id: it is missing; give the enrollment_id for"],
  ["an empty path", remove, { path: {} }, "path.enrollment_id: it is missing"],
  ["a path of null", remove, { path: null }, "path.enrollment_id: it is missing"],
  ["a number", remove, { path: { enrollment_id: 42 } }, "path.enrollment_id: it is not text"],
  ["no text", remove, { path: { enrollment_id: "" } }, "path.enrollment_id: it is empty"],
  ["a dot segment", remove, { path: { enrollment_id: ".." } }, "path.enrollment_id: it is a dot segment"],
  [
    "half a pair",
    remove,
    { path: { enrollment_id: "\udc00" } },
    "path.enrollment_id: it contains an unpaired surrogate"
  ],
  [
    "an inherited parameter",
    remove,
    { path: Object.create({ enrollment_id: "1" }) },
    "path.enrollment_id: it is missing"
  ],
  ["an unknown endpoint", "GET /v3/x", {}, "endpoint: give a name from the endpoint table"],
  ["the name of a method", "toString", {}, "endpoint: give a name"],
  ["no endpoint", null, {}, "endpoint: give a name"],
  ["options of null", "GET /v1/apps", null, "options: pass an object"],
  ["options that are a number", "GET /v1/apps", 42, "options: pass an object"],
  ["no user", "GET /v2/zaps", {}, "credential: name the user with Credential.user(subject): GET /v2/zaps takes"],
  ["a user without a name", "GET /v2/zaps", { credential: Credential.user("") }, "subject: it is empty"],
  ["a credential that is none", "GET /v2/zaps", { credential: "ada" }, "credential: make it with Credential"],
  [
    "one that does not reach it",
    "GET /v2/zaps",
    { credential: Credential.app() },
    "credential: GET /v2/zaps accepts User"
  ],
  [
    "scopes that are text",
    remove,
    { path: { enrollment_id: "1" }, credential: Credential.app(untyped("a")) },
    "scopes: "
  ],
  ["a body that is none", "POST /v2/guess", { body: "{}" }, "body: make it with HttpBody"],
  ["a body and json", "POST /v2/guess", { body: HttpBody.text("x"), json: {} }, "body: make it with HttpBody"],
  ["json that cannot be said", "POST /v2/guess", { json: { a: 1n } }, "body: make it with HttpBody"],
  ["json that is a function", "POST /v2/guess", { json: () => 1 }, "body: make it with HttpBody"],
  ["json of GET", "GET /v1/apps", { json: {} }, "body: omit it: GET requests have no body"],
  ["a body of GET", "GET /v1/apps", { body: HttpBody.text("x") }, "body: omit it: GET requests have no body"],
  ["headers that are none", "GET /v1/apps", { headers: 1 }, "headers: give an object of texts"],
  [
    "two headers in one",
    "GET /v1/apps",
    { headers: { a: "b\nc: d" } },
    "headers.a: it contains a line break, at position 2"
  ],
  ["parameters that are none", "GET /v1/apps", { urlParams: 1 }, "urlParams: give an object"],
  ["odd parameters", "GET /v1/apps", { urlParams: [1] }, "options: give texts as the values of urlParams and headers"]
]

describe("ZapierHttpClient: the caller's input", () => {
  it.effect.each(wrong)("call says so of %s, and sends nothing", ([, endpoint, options, message]) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      const client = yield* ZapierHttpClient
      const call = client.call(untyped(endpoint), untyped(options)) as Effect.Effect<unknown, CallError>
      assert.isTrue((yield* told(call)).startsWith(message), yield* told(call))
      assert.deepStrictEqual([zapier.apiRequests.length, zapier.tokenRequests.length], [0, 1])
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("finds the endpoint of an absolute URL, and drops its fragment", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      const client = (yield* ZapierHttpClient).forUser(subject)
      yield* client.get("https://api.zapier.com/v2/zaps?limit=1#x")
      yield* client.get("HTTPS://API.zapier.com:443/v2/zaps")
      assert.deepStrictEqual(
        zapier.apiRequests.map(({ url }) => url.href),
        ["https://api.zapier.com/v2/zaps?limit=1", "https://api.zapier.com/v2/zaps"]
      )
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("finds endpoints below the path of a gateway, by path and by URL", () => {
    const zapier = TestZapier.make()
    const api = "https://gateway.example/zapier/"
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      const client = (yield* ZapierHttpClient).forUser(subject)
      yield* client.get("/v2/zaps")
      yield* client.get("https://gateway.example/zapier/v2/zaps")
      assert.deepStrictEqual(
        zapier.apiRequests.map(({ authorization, url }) => [authorization, url.href]),
        [
          ["Bearer access-token-1", "https://gateway.example/zapier/v2/zaps"],
          ["Bearer access-token-1", "https://gateway.example/zapier/v2/zaps"]
        ]
      )
    }).pipe(
      Effect.provide(
        zapier.layer().pipe(Layer.provide(Layer.succeed(ZapierUrls.ZapierUrls, { ...ZapierUrls.production, api })))
      )
    )
  })

  it.effect.each(["https://user:pass@api.zapier.com/v2/zaps", "blob:https://api.zapier.com/v2/zaps", "data:,x", ""])(
    "refuses %s",
    (url) => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        const client = (yield* ZapierHttpClient).as(Credential.user(subject))
        assert.match(yield* told(client.get(url)), /^url: /)
        assert.strictEqual(zapier.apiRequests.length, 0)
      }).pipe(Effect.provide(zapier.layer()))
    }
  )
})

describe("ZapierHttpClient: options of fetch", () => {
  it.effect("apply to the caller's own call only, and never follow redirects", () => {
    const seen: Array<RequestInit | undefined> = []
    const look = Effect.map(Effect.serviceOption(FetchHttpClient.RequestInit), (found) => {
      seen.push(Option.getOrUndefined(found))
    })
    const zapier = TestZapier.make(HttpClient.tapRequest(() => look))
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      const client = (yield* ZapierHttpClient).as(Credential.user(subject))
      seen.length = 0
      const own = { cache: "no-store", redirect: "follow" } as const
      yield* client.get("/v2/zaps").pipe(Effect.provideService(FetchHttpClient.RequestInit, own))
      yield* client.get("/v2/zaps")
      assert.deepStrictEqual(seen, [{ cache: "no-store", redirect: "manual" }, { redirect: "manual" }])
    }).pipe(Effect.provide(zapier.layer()))
  })
})
