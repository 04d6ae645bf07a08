/** A fake with a White Label partner whose one key is registered, at 1,000 seconds, and requests to it. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import type * as FakeState from "../../src/fake/FakeState.ts"
import type * as FakeWhiteLabel from "../../src/fake/FakeWhiteLabel.ts"
import * as FakeZapier from "../../src/FakeZapier.ts"
import * as Partner from "./partner.ts"

export interface Settings {
  readonly whiteLabel?: FakeWhiteLabel.Options
  readonly settings?: Partial<FakeState.Settings>
  readonly fetch?: typeof globalThis.fetch
}

type Members = { readonly [name: string]: unknown }

export const start = 1_000

export const connectPage = "https://connect.zapier.com/to/SlackCLIAPI"

export const make = Effect.fnUntraced(function* (settings: Settings = {}) {
  const key = yield* Effect.promise(() => Partner.current)
  const whiteLabel = settings.whiteLabel ?? { issuer: Partner.issuer, jwks: { keys: [key.jwk] } }
  const zapier = FakeZapier.make({
    apps: [
      { ...Partner.app, whiteLabel },
      { ...Partner.app, clientId: "plain" },
      { ...Partner.app, clientId: "partner-2", whiteLabel }
    ],
    settings: { rateLimits: false, ...settings.settings },
    fetch: settings.fetch
  })
  yield* TestClock.setTime(start * 1_000)
  const send = (request: FakeHttp.FakeRequest) => Effect.map(zapier.handle(request), ({ response }) => response)
  const token = (fields: { readonly [name: string]: string }, clientId = Partner.app.clientId) =>
    Effect.map(send(Partner.tokenRequest(fields, { ...Partner.app, clientId })), (response) => ({
      ...response,
      json: JSON.parse(response.body)
    }))
  const jwt = (changes?: Members, header?: Members) =>
    Effect.promise(() => Partner.sign(key, Partner.claims(start, changes), header))
  const exchange = (jwt: string, more: { readonly [name: string]: string } = {}) =>
    token({ ...Partner.exchangeFields(jwt), ...more })
  const accessToken = (changes?: Members) =>
    Effect.map(Effect.flatMap(jwt(changes), exchange), ({ json }) => String(json.access_token))
  const connectToken = (access: string, resource = connectPage) =>
    Effect.map(token(Partner.connectFields(access, resource)), ({ json }) => String(json.access_token))
  return {
    zapier,
    key,
    send,
    token,
    jwt,
    exchange,
    accessToken,
    connectToken,
    api: (method: string, path: string, accessToken: string) =>
      Effect.map(
        send(FakeHttp.request(method, path, { headers: { authorization: `Bearer ${accessToken}` } })),
        (response) => ({ ...response, json: response.body === "" ? undefined : JSON.parse(response.body) })
      )
  }
})

export type PartnerFake = Effect.Success<ReturnType<typeof make>>
