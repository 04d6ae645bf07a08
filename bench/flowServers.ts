/** Servers for complete flows, each on a local socket, until the scope closes. */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Client } from "@effect/platform-node/Undici"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { OAuth2Server } from "oauth2-mock-server"
import { Provider } from "oidc-provider"
import * as Flow from "./flow.ts"

export interface FlowServer {
  readonly name: string
  /** Runs one complete flow. */
  readonly flow: () => Promise<void>
}

const app: Flow.App = {
  clientId: "bench",
  clientSecret: "s3cret",
  redirectUri: "https://acme.example/callback"
}

/** Without a consent page, like the other servers, and without rate limits, which a storm of flows exceeds. */
export const fakeOptions = {
  apps: [{ name: "Acme", clientId: app.clientId, clientSecret: app.clientSecret, redirectUris: [app.redirectUri] }],
  settings: { asksForConsent: false, rateLimits: false }
}

export const zapierFlow = () => Flow.zapier(app)

interface BrowserAnswer extends Flow.Answer {
  readonly cookies: ReadonlyArray<string>
}

/** The same client for all: one kept connection, and no redirects. */
const connect = (origin: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Client(origin)),
      (client) => Effect.promise(() => client.close())
    ),
    (client) =>
      async ({ body, headers, method, path }: Flow.Request): Promise<BrowserAnswer> => {
        const answer = await client.request({ method, path, headers, body: body ?? null })
        return {
          status: answer.statusCode,
          location: answer.headers["location"]?.toString(),
          cookies: [answer.headers["set-cookie"] ?? []].flat(),
          body: await answer.body.text()
        }
      }
  )

export const fakeName = "fake"

/** The fake through `FakeZapier.layerServer`. */
export const fake = Effect.gen(function* () {
  const layer = FakeZapier.layerServer.pipe(
    Layer.provide(FakeZapier.layer(fakeOptions)),
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
  )
  const context = yield* Layer.build(layer)
  const { address } = yield* Effect.provideContext(HttpServer.HttpServer, context)
  const send = yield* connect(HttpServer.formatAddress(address))
  return { name: fakeName, flow: () => Flow.run(zapierFlow(), send) } satisfies FlowServer
})

export const mockServerName = "oauth2-mock-server"

/** `oauth2-mock-server` with its fastest signature. It has no consent page, and accepts every code. */
export const mockServer = Effect.gen(function* () {
  const server = new OAuth2Server()
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      await server.issuer.keys.generate("EdDSA")
      await server.start(0, "127.0.0.1")
    }),
    () => Effect.promise(() => server.stop())
  )
  const send = yield* connect(`http://127.0.0.1:${server.address().port}`)
  const flow = function* (): Flow.Flow {
    const path = `/authorize?${Flow.authorization(app, "zap")}`
    const redirect = yield { method: "GET", path, headers: {} }
    yield* Flow.afterConsent(app, { token: "/token", api: "/userinfo" }, redirect)
  }
  return { name: mockServerName, flow: () => Flow.run(flow(), send) } satisfies FlowServer
})

export const oidcProviderName = "oidc-provider"

/**
 * `oidc-provider` with a user who is signed in and allows everything: after the first time it shows no page, either.
 */
export const oidcProvider = Effect.gen(function* () {
  const listener = createServer()
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))),
    () => Effect.promise(() => new Promise((resolve) => listener.close(resolve)))
  )
  const address = listener.address()
  if (address === null || typeof address === "string") throw new Error("the server has no port")
  const origin = `http://127.0.0.1:${address.port}`
  const provider = new Provider(origin, {
    clients: [
      {
        client_id: app.clientId,
        client_secret: app.clientSecret,
        redirect_uris: [app.redirectUri],
        grant_types: ["authorization_code", "refresh_token"]
      }
    ],
    cookies: { keys: ["bench"] },
    // It logs the options that are left at their defaults.
    ttl: { AccessToken: 3_600, Grant: 3_600, IdToken: 3_600, Interaction: 3_600, RefreshToken: 3_600, Session: 3_600 },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => false },
    scopes: ["zap"],
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    loadExistingGrant: async (context) => {
      const { client, session } = context.oidc
      if (client === undefined || session?.accountId === undefined) return undefined
      const grant = new context.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope("openid zap")
      await grant.save()
      return grant
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` }
  })
  const serve = provider.callback()
  listener.on("request", (request, response) => {
    const isInteraction = request.url?.startsWith("/interaction/") === true
    if (!isInteraction) return void serve(request, response)
    void provider.interactionFinished(request, response, { login: { accountId: "ada" } })
  })
  const send = yield* connect(origin)

  // A browser's cookies, all of this server.
  const jar = new Map<string, string>()
  const browse = async (request: Flow.Request) => {
    const cookie = [...jar].map((pair) => pair.join("=")).join("; ")
    const answer = await send({ ...request, headers: cookie === "" ? {} : { cookie } })
    for (const header of answer.cookies) {
      const [name = "", value = ""] = header.split(";", 1)[0]?.split(/=(.*)/s) ?? []
      if (value === "") jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }
  const flow = async () => {
    let redirect = await browse({ method: "GET", path: `/auth?${Flow.authorization(app, "openid zap")}`, headers: {} })
    while (redirect.location !== undefined && !redirect.location.startsWith(app.redirectUri)) {
      const { pathname, search } = new URL(redirect.location, origin)
      redirect = await browse({ method: "GET", path: `${pathname}${search}`, headers: {} })
    }
    await Flow.run(Flow.afterConsent(app, { token: "/token", api: "/me" }, redirect), send)
  }
  return { name: oidcProviderName, flow } satisfies FlowServer
})
