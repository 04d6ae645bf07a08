import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as jose from "jose"
import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto"
import * as PartnerJwt from "../../src/whitelabel/PartnerJwt.ts"
import type * as PartnerKey from "../../src/whitelabel/PartnerKey.ts"
import * as PartnerSigner from "../../src/whitelabel/PartnerSigner.ts"
import { leaks } from "../utils/Leaks.ts"

const profile = {
  issuer: "https://accounts.acme.example",
  audience: "connect.zapier.com",
  claims: { user: "sub", tenant: "org_id" }
}
const ada = { subject: "ada", tenant: "acme" }
const now = Date.UTC(2026, 6, 1)

const curves = { ES256: "P-256", ES384: "P-384", ES512: "P-521" } as const
const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] as const

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 })
const pairs: { readonly [algorithm in PartnerKey.Algorithm]: { publicKey: KeyObject; privateKey: KeyObject } } = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  ES256: generateKeyPairSync("ec", { namedCurve: curves.ES256 }),
  ES384: generateKeyPairSync("ec", { namedCurve: curves.ES384 }),
  ES512: generateKeyPairSync("ec", { namedCurve: curves.ES512 })
}

const pemOf = (key: KeyObject, type: "pkcs8" | "pkcs1" | "sec1" = "pkcs8") =>
  key.export({ type, format: "pem" }).toString()

const jwkOf = (key: KeyObject): JsonWebKey => key.export({ format: "jwk" })

const sign = (layer: ReturnType<typeof PartnerSigner.layer>, user = ada) =>
  PartnerSigner.PartnerSigner.use(({ current }) =>
    Effect.flatMap(current, (key) => PartnerJwt.sign(key, profile, user, { id: "jwt-1", now }))
  ).pipe(Effect.provide(layer), Effect.map(Redacted.value))

const verify = (jwt: string, key: KeyObject) =>
  Effect.promise(() =>
    jose.jwtVerify(jwt, key, {
      issuer: profile.issuer,
      audience: profile.audience,
      currentDate: DateTime.toDate(DateTime.makeUnsafe(now)),
      requiredClaims: ["iat", "nbf", "exp", "sub", "org_id"]
    })
  )

describe("PartnerSigner: JWTs that jose takes", () => {
  it.effect.each(algorithms)("%s, by a key in PEM, as a JWK, as JSON and as a CryptoKey", (algorithm) =>
    Effect.gen(function* () {
      const { privateKey, publicKey } = pairs[algorithm]
      const jwk = jwkOf(privateKey)
      const cryptoKey = yield* Effect.promise(() => jose.importPKCS8(pemOf(privateKey), algorithm))
      const older = algorithm.startsWith("RS") ? "pkcs1" : "sec1"
      const keys: ReadonlyArray<PartnerKey.PartnerKey["key"]> = [
        pemOf(privateKey),
        Redacted.make(pemOf(privateKey).replaceAll("\n", String.raw`\n`)),
        pemOf(privateKey, older),
        jwk,
        JSON.stringify(jwk),
        cryptoKey
      ]
      for (const key of keys) {
        const jwt = yield* sign(PartnerSigner.layer({ key, keyId: "k-1", algorithm }))
        const { payload, protectedHeader } = yield* verify(jwt, publicKey)
        expect(protectedHeader).toEqual({ alg: algorithm, typ: "JWT", kid: "k-1" })
        expect(payload).toEqual({
          iss: profile.issuer,
          aud: profile.audience,
          sub: "ada",
          org_id: "acme",
          iat: now / 1_000 - 30,
          nbf: now / 1_000 - 30,
          jti: "jwt-1",
          exp: now / 1_000 + 270
        })
      }
    })
  )

  it.effect("takes kid and algorithm from the JWK", () =>
    Effect.gen(function* () {
      const { privateKey, publicKey } = pairs.ES256
      const jwt = yield* sign(
        PartnerSigner.layer({ key: { ...jwkOf(privateKey), alg: "ES256", kid: "own" } as JsonWebKey })
      )
      expect((yield* verify(jwt, publicKey)).protectedHeader).toEqual({ alg: "ES256", typ: "JWT", kid: "own" })
    })
  )

  it.effect("uses the configured names of claims for any values", () =>
    Effect.gen(function* () {
      const user = { subject: 'ä"\\', tenant: "東京" }
      const claims = PartnerJwt.claims({ ...profile, claims: { user: "user_id", tenant: "tenant_id" } }, user, {
        id: "jwt-1",
        now
      })
      expect(claims).toMatchObject({ user_id: user.subject, tenant_id: user.tenant })
      expect(Object.keys(claims)).not.toContain("sub")
      const jwt = yield* sign(PartnerSigner.layer({ key: pemOf(rsa.privateKey), keyId: "k", algorithm: "RS256" }), user)
      expect((yield* verify(jwt, rsa.publicKey)).payload).toMatchObject({ sub: user.subject, org_id: user.tenant })
    })
  )

  it.effect.each(algorithms)("%s, by a function as a KMS has it, with a signature in DER", (algorithm) =>
    Effect.gen(function* () {
      const { privateKey, publicKey } = pairs[algorithm]
      const hash = `sha${algorithm.slice(2)}`
      // Zeros at the beginning of r or s are left out in DER, and come in about one of a hundred signatures.
      for (let times = 0; times < 100; times += algorithm.startsWith("RS") ? 50 : 1) {
        const layer = PartnerSigner.layerFunction({
          keyId: "kms",
          algorithm,
          sign: async (data) => createSign(hash).update(data).sign(privateKey)
        })
        const jwt = yield* sign(layer, { subject: `ada-${times}`, tenant: "acme" })
        yield* verify(jwt, publicKey)
      }
    })
  )

  it.effect("reads a key anew for each exchange", () =>
    Effect.gen(function* () {
      let key: PartnerKey.PartnerKey = { key: pemOf(pairs.ES256.privateKey), keyId: "old", algorithm: "ES256" }
      const current = yield* PartnerSigner.PartnerSigner.use(({ current }) => Effect.succeed(current)).pipe(
        Effect.provide(PartnerSigner.layerEffect(Effect.sync(() => key)))
      )
      expect((yield* current).keyId).toBe("old")
      key = { key: pemOf(rsa.privateKey), keyId: "new", algorithm: "RS512" }
      expect(yield* current).toMatchObject({ keyId: "new", algorithm: "RS512" })
    })
  )
})

