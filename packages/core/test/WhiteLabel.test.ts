import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as jose from "jose"
import { generateKeyPairSync } from "node:crypto"
import type { AuthEvent } from "../src/AuthEvent.ts"
import * as AppCredentialStore from "../src/store/AppCredentialStore.ts"
import * as MemoryStores from "../src/store/MemoryStores.ts"
import * as PartnerSigner from "../src/whitelabel/PartnerSigner.ts"
import * as WhiteLabel from "../src/WhiteLabel.ts"
import * as Credential from "../src/zapier/Credential.ts"
import * as ZapierApiClient from "../src/zapier/ZapierApiClient.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import { leaks } from "./utils/Leaks.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
const signer = PartnerSigner.layer({
  key: privateKey.export({ format: "jwk" }),
  keyId: "k-1",
  algorithm: "ES256"
})
/** Signs at once: a test that lets time pass must not wait for Web Crypto, which takes real time. */
const signsAtOnce = PartnerSigner.layerFunction({
  keyId: "k-1",
  algorithm: "ES256",
  sign: () => Effect.succeed(new Uint8Array(64))
})
const mode = (options: Partial<WhiteLabel.Options> = {}, by = signer) =>
  Layer.provide(WhiteLabel.layer({ issuer: "https://acme.example", ...options }), by)

const ada = { subject: "ada", tenant: "acme" }
const asAda = Credential.whiteLabel("ada", "acme")

