/** A partner's JWT for an access token. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as TestClock from "effect/testing/TestClock"
import * as Jose from "jose"
import * as FakeFault from "../../src/fake/FakeFault.ts"
import * as FakeServer from "../../src/fake/FakeServer.ts"
import * as Partner from "../utils/partner.ts"
import * as PartnerFake from "../utils/partnerFake.ts"

const { make, start } = PartnerFake

const at = (seconds: number) => TestClock.setTime(seconds * 1_000)

describe("exchange of a JWT", () => {
  it.effect("gives an access token as RFC 8693 has it, without a refresh token", () =>
    Effect.gen(function* () {
      const { api, exchange, jwt } = yield* make()
      const { headers, json, status } = yield* exchange(yield* jwt(), { scope: "zap profile" })
      expect(status).toBe(200)
      expect(headers["cache-control"]).toBe("no-store")
      expect(json).toStrictEqual({
        access_token: expect.stringMatching(/^\w{30}$/),
        issued_token_type: Partner.types.accessToken,
        token_type: "Bearer",
        expires_in: 3600,
        scope: "zap profile"
      })
      expect((yield* api("GET", "/v2/zaps", json.access_token)).status).toBe(200)
      expect((yield* api("GET", "/v2/zap-runs", json.access_token)).status).toBe(403)
      yield* at(start + 3_600)
      expect((yield* api("GET", "/v2/zaps", json.access_token)).status).toBe(401)
    })
  )

  it.effect.each(["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"])("takes %s", (algorithm) =>
    Effect.gen(function* () {
      const key = yield* Effect.promise(() => Partner.key("k", algorithm))
      const { exchange } = yield* make({ whiteLabel: { issuer: Partner.issuer, jwks: { keys: [key.jwk] } } })
      const jwt = yield* Effect.promise(() => Partner.sign(key, Partner.claims(start)))
      expect((yield* exchange(jwt)).status).toBe(200)
    })
  )

  it.effect("takes the claims that were configured, and no others in their place", () =>
    Effect.gen(function* () {
      const key = yield* Effect.promise(() => Partner.current)
      const { exchange, jwt } = yield* make({
        whiteLabel: { issuer: "acme", jwks: { keys: [key.jwk] }, userClaim: "uid", tenantClaim: "tenant_id" }
      })
      expect((yield* exchange(yield* jwt({ iss: "acme", uid: "u", tenant_id: "t" }))).status).toBe(200)
      expect((yield* exchange(yield* jwt({ iss: "acme", uid: "u" }))).json.error_description).toContain("tenant_id")
    })
  )

  it.effect("gives each user of each tenant an account of their own, which is empty at first", () =>
    Effect.gen(function* () {
      const { accessToken, api } = yield* make()
      const subjects = [{}, { sub: "user-2" }, { org_id: "tenant-2" }, { sub: "user-2", org_id: "tenant-2" }]
      const profiles = yield* Effect.forEach(subjects, (subject) =>
        Effect.gen(function* () {
          const token = yield* accessToken(subject)
          expect((yield* api("GET", "/v2/zaps", token)).json.data).toStrictEqual([])
          return (yield* api("GET", "/v1/profiles/me", token)).json
        })
      )
      expect(new Set(profiles.map(({ id }) => id)).size).toBe(4)
      expect(new Set(profiles.map(({ email }) => email)).size).toBe(4)
      // Nobody sees from outside who it is.
      expect(JSON.stringify(profiles)).not.toMatch(/user-|tenant-/)
      const again = yield* api("GET", "/v1/profiles/me", yield* accessToken())
      expect(again.json).toStrictEqual(profiles[0])
    })
  )

  it.effect("keeps partners apart", () =>
    Effect.gen(function* () {
      const { api, jwt, token } = yield* make()
      const ids = yield* Effect.forEach(["partner-1", "partner-2"], (clientId) =>
        Effect.gen(function* () {
          const { json } = yield* token(Partner.exchangeFields(yield* jwt()), clientId)
          return (yield* api("GET", "/v1/profiles/me", json.access_token)).json.id
        })
      )
      expect(ids[0]).not.toBe(ids[1])
    })
  )

  it.effect("ends only the user's previous token, or lets both live", () =>
    Effect.gen(function* () {
      for (const exchangeEndsAccessToken of [true, false]) {
        const { accessToken, api } = yield* make({ settings: { exchangeEndsAccessToken } })
        const [first, other, second] = [
          yield* accessToken(),
          yield* accessToken({ sub: "user-2" }),
          yield* accessToken()
        ]
        const statuses = yield* Effect.forEach([first, other, second], (token) => api("GET", "/v2/zaps", token))
        expect(statuses.map(({ status }) => status)).toStrictEqual([exchangeEndsAccessToken ? 401 : 200, 200, 200])
      }
    })
  )

  it.effect("gives a refresh token where that is wanted, which keeps to all rules", () =>
    Effect.gen(function* () {
      const { api, exchange, jwt, token } = yield* make({ settings: { exchangeGivesRefreshToken: true } })
      const { json } = yield* exchange(yield* jwt())
      const refresh = { grant_type: "refresh_token", refresh_token: json.refresh_token }
      const renewed = yield* token(refresh)
      expect(renewed.json).toMatchObject({ expires_in: 3600, refresh_token: expect.any(String) })
      expect((yield* api("GET", "/v2/zaps", renewed.json.access_token)).status).toBe(200)
      expect((yield* token(refresh)).json).toStrictEqual({ error: "invalid_grant" })
      expect((yield* api("GET", "/v2/zaps", renewed.json.access_token)).status).toBe(401)
    })
  )

  it.effect("is had again after the grant was revoked", () =>
    Effect.gen(function* () {
      const { accessToken, api, zapier } = yield* make()
      const token = yield* accessToken()
      yield* zapier.revoke({ clientId: Partner.app.clientId })
      expect((yield* api("GET", "/v2/zaps", token)).status).toBe(401)
      expect((yield* api("GET", "/v2/zaps", yield* accessToken())).status).toBe(200)
    })
  )

  it.effect("is for registered partners only", () =>
    Effect.gen(function* () {
      const { jwt, token } = yield* make()
      const fields = Partner.exchangeFields(yield* jwt())
      expect((yield* token(fields, "plain")).json.error).toBe("unauthorized_client")
      expect(yield* token(fields, "nobody")).toMatchObject({ status: 401, json: { error: "invalid_client" } })
    })
  )

  it.effect("lets no partner's user delete the Zaps of others, but their own", () =>
    Effect.gen(function* () {
      const { accessToken, api } = yield* make()
      const id = "00000000-0000-c000-8000-000000100100"
      expect((yield* api("DELETE", `/v2/zaps/${id}`, yield* accessToken())).status).toBe(404)
    })
  )
})

// -----------------------------------------------------------------------------
// What is refused
// -----------------------------------------------------------------------------

const required = ["sub", "org_id", "iss", "aud", "iat", "nbf", "exp"]

interface Wrong {
  readonly what: string
  readonly claims?: { readonly [name: string]: unknown }
  readonly header?: { readonly [name: string]: unknown }
  /** What the description names. */
  readonly named: string
}

