/** A partner's JWT for an access token. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import type * as FakeState from "../../src/fake/FakeState.ts"
import type * as FakeWhiteLabel from "../../src/fake/FakeWhiteLabel.ts"
import * as FakeZapier from "../../src/FakeZapier.ts"
import * as Partner from "../utils/partner.ts"

const knobs = { rateLimits: false }

interface Settings {
  readonly whiteLabel?: Partial<FakeWhiteLabel.Options>
  readonly knobs?: Partial<FakeState.Knobs>
}

/** A fake with a partner, at 1,000 seconds, and requests to it. */
const make = Effect.fnUntraced(function* (settings: Settings = {}) {
  const key = yield* Effect.promise(() => Partner.current)
  const whiteLabel = { issuer: Partner.issuer, jwks: { keys: [key.jwk] }, ...settings.whiteLabel }
  const zapier = FakeZapier.make({ apps: [{ ...Partner.app, whiteLabel }], knobs: { ...knobs, ...settings.knobs } })
  yield* TestClock.setTime(1_000_000)
  const send = (request: FakeHttp.FakeRequest) =>
    Effect.map(zapier.handle(request), ({ response }) => ({ ...response, json: JSON.parse(response.body) }))
  const token = (fields: { readonly [name: string]: string }) => send(Partner.tokenRequest(fields))
  return {
    zapier,
    key,
    send,
    token,
    exchange: (jwt: string, more: { readonly [name: string]: string } = {}) =>
      token({ ...Partner.exchangeFields(jwt), ...more }),
    jwt: (changes?: { readonly [name: string]: unknown }, header?: { readonly [name: string]: unknown }) =>
      Effect.promise(() => Partner.sign(key, Partner.claims(1_000, changes), header)),
    api: (method: string, path: string, accessToken: string) =>
      zapier.handle(FakeHttp.request(method, path, { headers: { authorization: `Bearer ${accessToken}` } }))
  }
})

describe("exchange of a JWT", () => {
  it.effect("gives an access token as RFC 8693 has it, without a refresh token", () =>
    Effect.gen(function* () {
      const { exchange, jwt, api } = yield* make()
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
      expect((yield* api("GET", "/v2/zaps", json.access_token)).response.status).toBe(200)
      expect((yield* api("GET", "/v2/zap-runs", json.access_token)).response.status).toBe(403)
    })
  )
})