const exchangeType = "urn:ietf:params:oauth:grant-type:token-exchange"
const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`

/** What a token request asked for. */
const asked = ({ form }: TestZapier.Received) => form.get("requested_token_type")?.split(":").at(-1)

const list = ZapierHttpClient.use((zapier) => zapier.call("GET /v2/zaps", { credential: asAda }))

const token = ZapierAuth.use((auth) => Effect.flatMap(auth.whiteLabel, (users) => users.token(ada)))

const make = (...options: Parameters<typeof mode>) => {
  const zapier = TestZapier.make()
  return { zapier, layer: zapier.layer().pipe(Layer.provide(mode(...options))) }
}

describe("WhiteLabel: a user's access token", () => {
  it.effect("comes from the exchange of a JWT that names the user", () => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 6, 1))
      expect((yield* list).status).toBe(200)
      const [request] = zapier.tokenRequests
      const { subject_token = "", ...form } = Object.fromEntries(request?.form ?? [])
      expect(form).toEqual({
        grant_type: exchangeType,
        subject_token_type: type("external-jwt"),
        requested_token_type: type("access-token")
      })
      expect(request?.authorization).toMatch(/^Basic /)
      const currentDate = DateTime.toDate(DateTime.makeUnsafe("2026-07-01T00:00:00Z"))
      const { payload } = yield* Effect.promise(() => jose.jwtVerify(subject_token, publicKey, { currentDate }))
      expect(payload).toMatchObject({
        iss: "https://acme.example",
        aud: "connect.zapier.com",
        sub: "ada",
        org_id: "acme"
      })
      expect(zapier.apiRequests.map(({ authorization }) => authorization)).toEqual(["Bearer access-token-1"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is shared by 1,000 calls at once: one exchange, and none fails", () => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      const statuses = yield* Effect.all(
        Array.from({ length: 1_000 }, () => list),
        { concurrency: "unbounded" }
      )
      expect(statuses.filter(({ status }) => status === 200)).toHaveLength(1_000)
      expect(zapier.tokenRequests).toHaveLength(1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is shared by processes over one store", () => {
    const zapier = TestZapier.make()
    const process = Layer.fresh(zapier.process().pipe(Layer.provide(mode({}, signsAtOnce))))
    return Effect.gen(function* () {
      const stores = yield* Layer.build(MemoryStores.layer)
      const gate = yield* Deferred.make<void>()
      zapier.nextToken(TestZapier.held(gate))
      const calls = yield* Effect.forEach(Array.from({ length: 8 }), () =>
        Effect.forkChild(Effect.provideContext(Effect.provide(list, process), stores))
      )
      for (let turns = 0; turns < 50; turns++) yield* TestZapier.tick
      yield* Deferred.succeed(gate, undefined)
      for (let turns = 0; turns < 50; turns++) {
        yield* TestZapier.tick
        yield* TestClock.adjust("1 second")
      }
      const statuses = yield* Effect.forEach(calls, Fiber.join)
      expect(statuses.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
      expect(zapier.tokenRequests).toHaveLength(1)
    })
  })

  it.effect("is another one for another user, and for the same user of another tenant", () => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      const zap = yield* ZapierHttpClient
      for (const [subject, tenant] of [
        ["ada", "acme"],
        ["bob", "acme"],
        ["ada", "globex"],
        ["ada", "acme"]
      ] as const) {
        yield* zap.call("GET /v2/zaps", { credential: Credential.whiteLabel(subject, tenant) })
      }
      const users = zapier.tokenRequests.map(({ form }) => {
        const { org_id, sub } = jose.decodeJwt(form.get("subject_token") ?? "")
        return [sub, org_id]
      })
      expect(users).toEqual([
        ["ada", "acme"],
        ["bob", "acme"],
        ["ada", "globex"]
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is exchanged anew after a 401, by a JWT of its own", () => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      yield* list
      zapier.state.accessTokens.clear()
      yield* TestClock.adjust("1 minute")
      expect((yield* list).status).toBe(200)
      const jwts = zapier.tokenRequests.map(({ form }) => form.get("subject_token"))
      expect(new Set(jwts).size).toBe(2)
      expect(jose.decodeJwt(jwts[1] ?? "").iat).toBe(60 - 30)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is asked for again when the response is lost, by a new JWT", () => {
    const zapier = TestZapier.make()
    zapier.nextToken(TestZapier.responseLost, TestZapier.respond(503, ""))
    const layer = zapier.layer({ retryFor: "5 seconds" }).pipe(Layer.provide(mode({}, signsAtOnce)))
    return Effect.gen(function* () {
      const call = yield* Effect.forkChild(list)
      for (let seconds = 0; seconds < 5; seconds++) {
        yield* TestZapier.tick
        yield* TestClock.adjust("1 second")
      }
      expect((yield* Fiber.join(call)).status).toBe(200)
      const jwts = zapier.tokenRequests.map(({ form }) => form.get("subject_token"))
      expect(jwts.length).toBe(3)
      expect(new Set(jwts).size).toBe(3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("requests only configured scopes, and allows calls if none are configured", () => {
    const named = make({ scopes: ["zap", "connection:read"] })
    const unnamed = make()
    unnamed.zapier.state.scope = undefined
    return Effect.gen(function* () {
      yield* Effect.provide(list, named.layer)
      expect(named.zapier.tokenRequests[0]?.form.get("scope")).toBe("zap connection:read")
      expect((yield* Effect.provide(list, unnamed.layer)).status).toBe(200)
      expect(unnamed.zapier.tokenRequests[0]?.form.has("scope")).toBe(false)
    })
  })

  it.effect("is refused where its scopes do not allow the call, before anything is sent", () => {
    const { layer, zapier } = make()
    zapier.state.scope = "profile"
    return Effect.gen(function* () {
      const failure = yield* Effect.flip(list)
      expect(failure).toMatchObject({ reason: { _tag: "InsufficientScope", mode: "WhiteLabel" } })
      expect(zapier.apiRequests).toEqual([])
    }).pipe(Effect.provide(layer))
  })

  it.effect("reports a refresh token as an oddity, and drops it", () => {
    const { layer, zapier } = make()
    zapier.nextToken(
      TestZapier.respond(200, {
        access_token: "access-1",
        refresh_token: "refresh-1",
        expires_in: 60,
        token_type: "Bearer"
      })
    )
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const events: Array<AuthEvent> = []
      yield* Effect.forkChild(Stream.runForEach(auth.events, (event) => Effect.sync(() => events.push(event))))
      yield* TestZapier.tick
      yield* token
      yield* TestZapier.tick
      const store = yield* AppCredentialStore.AppCredentialStore
      const record = yield* store.get({ clientId: "client-1", scopes: '["ada","acme"]' })
      expect(leaks(record, new Map([["refresh", "refresh-1"]]))).toEqual([])
      expect(events).toMatchObject([
        { _tag: "WhiteLabelTokenChanged", ...ada, from: "Absent", to: "Requesting" },
        { _tag: "OddResponseTaken", ...ada, grant: "TokenExchange", oddities: ["refresh_token"] },
        { _tag: "WhiteLabelTokenChanged", ...ada, from: "Requesting", to: "Active", generation: 1 }
      ])
      // Renewed by another exchange, and not by a refresh.
      yield* TestClock.adjust("2 minutes")
      yield* token
      expect(zapier.tokenRequests.map(({ form }) => form.get("grant_type"))).toEqual([exchangeType, exchangeType])
    }).pipe(Effect.provide(layer))
  })

  it.effect("names the settings to check when Zapier rejects the JWT", () => {
    const { layer, zapier } = make()
    zapier.nextToken(TestZapier.respond(400, { error: "invalid_request", error_description: "raw words" }))
    return Effect.gen(function* () {
      const failure = yield* Effect.flip(token)
      expect(failure.message).toBe(
        "Zapier's token endpoint refused the request (invalid_request). Check that issuer, audience and claim names are as registered with Zapier, that the JWKS has the signing key's kid, the scopes, and this machine's clock."
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("fails as not signed when the signer fails, and is signed at the next call", () => {
    let isAway = false
    const by = PartnerSigner.layerFunction({
      keyId: "kms",
      algorithm: "ES256",
      sign: async () => (isAway ? Promise.reject(new Error("a secret")) : new Uint8Array(64))
    })
    const { layer, zapier } = make({}, by)
    return Effect.gen(function* () {
      isAway = true
      expect(yield* TestZapier.reasonOf(token)).toBe("AppCodeFailed")
      expect(zapier.tokenRequests).toEqual([])
      isAway = false
      yield* token
      expect(zapier.tokenRequests).toHaveLength(1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("times out when the signer does not respond", () => {
    const by = PartnerSigner.layerFunction({ keyId: "kms", algorithm: "ES256", sign: () => Effect.never })
    const { layer, zapier } = make({}, by)
    return Effect.gen(function* () {
      const call = yield* Effect.forkChild(Effect.flip(token))
      for (let seconds = 0; seconds < 25; seconds++) {
        yield* TestZapier.tick
        yield* TestClock.adjust("1 second")
      }
      expect((yield* Fiber.join(call)).isRetryable).toBe(true)
      expect(zapier.tokenRequests).toEqual([])
    }).pipe(Effect.provide(layer))
  })

  it.effect("serves a client for one user, plain and typed", () => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      const zap = yield* ZapierHttpClient
      expect((yield* zap.as(asAda).get("/v2/unheard-of")).status).toBe(200)
      expect((yield* zap.forUser(asAda).get("/v2/zaps")).status).toBe(200)
      expect((yield* zap.forUser(asAda).get("/v1/apps")).status).toBe(200)
      const page = { links: { next: null, prev: null }, meta: { count: 0, limit: 10, offset: 0 }, data: [] }
      zapier.nextApi(TestZapier.respond(200, page), TestZapier.respond(200, page))
      const typed = yield* ZapierApiClient.make({ retry: false })
      yield* typed.zaps.list({ credential: asAda })
      yield* ZapierApiClient.forUser(typed, asAda).zaps.list()
      expect(zapier.tokenRequests).toHaveLength(1)
      expect(zapier.apiRequests.map(({ authorization }) => authorization ?? "none")).toEqual([
        "Bearer access-token-1",
        "Bearer access-token-1",
        "none",
        "Bearer access-token-1",
        "Bearer access-token-1"
      ])
    }).pipe(Effect.provide(layer))
  })
})

describe("WhiteLabel: connect tokens", () => {
  const connectUrl = (options: Partial<WhiteLabel.ConnectUrlOptions> = {}) =>
    WhiteLabel.connectUrl({ ...ada, app: "SlackCLIAPI", ...options })

  it.effect("are exchanged for where they will be used, each time anew, and kept nowhere", () => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      const first = yield* connectUrl()
      const second = yield* connectUrl({ reconnectId: "42", theme: "dark mode" })
      expect(zapier.tokenRequests.map(asked)).toEqual(["access-token", "connect-token", "connect-token"])
      const { subject_token, ...form } = Object.fromEntries(zapier.tokenRequests[1]?.form ?? [])
      expect(subject_token).toBe("access-token-1")
      expect(form).toEqual({
        grant_type: exchangeType,
        subject_token_type: type("access-token"),
        requested_token_type: type("connect-token"),
        scope: "connection:write",
        resource: "https://connect.zapier.com/to/SlackCLIAPI"
      })
      expect(Redacted.value(first.url)).toBe("https://connect.zapier.com/to/SlackCLIAPI?token=access-token-2")
      expect(Redacted.value(second.url)).toBe(
        "https://connect.zapier.com/to/SlackCLIAPI?token=access-token-3&reconnect_id=42&theme=dark+mode"
      )
      expect(first.expiresAt).toBe(36_000_000)
      const secrets = new Map([["token", "access-token-2"]])
      const store = yield* AppCredentialStore.AppCredentialStore
      expect(leaks([first, yield* store.get({ clientId: "client-1", scopes: '["ada","acme"]' })], secrets)).toEqual([])
    }).pipe(Effect.provide(layer))
  })

  it.effect("are for any page of Zapier's", () => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      const resource = "https://connect.zapier.com/oauth/authorize"
      const { token } = yield* WhiteLabel.connectToken({ ...ada, resource })
      expect(Redacted.value(token)).toBe("access-token-2")
      expect(zapier.tokenRequests[1]?.form.get("resource")).toBe(resource)
    }).pipe(Effect.provide(layer))
  })

  it.effect("are of no type that RFC 6749 knows, which is not odd", () => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const events: Array<AuthEvent> = []
      yield* token
      yield* Effect.forkChild(Stream.runForEach(auth.events, (event) => Effect.sync(() => events.push(event))))
      yield* TestZapier.tick
      zapier.nextToken(TestZapier.respond(200, { access_token: "c", token_type: "N_A", expires_in: 360 }))
      yield* connectUrl()
      yield* TestZapier.tick
      expect(events).toEqual([])
    }).pipe(Effect.provide(layer))
  })

  it.effect.each(["invalid_request", "invalid_grant"])("heal from an access token that ended early (%s)", (error) => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      yield* token
      zapier.nextToken(TestZapier.respond(400, { error }))
      const { url } = yield* connectUrl()
      expect(zapier.tokenRequests.map(asked)).toEqual([
        "access-token",
        "connect-token",
        "access-token",
        "connect-token"
      ])
      expect(Redacted.value(url)).toContain("token=access-token-3")
    }).pipe(Effect.provide(layer))
  })

  it.effect("cost no more than one exchange more where they are always refused", () => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      yield* token
      const refuse = TestZapier.respond(400, { error: "invalid_request" })
      for (let times = 0; times < 5; times++) {
        const usual: TestZapier.Script = (_, usual) => Effect.sync(usual)
        zapier.nextToken(refuse, ...(times === 0 ? [usual, refuse] : []))
        expect(yield* TestZapier.reasonOf(connectUrl())).toBe("TokenRequestRefused")
      }
      expect(zapier.tokenRequests.map(asked).filter((what) => what === "access-token")).toHaveLength(2)
    }).pipe(Effect.provide(layer))
  })

  it.effect.each<[string, Partial<WhiteLabel.ConnectUrlOptions>, string]>([
    ["no user", { subject: "" }, "subject: it is empty"],
    ["no tenant", JSON.parse('{ "tenant": null }'), "tenant: it is missing; pass the app's own id"],
    ["a tenant with a line break", { tenant: "a\nb" }, "tenant: it contains a line break"],
    [
      "names that are too long together",
      { subject: "a".repeat(500), tenant: "b".repeat(500) },
      "tenant: it is longer than 1000"
    ],
    ["no app", { app: "" }, "app: pass the app to connect"],
    ["a dot segment", { app: ".." }, "app: pass the app to connect"]
  ])("refuse %s", ([, options, message]) => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      const failure = yield* Effect.flip(connectUrl(options))
      expect(failure.message).toContain(message)
      expect(zapier.tokenRequests).toEqual([])
    }).pipe(Effect.provide(layer))
  })

  it.effect("stay within the path for any name of an app", () => {
    const { layer, zapier } = make()
    return Effect.gen(function* () {
      yield* connectUrl({ app: "../a?b#c" })
      expect(zapier.tokenRequests[1]?.form.get("resource")).toBe("https://connect.zapier.com/to/..%2Fa%3Fb%23c")
    }).pipe(Effect.provide(layer))
  })
})

describe("WhiteLabel: configuration", () => {
  it.effect("is required only by a program that uses it", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      expect((yield* Effect.flip(list)).message).toBe(
        "whiteLabel: set the option whiteLabel, or provide WhiteLabel.layer"
      )
      expect((yield* Effect.flip(WhiteLabel.connectUrl({ ...ada, app: "a" }))).message).toContain(
        "whiteLabel: set the option whiteLabel, or provide WhiteLabel.layer"
      )
      expect(zapier.tokenRequests).toEqual([])
      yield* ZapierAuth.use((auth) => auth.appToken(["promotions:write"]))
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each<[string, unknown, string]>([
    ["nothing", undefined, "whiteLabel: give an object with the issuer"],
    ["no issuer", { issuer: undefined }, "whiteLabel.issuer: it is missing; set it as registered"],
    ["an issuer with a blank", { issuer: "acme " }, "whiteLabel.issuer: it ends with a space"],
    ["an audience that is no text", { issuer: "a", audience: 1 }, "whiteLabel.audience: it is not text"],
    [
      "a claim with another meaning",
      { issuer: "a", claims: { user: "iss" } },
      "whiteLabel.claims.user: iss is a registered claim"
    ],
    [
      "one claim for both",
      { issuer: "a", claims: { tenant: "sub" } },
      "whiteLabel.claims: the user and the tenant have the same claim; set two different names"
    ],
    ["scopes that are none", { issuer: "a", scopes: ["a b"] }, "scopes: give each scope as a separate text"]
  ])("is refused: %s", ([, options, message]) =>
    Effect.gen(function* () {
      const layer = TestZapier.make()
        .layer()
        .pipe(Layer.provide(Layer.provide(WhiteLabel.layer(options as WhiteLabel.Options), signer)))
      expect((yield* Effect.flip(Effect.provide(token, layer))).message).toContain(message)
    })
  )

  it.effect("is refused when the signer cannot sign, as the program starts", () =>
    Effect.gen(function* () {
      const none = PartnerSigner.layerEffect(
        Effect.succeed({ key: "nonsense", keyId: "k", algorithm: "ES256" as const })
      )
      const { layer } = make({}, none)
      const failure = yield* Effect.flip(Effect.provide(Effect.void, layer))
      expect(failure.message).toContain("signer.key: it is neither a JWK nor PEM")
    })
  )
})
