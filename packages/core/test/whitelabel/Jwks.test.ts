import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as jose from "jose"
import { generateKeyPairSync } from "node:crypto"
import * as Jwks from "../../src/whitelabel/Jwks.ts"
import type * as PartnerKey from "../../src/whitelabel/PartnerKey.ts"

const es256 = generateKeyPairSync("ec", { namedCurve: "P-256" })
const es512 = generateKeyPairSync("ec", { namedCurve: "P-521" })
const rs384 = generateKeyPairSync("rsa", { modulusLength: 2_048 })

const pem = (key: typeof rs384.privateKey, type: "pkcs8" | "spki") => key.export({ type, format: "pem" }).toString()

const keys: Jwks.Keys = {
  next: { key: rs384.publicKey.export({ format: "jwk" }), keyId: "next", algorithm: "RS384" },
  current: { key: Redacted.make(pem(es256.privateKey, "pkcs8")), keyId: "current", algorithm: "ES256" },
  retiring: [{ key: pem(es512.publicKey, "spki"), keyId: "retiring", algorithm: "ES512" }]
}

const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

describe("Jwks", () => {
  it.effect("lets jose verify a signature of each key", () =>
    Effect.gen(function* () {
      const serve = yield* Jwks.handler(keys)
      const set = jose.createRemoteJWKSet(new URL("https://acme.example/jwks"), {
        [jose.customFetch]: async (url, init) => serve(new Request(url, init))
      })
      for (const [kid, alg, { privateKey }] of [
        ["next", "RS384", rs384],
        ["current", "ES256", es256],
        ["retiring", "ES512", es512]
      ] as const) {
        const jwt = yield* Effect.promise(() =>
          new jose.SignJWT({ sub: kid }).setProtectedHeader({ alg, kid }).sign(privateKey)
        )
        const { payload } = yield* Effect.promise(() => jose.jwtVerify(jwt, set))
        expect(payload.sub).toBe(kid)
      }
      const stranger = yield* Effect.promise(() =>
        new jose.SignJWT({})
          .setProtectedHeader({ alg: "ES256", kid: "current" })
          .sign(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)
      )
      const refused = yield* Effect.promise(() => jose.jwtVerify(stranger, set).catch((error: unknown) => error))
      expect(refused).toBeInstanceOf(jose.errors.JWSSignatureVerificationFailed)
    })
  )

  it.effect("publishes no private member of keys in any form", () =>
    Effect.gen(function* () {
      const { privateKey } = rs384
      const jwk = privateKey.export({ format: "jwk" })
      const cryptoKeys = yield* Effect.promise(() => jose.generateKeyPair("RS256"))
      const { publicKey } = cryptoKeys
      for (const key of [jwk, JSON.stringify(jwk), pem(privateKey, "pkcs8"), pem(rs384.publicKey, "spki"), publicKey]) {
        const isCryptoKey = key === publicKey
        const set = yield* Jwks.make({ current: { key, keyId: "k", algorithm: isCryptoKey ? "RS256" : "RS384" } })
        const [published] = set.keys
        expect(Object.keys(published ?? {}).filter((member) => privateMembers.includes(member))).toEqual([])
        expect(Object.keys(published ?? {}).toSorted()).toEqual(["alg", "e", "kid", "kty", "n", "use"])
        if (!isCryptoKey)
          expect(published).toMatchObject({ n: jwk["n"], e: jwk["e"], kid: "k", alg: "RS384", use: "sig" })
      }
      // Members that nobody knows may be private, too.
      const more = yield* Jwks.make({
        current: { key: { ...jwk, secret: "s" } as JsonWebKey, keyId: "k", algorithm: "RS384" }
      })
      expect(JSON.stringify(more)).not.toContain("secret")
    })
  )

  it.effect("sets its cache time, and responds only to GET and HEAD", () =>
    Effect.gen(function* () {
      const serve = yield* Jwks.handler(keys)
      const of = (method: string) => serve(new Request("https://acme.example/jwks", { method }))
      const got = of("GET")
      expect(got.status).toBe(200)
      expect(Object.fromEntries(got.headers)).toEqual({
        "cache-control": "public, max-age=300",
        "content-type": "application/json",
        "x-content-type-options": "nosniff"
      })
      const head = of("HEAD")
      expect([head.status, yield* Effect.promise(() => head.text())]).toEqual([200, ""])
      expect(head.headers.get("cache-control")).toBe("public, max-age=300")
      const posted = of("POST")
      expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"])
      const longer = yield* Jwks.handler(keys, { maxAge: "1 hour" })
      expect(longer(new Request("https://a.example")).headers.get("cache-control")).toBe("public, max-age=3600")
    })
  )

  it.effect.each<[string, unknown, string]>([
    ["nothing", undefined, "keys: pass an object with current"],
    ["no current key", { next: keys.next }, "keys.current: pass an object with key, keyId and algorithm"],
    [
      "two keys with one kid",
      { ...keys, next: { ...(keys.next as PartnerKey.PartnerKey), keyId: "current" } },
      "keys: give each key a keyId of its own"
    ],
    [
      "a private CryptoKey",
      { current: { key: jose.importPKCS8(pem(rs384.privateKey, "pkcs8"), "RS384"), keyId: "k", algorithm: "RS384" } },
      "keys.current.key: it is a private CryptoKey; pass the public key of the pair"
    ],
    [
      "a shared secret",
      { current: { key: { kty: "oct", k: "c2VjcmV0" }, keyId: "k", algorithm: "HS256" } },
      "keys.current.algorithm: Zapier accepts only"
    ],
    [
      "a key of another curve",
      { current: { key: pem(es512.publicKey, "spki"), keyId: "k", algorithm: "ES256" } },
      "keys.current.key: it is not a key for ES256; pass a key of the curve P-256"
    ],
    [
      "a small key",
      {
        current: {
          key: pem(generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey, "spki"),
          keyId: "k",
          algorithm: "RS256"
        }
      },
      "keys.current.key: it has 1024 bits"
    ]
  ])("refuses %s", ([, given, message]) =>
    Effect.gen(function* () {
      const { current } = (given ?? {}) as { current?: { key?: unknown } }
      const key = yield* Effect.promise(async () => current?.key)
      const keys = current === undefined ? given : { ...(given as object), current: { ...current, key } }
      expect((yield* Effect.flip(Jwks.make(keys as Jwks.Keys))).message).toContain(message)
    })
  )
})