const error = (given: unknown) =>
  sign(PartnerSigner.layer(given as PartnerKey.PartnerKey)).pipe(
    Effect.flip,
    Effect.map(({ message }) => message)
  )

describe("PartnerSigner: keys that cannot be used", () => {
  const short = generateKeyPairSync("rsa", { modulusLength: 1_024 })
  const ed = generateKeyPairSync("ed25519")
  const encrypted = rsa.privateKey
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "p" })
    .toString()
  const key = pemOf(pairs.ES256.privateKey)

  it.effect.each<[string, unknown, string]>([
    [
      "a small RSA key",
      { key: pemOf(short.privateKey), keyId: "k", algorithm: "RS256" },
      "signer.key: it has 1024 bits; create an RSA key of at least 2048 bits"
    ],
    [
      "a small RSA key as a JWK",
      { key: jwkOf(short.privateKey), keyId: "k", algorithm: "RS256" },
      "signer.key: it has 1024 bits; create"
    ],
    [
      "another curve",
      { key, keyId: "k", algorithm: "ES384" },
      "signer.key: it is not a key for ES384; pass a key of the curve P-384, or set"
    ],
    [
      "another curve, as a JWK",
      { key: jwkOf(pairs.ES256.privateKey), keyId: "k", algorithm: "ES512" },
      "signer.key: it is not a key for ES512"
    ],
    [
      "a curve's key for RSA",
      { key, keyId: "k", algorithm: "RS256" },
      "signer.key: it is not a key for RS256; pass an RSA key"
    ],
    [
      "an RSA key for a curve",
      { key: pemOf(rsa.privateKey), keyId: "k", algorithm: "ES256" },
      "signer.key: it is not a key for ES256"
    ],
    ["Ed25519", { key: pemOf(ed.privateKey), keyId: "k", algorithm: "ES256" }, "signer.key: it is not a key for ES256"],
    [
      "a public key in PEM",
      { key: rsa.publicKey.export({ type: "spki", format: "pem" }), keyId: "k", algorithm: "RS256" },
      "signer.key: it is PEM of PUBLIC KEY, which cannot sign; pass the private key"
    ],
    [
      "a public JWK",
      { key: jwkOf(rsa.publicKey), keyId: "k", algorithm: "RS256" },
      "signer.key: it is a public key, which cannot sign"
    ],
    [
      "an encrypted key",
      { key: encrypted, keyId: "k", algorithm: "RS256" },
      "signer.key: it is PEM of ENCRYPTED PRIVATE KEY, which is not supported; convert it to an unencrypted"
    ],
    [
      "the algorithm none",
      { key, keyId: "k", algorithm: "none" },
      "signer.algorithm: Zapier accepts only RS256, RS384, RS512, ES256, ES384, ES512"
    ],
    [
      "an algorithm of shared secrets",
      { key, keyId: "k", algorithm: "HS256" },
      "signer.algorithm: Zapier accepts only"
    ],
    [
      "an algorithm that Zapier does not take",
      { key, keyId: "k", algorithm: "PS256" },
      "signer.algorithm: Zapier accepts only"
    ],
    [
      "the JWK's own algorithm, another",
      { key: { ...jwkOf(pairs.ES256.privateKey), alg: "ES384" }, keyId: "k", algorithm: "ES256" },
      "signer.key: it is not a key for ES256"
    ],
    ["no algorithm", { key, keyId: "k" }, "signer.algorithm: Zapier accepts only"],
    ["no kid", { key, algorithm: "ES256" }, "signer.keyId: it is missing; set the kid"],
    ["no key", { keyId: "k", algorithm: "ES256" }, "signer.key: it is missing; pass a JWK, PEM"],
    [
      "no text of a key",
      { key: "hunter2hunter2", keyId: "k", algorithm: "ES256" },
      "signer.key: it is neither a JWK nor PEM"
    ],
    [
      "PEM that was cut off",
      { key: key.slice(0, 90), keyId: "k", algorithm: "ES256" },
      "signer.key: it is not a key for ES256"
    ],
    ["nothing", undefined, "signer: pass an object with key, keyId and algorithm"]
  ])("%s", ([, given, message]) => Effect.map(error(given), (told) => expect(told).toContain(message)))

  it.effect.each(algorithms)("shows nothing of the key that signs with %s", (algorithm) =>
    Effect.gen(function* () {
      const { privateKey } = pairs[algorithm]
      const jwk = jwkOf(privateKey)
      const secrets = new Map([
        ["d", jwk.d ?? ""],
        ["pem", pemOf(privateKey).split("\n")[2] ?? ""]
      ])
      const given = { key: Redacted.make(pemOf(privateKey)), keyId: "k", algorithm }
      const layer = PartnerSigner.layer(given)
      const signer = yield* PartnerSigner.PartnerSigner.use(Effect.succeed).pipe(Effect.provide(layer))
      expect(leaks([layer, signer, yield* signer.current], secrets)).toEqual([])
      const wrong = algorithm === "ES256" ? "RS256" : "ES256"
      const failure = yield* Effect.flip(sign(PartnerSigner.layer({ ...given, algorithm: wrong })))
      expect(leaks(failure, secrets)).toEqual([])
      // Proves that they would be found.
      expect(leaks(jwk, secrets)).not.toEqual([])
    })
  )
})

