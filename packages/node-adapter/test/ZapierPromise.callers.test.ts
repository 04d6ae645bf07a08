import { describe, expect, it } from "@effect/vitest"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as ZapierPromise from "../src/ZapierPromise.ts"

const app = {
  name: "Acme",
  clientId: "acme",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/zapier/callback"]
}

const setup = () => {
  const fake = FakeZapier.make({ apps: [app] })
  const httpClient = Layer.provide(FakeZapier.layerHttpClient, Layer.succeed(FakeZapier.FakeZapier, fake))
  const zapier = ZapierPromise.fromLayer(
    ZapierNode.layerMemory({ application: app, httpClient, settings: { retryFor: 0 } })
  )
  const connect = async (subject: string) => {
    const begun = await zapier.authorizationUrl({ subject, scopes: ["zap"] })
    if (!begun.ok) throw new Error(begun.error.message)
    await zapier.handleCallback(await Effect.runPromise(fake.approve(begun.value.url)), { subject })
  }
  return { fake, zapier, connect, sent: () => Effect.runSync(fake.requests).length }
}

/** What programs without types give. */
const untyped = (value: unknown) => value as never

const circular: { self?: unknown } = {}
circular.self = circular

const oddities: ReadonlyArray<unknown> = [
  undefined,
  null,
  true,
  false,
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  10n,
  "",
  " ",
  "\ud800",
  "ada\n",
  "ada\u0000",
  "x".repeat(2_000),
  "__proto__",
  "constructor",
  "toString",
  ".",
  "/v2/zaps",
  "/v2/zaps#x",
  "//elsewhere.example/v2/zaps",
  "https://api.zapier.com/v2/zaps",
  "https://elsewhere.example/v2/zaps",
  "blob:https://api.zapier.com/v2/zaps",
  "javascript:alert(1)",
  "get",
  "TRACE",
  Symbol("odd"),
  () => "odd",
  circular,
  Object.create(null),
  // As a caller has it. @effect-diagnostics-next-line globalDate:off
  new Date(0),
  new Map([["subject", "ada"]]),
  new URL("https://api.zapier.com/v2/zaps"),
  new URLSearchParams("code=a&state=b"),
  new Uint8Array([1, 2, 3]),
  new AbortController(),
  [],
  [undefined],
  [["a", "b"]],
  [1, 2],
  { a: { b: "c" } },
  { "a b": "c" },
  { a: "b\r\nc: d" },
  { a: ["b"] },
  Credential.clientId,
  Credential.user("ada"),
  Credential.user(untyped(42)),
  Credential.app(untyped("zap")),
  { _tag: "User" },
  { _tag: "Root" }
]

const odd = Arbitrary.map(
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: oddities.length - 1 }))),
  (index) => oddities[index]
)

const text = Arbitrary.schema(Schema.String)

const coin = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })))

const scalar = Arbitrary.flatMap(coin, (side): Arbitrary.Arbitrary<unknown> => (side === 0 ? text : odd))

const names =
  "subject scopes redirectUri pkce incremental page signUp campaign method headers body json credential signal code state error".split(
    " "
  )

// Some options are right, so that what is behind the first check is reached as well.
const right: { readonly [name: string]: unknown } = { subject: "ada", scopes: ["zap"], code: "a", state: "b" }

const options = Arbitrary.map(
  Arbitrary.all(names.map((name) => Arbitrary.all([Arbitrary.Constant(name), coin, scalar]))),
  (drawn) =>
    Object.fromEntries(
      drawn.flatMap(([name, side, value]) => {
        if (side === 0) return [[name, value] as const]
        return name in right && side > 1 ? [[name, right[name]] as const] : []
      })
    )
)

const anything = Arbitrary.flatMap(coin, (side): Arbitrary.Arbitrary<unknown> => (side > 1 ? options : scalar))

const raise = () => {
  throw new Error("a getter that throws")
}

const isWellFormed = (result: unknown): result is ZapierPromise.Result<unknown> => {
  const { error, ok } = result as ZapierPromise.Result<unknown> & { readonly error?: ZapierPromise.Failure }
  return ok || (typeof error?._tag === "string" && error.message !== "" && error.httpStatus >= 400)
}

type Call = (zapier: ZapierPromise.ZapierPromise, first: unknown, second: unknown) => Promise<unknown>