const wrong: ReadonlyArray<Wrong> = [
  ...required.map((name) => ({ what: `no ${name}`, claims: { [name]: undefined }, named: name })),
  ...required.map((name) => ({ what: `${name} of another type`, claims: { [name]: [7] }, named: name })),
  ...["sub", "org_id"].map((name) => ({ what: `an empty ${name}`, claims: { [name]: "" }, named: name })),
  { what: "another issuer", claims: { iss: "https://other.example" }, named: "iss" },
  { what: "another audience", claims: { aud: "https://zapier.com" }, named: "aud" },
  { what: "several audiences", claims: { aud: [Partner.types.jwt, "connect.zapier.com"] }, named: "aud" },
  { what: "iat in the future", claims: { iat: start + 1 }, named: "iat" },
  { what: "nbf in the future", claims: { nbf: start + 1 }, named: "nbf" },
  { what: "an expired JWT", claims: { iat: start - 300, exp: start }, named: "exp" },
  { what: "exp too far ahead", claims: { exp: start + 301 }, named: "exp" },
  { what: "a time that is no number", claims: { exp: String(start + 300) }, named: "exp" },
  { what: "a jti that is no text", claims: { jti: 7 }, named: "jti" },
  { what: "an unknown kid", header: { kid: "unknown" }, named: "kid" },
  { what: "no kid", header: { kid: undefined }, named: "kid" },
  { what: "another typ", header: { typ: "at+jwt" }, named: "typ" }
]

