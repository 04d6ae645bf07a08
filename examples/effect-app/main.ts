/**
 * An Effect app as in production: an HttpApi with sessions, "Connect Zapier", grants in Postgres with encrypted tokens,
 * calls within Zapier's rate limits, traces and metrics over OTLP, and a graceful stop that loses nothing.
 *
 * It needs `@effect/platform-node` and `@effect/sql-pg`. With DATABASE_URL, ZAPIER_ENCRYPTION_KEYS (`openssl rand -base64 32`),
 * ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET and ZAPIER_REDIRECT_URIS=http://localhost:3000/zapier/callback set: `node main.ts`
 */
import { createServer } from "node:http"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import * as ZapierProblem from "@zapier-workflow-auth/core/app/ZapierProblem"
import * as ZapierUser from "@zapier-workflow-auth/core/app/ZapierUser"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as EncryptionKey from "@zapier-workflow-auth/node-adapter/EncryptionKey"
import * as PostgresClient from "@zapier-workflow-auth/node-adapter/stores/PostgresClient"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as ZapierConnect from "@zapier-workflow-auth/node-adapter/ZapierConnect"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import { Config, Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { FetchHttpClient, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiError } from "effect/http-api"
import { HttpApiGroup, HttpApiMiddleware } from "effect/http-api"
import { Otlp } from "effect/observability"

// Sessions in memory, by an unguessable cookie. A real app has passwords, and keeps sessions in its database.
class Sessions extends Context.Service<Sessions>()("acme/Sessions", {
  make: Effect.sync(() => {
    const users = new Map<string, string>()
    return {
      begin: (user: string, id: string = crypto.randomUUID()) => Effect.sync(() => (users.set(id, user), id)),
      userOf: ({ cookies }: HttpServerRequest.HttpServerRequest) =>
        Effect.sync(() => Option.fromUndefinedOr(users.get(cookies["session"] ?? "")))
    }
  })
}) {
  static readonly layer = Layer.effect(Sessions, Sessions.make)
}

const signIn = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const sessions = yield* Sessions
    yield* router.add(
      "POST",
      "/sign-in",
      Effect.gen(function* () {
        const { name } = yield* HttpServerRequest.schemaBodyUrlParams(Schema.Struct({ name: Schema.NonEmptyString }))
        const home = HttpServerResponse.redirect("/", { status: 303 })
        const options = { path: "/", httpOnly: true, sameSite: "lax" } as const
        return yield* HttpServerResponse.setCookie(home, "session", yield* sessions.begin(name), options)
      })
    )
  })
)

class CurrentUser extends Context.Service<CurrentUser, { readonly id: string }>()("acme/CurrentUser") {}

class Session extends HttpApiMiddleware.Service<Session, { provides: CurrentUser }>()("acme/Session", {
  error: HttpApiError.Unauthorized
}) {}

const session = Layer.effect(
  Session,
  Effect.map(
    Sessions,
    ({ userOf }): Session["Service"] =>
      (handler) =>
        Effect.gen(function* () {
          const user = yield* userOf(yield* HttpServerRequest.HttpServerRequest)
          if (Option.isNone(user)) return yield* new HttpApiError.Unauthorized()
          return yield* Effect.provideService(handler, CurrentUser, { id: user.value })
        })
  )
)

// The API: each endpoint declares its calls to Zapier, and the consent page requests their scopes.
class Zapier extends HttpApiMiddleware.Service<Zapier, { provides: ZapierUser.ZapierUser; requires: CurrentUser }>()(
  "acme/Zapier",
  { error: ZapierProblem.errors }
) {}

const Zaps = HttpApiGroup.make("zaps")
  .add(
    HttpApiEndpoint.get("list", "/zaps", { success: Schema.Array(Schema.Struct({ title: Schema.String })) }).annotate(
      ZapierUser.Calls,
      ["GET /v2/zaps"]
    )
  )
  .middleware(Zapier)
  .middleware(Session)
  .prefix("/api")

const Api = HttpApi.make("acme").add(Zaps)

// All pages, each requested when the one before was read, and at most a hundred Zaps.
const handlers = HttpApiBuilder.group(Api, "zaps", (handlers) =>
  handlers.handle(
    "list",
    Effect.fn("zaps.list")(function* () {
      const { api } = yield* ZapierUser.ZapierUser
      return yield* api.zaps.list.items().pipe(Stream.take(100), Stream.runCollect)
    })
  )
)

const subject = Effect.map(CurrentUser, ({ id }) => id)

const api = HttpApiBuilder.layer(Api).pipe(
  Layer.provide(handlers),
  Layer.provide([Layer.provide(ZapierUser.layerMiddleware(Zapier, subject), ZapierApiClient.layer()), session])
)

// The page handles the API's responses: signed out, not connected, a problem in words, or the Zaps.
const page = HttpServerResponse.text(
  `<!doctype html><meta charset="utf-8"><title>Acme</title><link rel="icon" href="data:,"><main></main><script type="module">
const response = await fetch("/api/zaps"), main = document.querySelector("main")
const answer = response.status === 401 ? {} : await response.json()
if (response.status === 401) main.innerHTML = '<form method="post" action="/sign-in"><input name="name" aria-label="Name"><button>Sign in</button></form>'
else if (answer.needsReconnect || answer.anyOf) main.innerHTML = '<a href="/zapier/connect">Connect Zapier</a>'
else main.append(...(response.ok ? answer : [answer]).map(({ title }) => Object.assign(document.createElement("p"), { textContent: title })))
</script>`,
  { contentType: "text/html; charset=utf-8" }
)

const stores = EncryptedStores.layer.pipe(
  Layer.provide([SqlStores.layer, EncryptionKey.layerConfig]),
  Layer.provide(PostgresClient.layerConfig())
)

const main = Effect.gen(function* () {
  const port = yield* Config.withDefault(Config.Int("PORT"), 3_000)
  // The URL of a fake Zapier, for tests.
  const urls = Option.map(yield* Config.option(Config.String("ZAPIER_URL")), ZapierUrls.at)
  const collector = yield* Config.withDefault(Config.String("OTEL_EXPORTER_OTLP_ENDPOINT"), "http://127.0.0.1:4318")
  const redirectUri = `http://localhost:${port}/zapier/callback`
  const signedIn = ZapierConnect.layerSignedIn((request) => Sessions.use(({ userOf }) => userOf(request)))
  const connect = ZapierConnect.layer({ redirectUri, scopes: ZapierUser.scopesOf(Api) }).pipe(Layer.provide(signedIn))
  return HttpRouter.serve(Layer.mergeAll(HttpRouter.add("GET", "/", page), signIn, api, connect)).pipe(
    Layer.provide(Sessions.layer),
    Layer.provide(ZapierNode.layerWithoutStores({ urls: Option.getOrUndefined(urls), rateLimits: true })),
    Layer.provide([stores, NodeHttpServer.layer(() => createServer(), { port, host: "localhost" })]),
    Layer.provide(Otlp.layerJson({ baseUrl: collector, resource: { serviceName: "acme" } })),
    Layer.provide(FetchHttpClient.layer)
  )
})

// SIGTERM ends it: requests get their responses, token responses are stored, and metrics are exported.
Layer.launch(Layer.unwrap(main)).pipe(NodeRuntime.runMain)
