/**
 * A web app on Effect's router: users sign in, connect Zapier, and see their Zaps on a page. Grants are in Postgres,
 * with encrypted tokens, so that any number of processes can serve it.
 *
 * It needs `@effect/platform-node` and `@effect/sql-pg`. Against the real Zapier, with DATABASE_URL, ZAPIER_ENCRYPTION_KEYS
 * (`openssl rand -base64 32`), ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET and ZAPIER_REDIRECT_URIS=http://localhost:3000/zapier/callback set: `node web-app.ts`
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as EncryptionKey from "@zapier-workflow-auth/node-adapter/EncryptionKey"
import * as PostgresClient from "@zapier-workflow-auth/node-adapter/stores/PostgresClient"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as ZapierConnect from "@zapier-workflow-auth/node-adapter/ZapierConnect"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

// -----------------------------------------------------------------------------
// The app's own users. A real app has passwords, and signs its cookie.
// -----------------------------------------------------------------------------

const userOf = ({ cookies }: HttpServerRequest.HttpServerRequest) => Option.fromNullishOr(cookies["user"])

const signIn = HttpRouter.add(
  "GET",
  "/sign-in/:name",
  Effect.gen(function* () {
    const { name = "" } = yield* HttpRouter.params
    return yield* HttpServerResponse.setCookie(HttpServerResponse.redirect("/", { status: 303 }), "user", name, {
      path: "/",
      httpOnly: true,
      sameSite: "lax"
    })
  }).pipe(Effect.orDie)
)

// -----------------------------------------------------------------------------
// The page
// -----------------------------------------------------------------------------

const Zaps = Schema.Struct({ data: Schema.Array(Schema.Struct({ title: Schema.String })) })

const escape = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const page = (body: string, status = 200) =>
  HttpServerResponse.setStatus(HttpServerResponse.html(`<!doctype html><title>Acme</title>${body}`), status)

const connect = page(`<p><a href="/zapier/connect">Connect Zapier</a></p>`)

const zapsOf = Effect.fn("zapsOf")(
  function* (zapier: ZapierHttpClient["Service"], user: string) {
    const response = yield* zapier.call("GET /v2/zaps", { credential: Credential.user(user) })
    const { data } = yield* Effect.flatMap(response.json, Schema.decodeUnknownEffect(Zaps))
    return page(
      `<ul>${data.map(({ title }) => `<li>${escape(title)}</li>`).join("")}</ul>
      <form method="post" action="/zapier/disconnect"><button>Disconnect Zapier</button></form>`
    )
  },
  // A user without a connection gets the link to connect. Other errors are logged, and shown in one line.
  Effect.catchReason("ZapierAuthError", "ReconnectRequired", () => Effect.succeed(connect)),
  Effect.catch((error) =>
    Effect.as(Effect.logError(error), page("<p>Your Zaps cannot be shown right now. Please try again.</p>", 503))
  )
)

const home = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const zapier = yield* ZapierHttpClient
    yield* router.add("GET", "/", (request) => {
      const user = userOf(request)
      return Option.isSome(user)
        ? zapsOf(zapier, user.value)
        : Effect.succeed(page(`<p><a href="/sign-in/ada">Sign in as Ada</a></p>`))
    })
  })
)

/** The app's routes. */
export const routes = (redirectUri: string) =>
  Layer.mergeAll(home, signIn, ZapierConnect.layer({ redirectUri, scopes: ["zap"] })).pipe(
    Layer.provide(Layer.succeed(ZapierConnect.SignedIn, { subject: (request) => Effect.succeed(userOf(request)) }))
  )

/** The location of grants: Postgres, encrypted. */
export const stores = EncryptedStores.layer.pipe(
  Layer.provide([SqlStores.layer, EncryptionKey.layerConfig]),
  Layer.provide(PostgresClient.layerConfig())
)

if (import.meta.main) {
  const zapier = ZapierNode.layerWithoutStores().pipe(Layer.provide(stores))
  HttpRouter.serve(routes("http://localhost:3000/zapier/callback")).pipe(
    Layer.provide([zapier, NodeHttpServer.layer(() => createServer(), { port: 3_000 })]),
    Layer.launch,
    NodeRuntime.runMain
  )
}