describe("PartnerSigner: functions that do not sign", () => {
  const failing = (signing: () => unknown) =>
    sign(
      PartnerSigner.layerFunction({ keyId: "kms", algorithm: "ES256", sign: signing as PartnerSigner.Signing["sign"] })
    ).pipe(Effect.flip)

  const secret = "what-was-to-be-signed"
  const throttled = Object.assign(new Error(secret), { name: "ThrottlingException" })

  it.effect.each<[string, () => unknown, string]>([
    ["a rejection", () => Promise.reject(throttled), "it failed with ThrottlingException"],
    [
      "its errors",
      () => {
        throw throttled
      },
      "it failed with ThrottlingException"
    ],
    ["a failed effect", () => Effect.fail(throttled), "it failed with ThrottlingException"],
    ["a defect", () => Effect.die(throttled), "it failed with ThrottlingException"],
    ["nothing", async () => undefined, "it did not return a signature of ES256"],
    ["text", async () => secret, "it did not return a signature of ES256"],
    ["too few bytes", async () => new Uint8Array(63), "it did not return a signature of ES256"],
    ["a signature of RSA", async () => new Uint8Array(256), "it did not return a signature of ES256"],
    ["broken DER", async () => Uint8Array.from([0x30, 6, 2, 1, 1, 2, 1]), "it did not return a signature of ES256"]
  ])("%s", ([, signing, problem]) =>
    Effect.map(failing(signing), (failure) => {
      expect(failure.reason).toMatchObject({ _tag: "AppCodeFailed", problem })
      expect(failure.isRetryable).toBe(true)
      expect(leaks(failure, new Map([["signed", secret]]))).toEqual([])
    })
  )

  it.effect("rejects a value that is not a function before its first use", () =>
    Effect.gen(function* () {
      const given = { keyId: "kms", algorithm: "ES256", sign: "no" } as unknown as PartnerSigner.Signing
      expect((yield* Effect.flip(sign(PartnerSigner.layerFunction(given)))).message).toContain(
        "signer.sign: pass a function"
      )
      const none = { ...given, algorithm: "none" } as unknown as PartnerSigner.Signing
      expect((yield* Effect.flip(sign(PartnerSigner.layerFunction(none)))).message).toContain("signer.algorithm")
    })
  )
})
