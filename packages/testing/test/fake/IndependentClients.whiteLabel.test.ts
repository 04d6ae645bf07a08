/**
 * OAuth clients that others have written do a partner's exchanges with the fake, over HTTP. `jose` signs the JWTs and makes
 * the key set, which the fake fetches from a server of the partner's.
 */
import { describe, expect, it } from "@effect/vitest"
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as OAuth4WebApi from "oauth4webapi"
import * as OpenIdClient from "openid-client"
import type * as FakeWhiteLabel from "../../src/fake/FakeWhiteLabel.ts"
import * as FakeZapier from "../../src/FakeZapier.ts"
import * as Partner from "../utils/partner.ts"

type Form = { readonly [name: string]: string }

interface Exchanged {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in?: number | undefined
  readonly refresh_token?: string | undefined
}

type Exchange = (fields: Form) => Promise<Exchanged>

interface Settings {
  readonly origin: string
  readonly clientId: string
  readonly clientSecret: string
}

const clients: { readonly [name: string]: (settings: Settings) => Exchange } = {
  oauth4webapi:
    ({ clientId, clientSecret, origin }) =>
    async (fields) => {
      const server = { issuer: origin, token_endpoint: `${origin}/oauth/token/` }
      const client = { client_id: clientId }
      const by = OAuth4WebApi.ClientSecretBasic(clientSecret)
      const response = await OAuth4WebApi.genericTokenEndpointRequest(server, client, by, Partner.grantType, fields, {
        [OAuth4WebApi.allowInsecureRequests]: true
      })
      return OAuth4WebApi.processGenericTokenEndpointResponse(server, client, response, {
        recognizedTokenTypes: { n_a: () => undefined }
      })
    },
  "openid-client": ({ clientId, clientSecret, origin }) => {
    const server = { issuer: origin, token_endpoint: `${origin}/oauth/token/` }
    const by = OpenIdClient.ClientSecretPost(clientSecret)
    const config = new OpenIdClient.Configuration(server, clientId, undefined, by)
    OpenIdClient.allowInsecureRequests(config)
    return (fields) => OpenIdClient.genericGrantRequest(config, Partner.grantType, { ...fields })
  }
}

const parameters = ({ grant_type: _, ...rest }: Form): Form => rest

/** Where the partner's keys are, and what they are now. */
class PartnerServer extends Context.Service<
  PartnerServer,
  { readonly jwksUrl: string; readonly publish: (keys: ReadonlyArray<FakeWhiteLabel.Jwk>) => void }
>()("PartnerServer") {}

const server = () => NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })

const partner = Layer.effect(
  PartnerServer,
  Effect.gen(function* () {
    let keys: ReadonlyArray<FakeWhiteLabel.Jwk> = []
    yield* HttpServer.serveEffect(Effect.sync(() => HttpServerResponse.jsonUnsafe({ keys })))
    const { address } = yield* HttpServer.HttpServer
    return {
      jwksUrl: `${HttpServer.formatAddress(address)}/jwks.json`,
      publish: (published) => {
        keys = published
      }
    }
  })
).pipe(Layer.provide(Layer.fresh(server())))

const served = FakeZapier.layerServer.pipe(
  Layer.provideMerge(
    Layer.effect(
      FakeZapier.FakeZapier,
      Effect.map(PartnerServer, ({ jwksUrl }) =>
        FakeZapier.make({ apps: [{ ...Partner.app, whiteLabel: { issuer: Partner.issuer, jwksUrl } }] })
      )
    )
  ),
  Layer.provideMerge(server()),
  Layer.provideMerge(partner),
  Layer.merge(FetchHttpClient.layer)
)

