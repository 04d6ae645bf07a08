import { it } from "@effect/vitest"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierConnect from "@zapier-workflow-auth/node-adapter/ZapierConnect"
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Effect from "effect/Effect"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

const userOf = ({ cookies }: HttpServerRequest.HttpServerRequest) => Option.fromUndefinedOr(cookies["user"])

// The app under test: the library's own routes, and a page.
const connect = ZapierConnect.layer({ redirectUri: "https://acme.example/zapier/callback", scopes: ["zap"] }).pipe(
  Layer.provide(Layer.succeed(ZapierConnect.SignedIn, { subject: (request) => Effect.succeed(userOf(request)) }))
)

const zapsOf = Effect.fnUntraced(function* (user: string) {
  const zapier = yield* ZapierHttpClient.ZapierHttpClient
  const response = yield* zapier.call("GET /v2/zaps", { credential: Credential.user(user) })
  const { text } = yield* HttpClientResponse.filterStatusOk(response)
  return HttpServerResponse.text(yield* text)
})

const page = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const services = yield* Effect.context<ZapierHttpClient.ZapierHttpClient>()
    yield* router.add("GET", "/", (request) =>
      Option.match(userOf(request), {
        onNone: () => Effect.succeed(HttpServerResponse.empty({ status: 401 })),
        onSome: zapsOf
      }).pipe(
        Effect.timeout("1 minute"),
        Effect.catchReason("ZapierAuthError", "ReconnectRequired", () =>
          Effect.succeed(HttpServerResponse.text("/zapier/connect", { status: 409 }))
        ),
        Effect.orElseSucceed(() => HttpServerResponse.empty({ status: 503 })),
        Effect.provideContext(services)
      )
    )
  })
)

const library = ZapierHttpClient.layer().pipe(
  Layer.provideMerge(ZapierAuth.layer()),
  Layer.provide(TokenEndpoint.layer)
)

const app = Scenario.fromRoutes({
  start: Scenario.fromRouter(Layer.provide(Layer.merge(connect, page), library)),
  stores: MemoryStores.layer,
  // The cookie that signs a user in.
  cookies: (user) => ({ user }),
  routes: {
    connect: "/zapier/connect",
    callback: "/zapier/callback",
    page: "/",
    disconnect: { method: "POST", path: "/zapier/disconnect" }
  }
})

it.effect("the app keeps to every rule, whatever happens", () => Scenario.check(app, { runs: 20 }))
