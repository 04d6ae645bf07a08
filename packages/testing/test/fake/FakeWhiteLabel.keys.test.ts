/** A partner's keys: fetched, kept for a while, and rotated. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type * as FakeWhiteLabel from "../../src/fake/FakeWhiteLabel.ts"
import * as FakeZapier from "../../src/FakeZapier.ts"
import * as Partner from "../utils/partner.ts"
import * as PartnerFake from "../utils/partnerFake.ts"

const url = "https://acme.example/.well-known/jwks.json"

/** The partner's side: what its JWKS URL responds with, and how often it was asked. */
const make = Effect.fnUntraced(function* (respond: () => Promise<Response> | Response) {
  const asked: Array<string> = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked.push(new Request(input, init).url)
    return respond()
  }
  const whiteLabel = { issuer: Partner.issuer, jwksUrl: url }
  const fake = yield* PartnerFake.make({ whiteLabel, fetch })
  let now = PartnerFake.start
  return {
    ...fake,
    asked,
    pass: (seconds: number) => {
      now += seconds
      return TestClock.adjust(`${seconds} seconds`)
    },
    exchangeWith: (key: Partner.Key) =>
      Effect.flatMap(
        Effect.promise(() => Partner.sign(key, Partner.claims(now))),
        fake.exchange
      )
  }
})

const keySet = (...keys: ReadonlyArray<unknown>) => Response.json({ keys })

const key = (kid: string) => Effect.promise(() => Partner.key(kid))

describe("keys at a JWKS URL", () => {
  it.effect("are fetched once, and again when they are too old", () =>
    Effect.gen(function* () {
      const one = yield* key("one")
      const partner = yield* make(() => keySet(one.jwk))
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
      yield* partner.pass(299)
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
      expect(partner.asked).toStrictEqual([url])
      yield* partner.pass(1)
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
      expect(partner.asked).toStrictEqual([url, url])
    })
  )

  it.effect("are fetched again for a kid that is new, but not for each", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* key("one"), yield* key("two")]
      let keys = [one.jwk]
      const partner = yield* make(() => keySet(...keys))
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
      keys = [one.jwk, two.jwk]
      // Whoever makes kids up does not make the fake ask for each of them.
      expect((yield* partner.exchangeWith(two)).json.error_description).toContain("kid")
      expect(partner.asked).toHaveLength(1)
      yield* partner.pass(60)
      expect((yield* partner.exchangeWith(two)).status).toBe(200)
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
      expect(partner.asked).toHaveLength(2)
    })
  )

  it.effect("are gone once they are retired and too old", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* key("one"), yield* key("two")]
      let keys = [one.jwk, two.jwk]
      const partner = yield* make(() => keySet(...keys))
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
      keys = [two.jwk]
      yield* partner.pass(300)
      expect((yield* partner.exchangeWith(one)).json.error_description).toContain("kid")
      expect((yield* partner.exchangeWith(two)).status).toBe(200)
    })
  )

  it.effect("are remembered also by a request that is refused", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* key("one"), yield* key("two")]
      const partner = yield* make(() => keySet(one.jwk))
      expect((yield* partner.exchangeWith(two)).status).toBe(400)
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
      expect(partner.asked).toHaveLength(1)
    })
  )

  it.effect("are not fetched for an unauthenticated client or a lost request", () =>
    Effect.gen(function* () {
      const one = yield* key("one")
      const partner = yield* make(() => keySet(one.jwk))
      const fields = Partner.exchangeFields(yield* Effect.promise(() => Partner.sign(one, Partner.claims(1_000))))
      yield* partner.token(fields, "nobody")
      yield* partner.token(fields, "plain")
      yield* partner.zapier.addFault({ fault: { _tag: "RequestLost" } })
      yield* partner.zapier.handle(Partner.tokenRequest(fields))
      expect(partner.asked).toStrictEqual([])
      yield* partner.token(fields)
      expect(partner.asked).toStrictEqual([url])
    })
  )

  it.effect("may have keys of other kinds beside them", () =>
    Effect.gen(function* () {
      const one = yield* key("one")
      const partner = yield* make(() =>
        keySet(null, "key", { kty: "OKP", crv: "Ed25519", kid: "one" }, { kty: "oct", kid: "one", k: "AAAA" }, one.jwk)
      )
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
    })
  )

  const useless: ReadonlyArray<readonly [string, () => Promise<Response> | Response]> = [
    ["404", () => Response.json({ keys: [] }, { status: 404 })],
    ["no JSON", () => new Response("<html></html>")],
    ["no key set", () => Response.json([])],
    ["no list of keys", () => Response.json({ keys: "none" })],
    ["no response", () => Promise.reject(new TypeError("fetch failed"))]
  ]

  it.effect.each(useless)("that give %s are tried again at the next request", ([, respond]) =>
    Effect.gen(function* () {
      const one = yield* key("one")
      let isBroken = true
      const partner = yield* make(() => (isBroken ? respond() : keySet(one.jwk)))
      const refused = yield* partner.exchangeWith(one)
      expect(refused).toMatchObject({ status: 400, json: { error_description: expect.stringContaining("JWKS") } })
      isBroken = false
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
    })
  )

  it.effect("are waited for, for five seconds", () =>
    Effect.gen(function* () {
      const one = yield* key("one")
      const partner = yield* make(() => new Promise(() => undefined))
      const fiber = yield* Effect.forkChild(partner.exchangeWith(one))
      while (partner.asked.length === 0) yield* Effect.promise(() => new Promise((done) => setImmediate(done)))
      yield* partner.pass(5)
      expect((yield* Fiber.join(fiber)).json.error_description).toContain("JWKS")
    })
  )
})