describe("a JWT is refused", () => {
  it.effect.each(wrong.map((one) => [one.what, one] as const))("with %s", ([, { claims, header, named }]) =>
    Effect.gen(function* () {
      const { exchange, jwt, zapier } = yield* make()
      const given = yield* jwt(claims, header)
      const refused = yield* exchange(given)
      expect(refused).toMatchObject({ status: 400, json: { error: "invalid_request" } })
      expect(refused.json.error_description).toMatch(new RegExp(`\\b${named}\\b`))
      // It says which claim, and never its value (RFC 6749 section 5.2: ASCII without quotes).
      expect(refused.json.error_description).toMatch(/^[ !#-[\]-~]+$/)
      for (const secret of [...given.split("."), "user-1", "tenant-1"]) expect(refused.body).not.toContain(secret)
      expect(yield* zapier.issued).toStrictEqual([])
      yield* zapier.changeSettings({ invalidJwtError: "invalid_grant" })
      expect((yield* exchange(given)).json.error).toBe("invalid_grant")
    })
  )

  const encode = (value: unknown) => Base64Url.encode(JSON.stringify(value))

  it.effect("without a signature", () =>
    Effect.gen(function* () {
      const { exchange } = yield* make()
      for (const alg of ["none", "None", ""]) {
        const jwt = `${encode({ alg, kid: "current", typ: "JWT" })}.${encode(Partner.claims(start))}.`
        expect((yield* exchange(jwt)).json).toMatchObject({
          error: "invalid_request",
          error_description: expect.stringContaining("alg")
        })
      }
    })
  )

  it.effect("with HS256 and the public key as its secret", () =>
    Effect.gen(function* () {
      const key = yield* Effect.promise(() => Partner.key("current", "RS256"))
      const { exchange } = yield* make({ whiteLabel: { issuer: Partner.issuer, jwks: { keys: [key.jwk] } } })
      const forged = yield* Effect.promise(async () => {
        const pem = await Jose.exportSPKI(key.publicKey)
        return new Jose.SignJWT(Partner.claims(start))
          .setProtectedHeader({ alg: "HS256", kid: "current" })
          .sign(new TextEncoder().encode(pem))
      })
      expect((yield* exchange(forged)).json.error_description).toContain("alg")
    })
  )

  it.effect("with another partner's key, a changed payload or a cut signature", () =>
    Effect.gen(function* () {
      const { exchange, jwt } = yield* make()
      const other = yield* Effect.promise(async () => Partner.sign(await Partner.key("current"), Partner.claims(start)))
      const [header, , signature] = (yield* jwt()).split(".")
      const changed = `${header}.${encode(Partner.claims(start, { sub: "admin" }))}.${signature}`
      for (const forged of [other, changed, (yield* jwt()).slice(0, -4)]) {
        expect((yield* exchange(forged)).json).toMatchObject({
          error: "invalid_request",
          error_description: expect.stringContaining("signature")
        })
      }
    })
  )

  it.effect("with a key that is not for its algorithm, or not for signatures", () =>
    Effect.gen(function* () {
      const key = yield* Effect.promise(() => Partner.current)
      const jwt = yield* Effect.promise(() => Partner.sign(key, Partner.claims(start)))
      for (const change of [{ alg: "ES384" }, { use: "enc" }, { crv: "P-384" }]) {
        const jwks = { keys: [{ ...key.jwk, ...change }] }
        const { exchange } = yield* make({ whiteLabel: { issuer: Partner.issuer, jwks } })
        expect((yield* exchange(jwt)).json.error_description).toContain("kid")
      }
    })
  )

  it.effect("with a crit header", () =>
    Effect.gen(function* () {
      const { exchange } = yield* make()
      const jwt = `${encode({ alg: "ES256", kid: "current", crit: ["exp"] })}.${encode(Partner.claims(start))}.AAAA`
      expect((yield* exchange(jwt)).json.error_description).toContain("crit")
    })
  )

  it.effect.each(["", ".", "..", "a.b.c", "a.b.c.d", "e30.e30.", "W10.W10.AAAA", "bnVsbA.bnVsbA.AAAA", "\u{1f511}"])(
    "that is none: %j",
    (text) =>
      Effect.gen(function* () {
        const { exchange } = yield* make()
        expect(yield* exchange(text)).toMatchObject({ status: 400, json: { error: "invalid_request" } })
      })
  )

  it.effect("that was exchanged before, until it has expired, or taken where that is wanted", () =>
    Effect.gen(function* () {
      const { exchange, jwt, token, zapier } = yield* make()
      const once = yield* jwt()
      expect((yield* exchange(once)).status).toBe(200)
      expect((yield* exchange(once)).json.error_description).toContain("jti")
      // The number is the partner's own.
      expect((yield* token(Partner.exchangeFields(once), "partner-2")).status).toBe(200)
      yield* zapier.changeSettings({ allowsJwtReplay: true })
      expect((yield* exchange(once)).status).toBe(200)
    })
  )

  it.effect("that was exchanged before: not where it has no jti, as documented", () =>
    Effect.gen(function* () {
      const { exchange, jwt } = yield* make()
      const given = yield* jwt({ jti: undefined })
      expect([(yield* exchange(given)).status, (yield* exchange(given)).status]).toStrictEqual([200, 200])
    })
  )

  it.effect("for a clock that disagrees, but by no more than is allowed", () =>
    Effect.gen(function* () {
      const { exchange, jwt } = yield* make({ settings: { jwtClockSkew: 30 } })
      const ahead = (by: number) => jwt({ iat: start + by, nbf: start + by, exp: start + by + 300 })
      const statuses = yield* Effect.forEach([-330, -329, 0, 30, 31], (by) => Effect.flatMap(ahead(by), exchange))
      expect(statuses.map(({ status }) => status)).toStrictEqual([400, 200, 200, 200, 400])
    })
  )

  it.effect("with an unknown scope, and may be exchanged after that", () =>
    Effect.gen(function* () {
      const { exchange, jwt } = yield* make()
      const given = yield* jwt()
      expect((yield* exchange(given, { scope: "zap nonsense" })).json.error).toBe("invalid_scope")
      expect((yield* exchange(given)).status).toBe(200)
    })
  )

  it.effect.each([
    { subject_token: "" },
    { subject_token_type: "" },
    { subject_token_type: "urn:ietf:params:oauth:token-type:jwt" },
    { requested_token_type: "" },
    { requested_token_type: Partner.types.connectToken }
  ])("in a request that is another: %j", (change) =>
    Effect.gen(function* () {
      const { exchange, jwt } = yield* make()
      expect(yield* exchange(yield* jwt(), change)).toMatchObject({ status: 400, json: { error: "invalid_request" } })
    })
  )
})

describe("the exchange", () => {
  it.effect("gets faults, by grant type and by the partner's user", () =>
    Effect.gen(function* () {
      const { api, jwt, zapier } = yield* make()
      const send = (given: string) => zapier.handle(Partner.tokenRequest(Partner.exchangeFields(given)))
      yield* zapier.setFaults([
        { fault: { _tag: "ResponseLost" }, match: { grantType: Partner.grantType, user: "user-2" } }
      ])
      expect((yield* send(yield* jwt())).delivery._tag).toBe("Responded")
      const lost = yield* send(yield* jwt({ sub: "user-2" }))
      expect(lost.delivery._tag).toBe("Closed")
      expect(lost.issued?.origin).toStrictEqual({ _tag: "Jwt", tenant: "tenant-1", user: "user-2" })
      yield* zapier.setFaults([{ fault: { _tag: "Forbidden" }, match: { user: "user-2" } }])
      expect((yield* api("GET", "/v2/zaps", lost.issued?.accessToken ?? "")).status).toBe(403)
    })
  )

  it.effect.each(FakeFault.ofEachKind)("survives %o", (fault) =>
    Effect.gen(function* () {
      const { api, exchange, jwt, zapier } = yield* make()
      yield* zapier.setFaults([{ fault, match: { grantType: Partner.grantType } }])
      yield* zapier.handle(Partner.tokenRequest(Partner.exchangeFields(yield* jwt())))
      yield* zapier.setTime(start * 1_000)
      const { json } = yield* exchange(yield* jwt())
      expect((yield* api("GET", "/v2/zaps", json.access_token)).status).toBe(200)
    })
  )

  it.effect("is masked in the log, and known in its token family", () =>
    Effect.gen(function* () {
      const { connectToken, exchange, jwt, zapier } = yield* make()
      const given = yield* jwt()
      const { json } = yield* exchange(given)
      const connect = yield* connectToken(json.access_token)
      yield* zapier.connect(`${PartnerFake.connectPage}?token=${connect}`)
      const entries = yield* zapier.requests
      expect(entries).toHaveLength(2)
      const lines = entries.map(({ line }) => line).join("\n")
      expect(lines).toContain("subject_token=")
      for (const secret of [...given.split("."), json.access_token, connect]) expect(lines).not.toContain(secret)
      expect(yield* zapier.tokenFamily(json.access_token)).toMatchObject([{ origin: { _tag: "Jwt", user: "user-1" } }])
    })
  )

  it.effect("is refused by the machine alone, which has verified nothing", () =>
    Effect.gen(function* () {
      const { jwt, zapier } = yield* make()
      const request = Partner.tokenRequest(Partner.exchangeFields(yield* jwt()))
      const state = yield* zapier.state
      const handled = FakeServer.handle(state, request, start * 1_000)
      expect(handled.question?._tag).toBe("Signature")
      expect(handled.response.status).toBe(400)
      const other = { ...(yield* Effect.promise(() => Partner.key("current"))).jwk }
      const forged = { signature: { key: other, isValid: true } }
      expect(FakeServer.handle(state, request, start * 1_000, forged).response.status).toBe(400)
    })
  )

  it.effect("is forgotten by a reset, and the registration is not", () =>
    Effect.gen(function* () {
      const { accessToken, api, zapier } = yield* make()
      const token = yield* accessToken()
      yield* zapier.reset
      expect((yield* api("GET", "/v2/zaps", token)).status).toBe(401)
      expect((yield* api("GET", "/v2/zaps", yield* accessToken())).status).toBe(200)
    })
  )
})