describe.each(Object.entries(clients))("%s", (_, make) => {
  const begin = Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const { publish } = yield* PartnerServer
    const origin = HttpServer.formatAddress(address)
    const key = yield* Effect.promise(() => Partner.current)
    publish([key.jwk])
    const client = make({ ...Partner.app, origin })
    const exchange = (fields: Form) => Effect.promise(() => client(parameters(fields)))
    const jwt = (
      changes?: { readonly [name: string]: unknown },
      header?: { readonly [name: string]: unknown },
      by = key
    ) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.promise(() => Partner.sign(by, Partner.claims(Math.floor(now / 1000), changes), header))
      )
    /** The OAuth error of what is refused. */
    const errorOf = (fields: Form) =>
      Effect.promise(() =>
        client(parameters(fields)).then(
          () => "accepted",
          (error: unknown) => {
            if (error instanceof OAuth4WebApi.ResponseBodyError) return error.error
            throw error
          }
        )
      )
    return { origin, exchange, jwt, errorOf, publish, key }
  })

  it.live("exchanges a JWT and then an access token, and calls and connects with them", () =>
    Effect.gen(function* () {
      const { exchange, jwt, origin } = yield* begin
      const access = yield* exchange(Partner.exchangeFields(yield* jwt()))
      expect(access).toMatchObject({ token_type: "bearer", expires_in: 3600 })
      expect(access.refresh_token).toBeUndefined()
      const request = HttpClientRequest.get(`${origin}/v1/profiles/me`)
      const called = yield* HttpClient.execute(HttpClientRequest.bearerToken(request, access.access_token))
      expect(called.status).toBe(200)
      const page = `${origin}/to/SlackCLIAPI`
      const { access_token } = yield* exchange(Partner.connectFields(access.access_token, page))
      const open = HttpClient.get(`${page}?token=${access_token}`)
      const [first, second] = [yield* open, yield* open]
      expect([first.status, second.status]).toStrictEqual([200, 400])
    }).pipe(Effect.provide(served))
  )

  it.live.each<readonly [string, { readonly [name: string]: unknown }, { readonly [name: string]: unknown }]>([
    ["a wrong aud", { aud: "zapier.com" }, {}],
    ["a wrong iss", { iss: "https://other.example" }, {}],
    ["an exp that is over", { iat: 1_000, nbf: 1_000, exp: 1_300 }, {}],
    ["a lack of org_id", { org_id: undefined }, {}],
    ["an unknown kid", {}, { kid: "unknown" }],
    ["no kid", {}, { kid: undefined }]
  ])("is refused for %s", ([, claims, header]) =>
    Effect.gen(function* () {
      const { errorOf, jwt } = yield* begin
      expect(yield* errorOf(Partner.exchangeFields(yield* jwt(claims, header)))).toBe("invalid_request")
    }).pipe(Effect.provide(served))
  )

  it.live("is refused for a resource that is none", () =>
    Effect.gen(function* () {
      const { errorOf, exchange, jwt } = yield* begin
      const { access_token } = yield* exchange(Partner.exchangeFields(yield* jwt()))
      expect(yield* errorOf(Partner.connectFields(access_token, "to/SlackCLIAPI"))).toBe("invalid_target")
    }).pipe(Effect.provide(served))
  )

  it.live("rotates its key: both are taken while both are published", () =>
    Effect.gen(function* () {
      const { errorOf, exchange, jwt, key, publish } = yield* begin
      const next = yield* Effect.promise(() => Partner.key("next"))
      yield* exchange(Partner.exchangeFields(yield* jwt()))
      publish([key.jwk, next.jwk])
      yield* FakeZapier.FakeZapier.use((zapier) => zapier.changeSettings({ jwksCooldown: 0 }))
      yield* exchange(Partner.exchangeFields(yield* jwt({}, {}, next)))
      yield* exchange(Partner.exchangeFields(yield* jwt()))
      publish([next.jwk])
      yield* FakeZapier.FakeZapier.use((zapier) => zapier.changeSettings({ jwksLifetime: 0 }))
      expect(yield* errorOf(Partner.exchangeFields(yield* jwt()))).toBe("invalid_request")
      yield* exchange(Partner.exchangeFields(yield* jwt({}, {}, next)))
    }).pipe(Effect.provide(served))
  )
})