describe("a registration", () => {
  it.effect("is changed, and its keys are read anew", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* key("one"), yield* key("two")]
      const partner = yield* make(() => keySet(one.jwk))
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
      yield* partner.zapier.setWhiteLabel(Partner.app.clientId, { issuer: Partner.issuer, jwks: { keys: [two.jwk] } })
      expect((yield* partner.exchangeWith(one)).status).toBe(400)
      expect((yield* partner.exchangeWith(two)).status).toBe(200)
      yield* partner.zapier.setWhiteLabel(Partner.app.clientId, { issuer: Partner.issuer, jwksUrl: url })
      expect((yield* partner.exchangeWith(one)).status).toBe(200)
      expect(partner.asked).toHaveLength(2)
    })
  )

  const rsa = { kty: "RSA", kid: "k", n: "AQAB", e: "AQAB" }

  const nonsense: ReadonlyArray<readonly [string, { readonly [name: string]: unknown }, string]> = [
    ["no issuer", { jwksUrl: url }, "issuer"],
    ["neither URL nor keys", { issuer: "acme" }, "either jwksUrl or jwks"],
    ["both URL and keys", { issuer: "acme", jwksUrl: url, jwks: { keys: [rsa] } }, "either jwksUrl or jwks"],
    ["a URL that is none", { issuer: "acme", jwksUrl: "acme.example" }, "whole URL"],
    ["a private key", { issuer: "acme", jwks: { keys: [{ ...rsa, d: "hidden" }] } }, "public key"],
    ["a key without a kid", { issuer: "acme", jwks: { keys: [{ ...rsa, kid: undefined }] } }, "kid"],
    [
      "a key of another kind",
      { issuer: "acme", jwks: { keys: [{ kty: "oct", kid: "k", k: "hidden" }] } },
      '"RSA" | "EC"'
    ],
    ["one claim for both", { issuer: "acme", jwksUrl: url, userClaim: "org_id" }, "two claims"],
    ["a claim with another meaning", { issuer: "acme", jwksUrl: url, userClaim: "exp" }, "no other meaning"],
    ["a name that is not known", { issuer: "acme", jwksUrl: url, audience: "x" }, "audience is unknown"]
  ]

  it.effect.each(nonsense)("makes no sense with %s", ([, options, said]) =>
    Effect.gen(function* () {
      const zapier = FakeZapier.make({ apps: [Partner.app] })
      // What is wrong is what types would tell.
      const whiteLabel = options as unknown as FakeWhiteLabel.Options
      for (const registered of [
        zapier.setWhiteLabel(Partner.app.clientId, whiteLabel),
        zapier.registerApp({ name: "Other", redirectUris: [], whiteLabel })
      ]) {
        const error = yield* Effect.flip(registered)
        expect(error.problem).toContain(said)
        expect(error.problem).not.toContain("hidden")
      }
    })
  )

  it.effect("is of an app that is registered", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(FakeZapier.make().setWhiteLabel("nobody", { issuer: "acme", jwksUrl: url }))
      expect(error.problem).toContain("No app has this client id")
    })
  )
})