const calls: ReadonlyArray<readonly [string, Call]> = [
  ["authorizationUrl", (zapier, first) => zapier.authorizationUrl(untyped(first))],
  ["handleCallback", (zapier, first, second) => zapier.handleCallback(untyped(first), untyped(second))],
  ["accessToken", (zapier, first, second) => zapier.accessToken(untyped(first), untyped(second))],
  ["appToken", (zapier, first, second) => zapier.appToken(untyped(first), untyped(second))],
  ["fetch", (zapier, first, second) => zapier.fetch(untyped(first), untyped(second))],
  ["status", (zapier, first) => zapier.status(untyped(first))],
  ["disconnect", (zapier, first) => zapier.disconnect(untyped(first))]
]

describe("ZapierPromise: what callers give", () => {
  describe.each(calls)("%s", (_, call) => {
    it.effect.prop(
      "ends in a result, whatever it is given",
      [anything, anything],
      ([first, second]) =>
        Effect.promise(async () => {
          const { sent, zapier } = setup()
          const result = await call(zapier, first, second)
          expect(result).toSatisfy(isWellFormed)
          const { error } = result as { readonly error?: ZapierPromise.Failure }
          if (error?.blames === "Caller") {
            expect(error).toMatchObject({ needsReconnect: false, isRetryable: false })
            expect(sent()).toBe(0)
          }
          await zapier.close()
        }),
      { arbitrary: { runs: 300 } }
    )
  })

  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }

  const hostile: ReadonlyArray<readonly [string, () => unknown]> = [
    ["a getter that throws", () => Object.defineProperty({}, "subject", { enumerable: true, get: () => raise() })],
    ["a proxy that is revoked", revoked],
    ["a list with such a proxy", () => [revoked()]],
    ["an object with such a proxy", () => ({ subject: "ada", scopes: revoked(), signal: revoked() })]
  ]

  describe.each(hostile)("%s", (_, make) => {
    it.each(calls)("is the caller's: %s", async (_, call) => {
      const { sent, zapier } = setup()
      const result = await call(zapier, make(), make())
      expect(result).toMatchObject({ ok: false, error: { _tag: "InvalidConfig", blames: "Caller" } })
      // Not all take a second one.
      expect(await call(zapier, "ada", make())).toSatisfy(isWellFormed)
      expect(sent()).toBe(0)
      await zapier.close()
    })

    it("is the caller's: make", async () => {
      const zapier = ZapierPromise.make(untyped(make()))
      const result = await zapier.status("ada")
      expect(result).toMatchObject({ ok: false, error: { _tag: "InvalidConfig", blames: "Caller" } })
      await zapier.close()
    })
  })

  it.effect.prop("subscribe throws the library's own error, or tells the listener", [anything], ([listener]) =>
    Effect.promise(async () => {
      const { zapier } = setup()
      const subscribe = () => zapier.subscribe(untyped(listener))
      if (typeof listener === "function") subscribe()()
      else expect(subscribe).toThrow(/^listener: pass a function/)
      await zapier.close()
    })
  )

  const wrong: ReadonlyArray<readonly [string, Call, string]> = [
    ["an empty subject", (z) => z.accessToken(""), "subject: it is empty; give the app's own id"],
    ["no subject", (z) => z.fetch("/v2/zaps"), "subject: it is missing; give the app's own id"],
    ["no subject", (z) => z.fetch("https://api.zapier.com/v2/zaps"), "subject: it is missing"],
    ["no subject", (z) => z.fetch("/v2/zaps#x"), "subject: it is missing"],
    ["a subject that is a number", (z) => z.status(untyped(42)), "subject: it is not text"],
    ["a subject with a line break", (z) => z.disconnect("ada\n"), "subject: it contains a line break, at position 4"],
    ["a control character", (z) => z.status("a\u0007"), "subject: it contains a control character, at position 2"],
    ["half a surrogate pair", (z) => z.accessToken("\ud800"), "subject: it contains an unpaired surrogate"],
    ["a long subject", (z) => z.accessToken("é".repeat(501)), "subject: it is longer than 1000 bytes of UTF-8"],
    [
      "a subject inside a credential",
      (z) => z.fetch("/x", { credential: Credential.user("") }),
      "subject: it is empty"
    ],
    ["scopes that are a text", (z) => z.appToken(untyped("zap")), 'scopes: give a list of scopes, such as ["zap"]'],
    ["no options", (z) => z.authorizationUrl(untyped(null)), "options: pass an object, such as"],
    [
      "PKCE that is neither on nor off",
      (z) => z.authorizationUrl({ subject: "ada", scopes: ["zap"], pkce: untyped("true") }),
      "pkce: give true or false"
    ],
    [
      "a request as a callback",
      (z) => z.handleCallback(untyped(new Request("https://a.example/?code=a&state=b")), { subject: "ada" }),
      "input: give the callback's URL as text, for example request.url"
    ],
    [
      "a map as a callback",
      (z) => z.handleCallback(untyped(new Map([["code", "a"]])), { subject: "ada" }),
      "input: give the callback's URL as text"
    ],
    [
      "a promise of a query, as some frameworks have it",
      (z) => z.handleCallback(untyped(Promise.resolve({ code: "a", state: "b" })), { subject: "ada" }),
      "input: give the callback's URL as text"
    ],
    [
      "a request of Node as a callback",
      (z) => z.handleCallback(untyped({ url: "/?code=a&state=b", on: () => undefined }), { subject: "ada" }),
      "input: give the callback's URL as text"
    ],
    ["no callback", (z) => z.handleCallback(untyped(undefined), { subject: "ada" }), "input: give the callback's URL"],
    [
      "a callback for nobody",
      (z) => z.handleCallback("?code=a&state=b", untyped(null)),
      "options: pass an object with"
    ],
    ["a path that is no text", (z) => z.fetch(untyped(42)), "path: give a path of the API as text"],
    [
      "a path whose parameter was not filled in",
      (z) => z.fetch("/v2/zaps/{id}", { method: "DELETE", subject: "ada" }),
      "url: it contains a brace"
    ],
    ["a path that is none", (z) => z.fetch("v2/zaps", { subject: "ada" }), "url: give a path of the API"],
    ["options that are none", (z) => z.fetch("/v1/apps", untyped(42)), "options: pass an object"],
    ["a method in small letters", (z) => z.fetch("/v1/apps", { method: untyped("get") }), "method: give one of GET, "],
    ["a body of GET", (z) => z.fetch("/v1/apps", { body: "x" }), "body: omit it: GET requests have no body"],
    ["a body that is a number", (z) => z.fetch("/x", { method: "POST", body: untyped(1) }), "body: pass text or bytes"],
    [
      "a circle as JSON",
      (z) => z.fetch("/x", { method: "POST", json: circular }),
      "json: pass a value that JSON can represent"
    ],
    [
      "a function as JSON",
      (z) => z.fetch("/x", { method: "POST", json: () => 1 }),
      "json: pass a value that JSON can represent"
    ],
    [
      "two headers in one",
      (z) => z.fetch("/v1/apps", { headers: { a: "b\r\nc: d" } }),
      "headers.a: it contains a line"
    ],
    [
      "a header's odd name",
      (z) => z.fetch("/v1/apps", { headers: { "a b": "c" } }),
      "headers: a header name has invalid"
    ],
    [
      "a header that is a number",
      (z) => z.fetch("/v1/apps", { headers: { a: untyped(1) } }),
      "headers.a: it is not text"
    ],
    [
      "headers that are none",
      (z) => z.fetch("/v1/apps", { headers: untyped(null) }),
      "headers: give an object of texts"
    ],
    [
      "a credential that is none",
      (z) => z.fetch("/v1/apps", { credential: untyped("me") }),
      "credential: make it with"
    ],
    [
      "an unknown endpoint",
      (z) => z.fetch("/v3/x", { subject: "ada" }),
      "credential: the endpoint table does not have GET /v3/x; set the credential"
    ],
    ...(["HEAD", "OPTIONS"] as const).map((method): (typeof wrong)[number] => [
      `${method} of an endpoint that has other methods`,
      (z) => z.fetch("/v2/zaps", { method, subject: "ada" }),
      `credential: the endpoint table does not have ${method} /v2/zaps, but GET and POST; set the credential`
    ]),
    ["a signal that is none", (z) => z.accessToken("ada", { signal: untyped(5) }), "signal: pass an AbortSignal"]
  ]

  it.each(wrong)("says so of %s, and sends nothing", async (_, call, message) => {
    const { sent, zapier } = setup()
    expect(await call(zapier, undefined, undefined)).toEqual({
      ok: false,
      error: expect.objectContaining({
        _tag: "InvalidConfig",
        message: expect.stringMatching(new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`)),
        needsReconnect: false,
        blames: "Caller"
      })
    })
    expect(sent()).toBe(0)
    await zapier.close()
  })

  it.each(["https://api.zapier.com/v2/zaps", "/v2/zaps#x", "https://api.zapier.com/v2/zaps?limit=1#x", "/v2/zaps/"])(
    "calls %s for the user who is connected",
    async (path) => {
      const { connect, zapier } = setup()
      await connect("ada")
      expect(await zapier.fetch(path, { subject: "ada" })).toMatchObject({ ok: true, value: { status: 200 } })
      await zapier.close()
    }
  )

  it.each(["__proto__", "constructor", "hasOwnProperty", "Ådå ✓", "a b"])("takes %s for a user", async (subject) => {
    const { connect, zapier } = setup()
    expect(await zapier.status(subject)).toEqual({ ok: true, value: { _tag: "Absent", subject } })
    await connect(subject)
    expect(await zapier.accessToken(subject)).toMatchObject({ ok: true })
    expect(await zapier.disconnect(subject)).toMatchObject({ ok: true, value: { wasConnected: true } })
    await zapier.close()
  })

  const optionNames = "application urls httpClient settings checkScopes fetch".split(" ")

  const made = Arbitrary.map(
    Arbitrary.all(optionNames.map((name) => Arbitrary.all([Arbitrary.Constant(name), coin, scalar]))),
    (drawn): object => ({
      application: app,
      ...Object.fromEntries(drawn.flatMap(([name, side, value]) => (side === 0 ? [[name, value] as const] : []))),
      stores: "memory"
    })
  )

  it.effect.prop(
    "a client is made of anything, and its first call says what is wrong with it",
    [made],
    ([options]) =>
      Effect.promise(async () => {
        const zapier = ZapierPromise.make(untyped(options))
        const result = await zapier.status("ada")
        expect(result).toSatisfy(isWellFormed)
        if (!result.ok) expect(result.error).toMatchObject({ _tag: "InvalidConfig", blames: "Caller" })
        await zapier.close()
      }),
    { arbitrary: { runs: 300 } }
  )

  it.each<readonly [unknown, string]>([
    [null, "options: pass an object"],
    [42, "options: pass an object"],
    [{ stores: "disk" }, 'stores: pass "memory"'],
    [{ stores: { dir: "/tmp" } }, "stores.dir: unknown option; the options are busyTimeout, create, custom, directory"],
    [{ stores: { directory: 5 } }, "stores.directory: give the path of a folder as text"],
    [{ stores: { directory: "" } }, "stores.directory: give the path of a folder as text"],
    [{ stores: { create: "no" } }, "stores.create: give true or false"],
    [{ stores: "memory", applicaton: app }, "applicaton: unknown option; the options are application, "],
    [{ stores: "memory", httpClient: 5 }, "httpClient: unknown option"],
    [{ stores: "memory", checkScopes: "no" }, "checkScopes: give true or false"],
    [{ stores: "memory", fetch: "fetch" }, "fetch: pass a function"],
    [{ stores: "memory", application: {} }, "clientId: it is missing; give the client id"],
    [{ stores: "memory", application: null }, "application: give an object with"],
    [
      { stores: "memory", application: { ...app, clientSecret: "s3cret\n" } },
      "clientSecret: it ends with a line break"
    ],
    [{ stores: "memory", application: app, urls: {} }, "urls.authorize: it is missing"],
    [{ stores: "memory", application: app, settings: { requestTimeout: "soon" } }, "requestTimeout: give a finite"]
  ])("a client made of %j says: %s", async (options, message) => {
    const zapier = ZapierPromise.make(untyped(options))
    const result = await zapier.status("ada")
    expect(result.ok ? "" : result.error.message.slice(0, message.length)).toBe(message)
    await zapier.close()
  })

  it("says so of an HTTP client that is no layer", async () => {
    const zapier = ZapierPromise.fromLayer(ZapierNode.layerMemory({ application: app, httpClient: untyped(42) }))
    expect(await zapier.status("ada")).toMatchObject({ ok: false, error: { setting: "httpClient" } })
    await zapier.close()
  })
})
