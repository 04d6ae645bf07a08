/** OAuth clients that others have written go through the whole flow with the fake, over HTTP. */
import { describe, expect, it } from "@effect/vitest"
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as FakeZapier from "../../src/FakeZapier.ts"
import * as IndependentClients from "../utils/IndependentClients.ts"

const redirectUri = "https://acme.example/callback?tenant=1"

const app = { name: "Acme", clientId: "client-1", clientSecret: "s3cret", redirectUris: [redirectUri] }

const served = FakeZapier.layerServer.pipe(
  Layer.provideMerge(
    Layer.effect(
      FakeZapier.FakeZapier,
      Effect.sync(() => FakeZapier.make({ apps: [app] }))
    )
  ),
  Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })),
  Layer.merge(FetchHttpClient.layer)
)

const state = "a state & more"

describe.each(Object.entries(IndependentClients.all))("%s", (_, make) => {
  /** A client that is configured as it should be, but for what is changed. */
  const client = (changes: Partial<IndependentClients.Settings> = {}) =>
    Effect.map(HttpServer.HttpServer, ({ address }) =>
      make({ ...app, origin: HttpServer.formatAddress(address), redirectUri, ...changes })
    )

  const approved = Effect.fnUntraced(function* (of: IndependentClients.Client) {
    const zapier = yield* FakeZapier.FakeZapier
    const url = yield* Effect.promise(() => of.authorizationUrl(state))
    const callback = new URL(yield* zapier.approve(url))
    expect(callback.searchParams.get("state")).toBe(state)
    return callback
  })

  const connected = Effect.fnUntraced(function* (of: IndependentClients.Client) {
    const callback = yield* approved(of)
    return { callback, tokens: yield* Effect.promise(() => of.exchange(callback, state)) }
  })

  const callApi = Effect.fnUntraced(function* ({ accessToken }: IndependentClients.Tokens) {
    const { address } = yield* HttpServer.HttpServer
    const request = HttpClientRequest.get(`${HttpServer.formatAddress(address)}/v2/zaps`)
    return (yield* HttpClient.execute(HttpClientRequest.bearerToken(request, accessToken))).status
  })

  const refused = (use: () => Promise<unknown>) =>
    Effect.promise(() =>
      use().then(
        () => "accepted",
        (error: unknown) => IndependentClients.errorCode(error)
      )
    )

  it.live("exchanges a code, and calls with the access token", () =>
    Effect.gen(function* () {
      const { tokens } = yield* connected(yield* client())
      expect(tokens.refreshToken).toBeDefined()
      expect(yield* callApi(tokens)).toBe(200)
    }).pipe(Effect.provide(served))
  )

  it.live("refreshes, which ends the previous tokens", () =>
    Effect.gen(function* () {
      const own = yield* client()
      const { tokens } = yield* connected(own)
      const old = tokens.refreshToken ?? ""
      const renewed = yield* Effect.promise(() => own.refresh(old))
      expect(renewed.accessToken).not.toBe(tokens.accessToken)
      expect([undefined, old]).not.toContain(renewed.refreshToken)
      expect(yield* callApi(tokens)).toBe(401)
      expect(yield* callApi(renewed)).toBe(200)
      expect(yield* refused(() => own.refresh(old))).toBe("invalid_grant")
      // Who uses a refresh token twice may have stolen it: the grant has ended.
      expect(yield* callApi(renewed)).toBe(401)
    }).pipe(Effect.provide(served))
  )

  it.live("is refused with a wrong secret, and the code is still good", () =>
    Effect.gen(function* () {
      const callback = yield* approved(yield* client())
      const wrong = yield* client({ clientSecret: "wrong" })
      expect(yield* refused(() => wrong.exchange(callback, state))).toBe("invalid_client")
      const own = yield* client()
      expect(yield* callApi(yield* Effect.promise(() => own.exchange(callback, state)))).toBe(200)
    }).pipe(Effect.provide(served))
  )

  it.live("is refused with another redirect URI than the one the code was given to", () =>
    Effect.gen(function* () {
      const callback = yield* approved(yield* client())
      const other = yield* client({ redirectUri: "https://acme.example/callback" })
      expect(yield* refused(() => other.exchange(callback, state))).toBe("invalid_request")
    }).pipe(Effect.provide(served))
  )

  it.live("is refused with a used code, which revokes its tokens", () =>
    Effect.gen(function* () {
      const own = yield* client()
      const { callback, tokens } = yield* connected(own)
      expect(yield* refused(() => own.exchange(callback, state))).toBe("invalid_grant")
      expect(yield* callApi(tokens)).toBe(401)
    }).pipe(Effect.provide(served))
  )

  it.live("is refused with a code that has expired", () =>
    Effect.gen(function* () {
      const own = yield* client()
      const callback = yield* approved(own)
      yield* FakeZapier.FakeZapier.use((zapier) => zapier.advance("121 seconds"))
      expect(yield* refused(() => own.exchange(callback, state))).toBe("invalid_grant")
    }).pipe(Effect.provide(served))
  )

  const { clientCredentials } = make({ ...app, origin: "https://zapier.example", redirectUri })
  const without = clientCredentials === undefined ? " (skipped: it does not know this grant)" : ""

  it.live.skipIf(without !== "")(`is given tokens of the app itself${without}`, () =>
    Effect.gen(function* () {
      const own = yield* client()
      const tokens = yield* Effect.promise(() => own.clientCredentials?.() ?? Promise.reject(new Error("none")))
      expect(tokens.refreshToken).toBeUndefined()
      // It is a token, but none of a user.
      expect(yield* callApi(tokens)).toBe(403)
      const wrong = yield* client({ clientSecret: "wrong" })
      expect(yield* refused(() => wrong.clientCredentials?.() ?? Promise.resolve())).toBe("invalid_client")
    }).pipe(Effect.provide(served))
  )
})
