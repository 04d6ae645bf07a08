import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ZapierProblem from "../../src/app/ZapierProblem.ts"
import * as ZapierUser from "../../src/app/ZapierUser.ts"
import type { ZapierAuth } from "../../src/ZapierAuth.ts"
import type { ZapierHttpClient } from "../../src/ZapierHttpClient.ts"
import * as ZapierApiClient from "../../src/zapier/ZapierApiClient.ts"
import * as TestZapier from "../utils/TestZapier.ts"

const { connect } = TestZapier

class CurrentUser extends Context.Service<CurrentUser, { readonly id: string }>()("test/CurrentUser") {}

class Session extends HttpApiMiddleware.Service<Session, { provides: CurrentUser }>()("test/Session", {
  error: HttpApiError.Unauthorized
}) {}

class Zapier extends HttpApiMiddleware.Service<Zapier, { provides: ZapierUser.ZapierUser; requires: CurrentUser }>()(
  "test/Zapier",
  { error: ZapierProblem.errors }
) {}

const endpoints = HttpApiGroup.make("zaps")
  .add(
    HttpApiEndpoint.get("list", "/zaps", { success: Schema.String }),
    HttpApiEndpoint.get("runs", "/runs", { success: Schema.String }).annotate(ZapierUser.Calls, ["GET /v2/zap-runs"]),
    HttpApiEndpoint.get("profile", "/profile", { success: Schema.String }).annotate(ZapierUser.Calls, [])
  )
  .annotate(ZapierUser.Calls, ["GET /v2/zaps"])
  .middleware(Zapier)
  .middleware(Session)

const Api = HttpApi.make("app").add(endpoints)

const session = Layer.succeed(Session, (handler) =>
  Effect.gen(function* () {
    const { cookies } = yield* HttpServerRequest.HttpServerRequest
    if (cookies["user"] === undefined) return yield* new HttpApiError.Unauthorized()
    return yield* Effect.provideService(handler, CurrentUser, { id: cookies["user"] })
  })
)

const subject = Effect.map(CurrentUser, ({ id }) => id)

const said = Effect.gen(function* () {
  const { client, subject } = yield* ZapierUser.ZapierUser
  const { status } = yield* client.get("/v2/zaps")
  return `${subject}: ${status}`
})

const handlers = HttpApiBuilder.group(Api, "zaps", (handlers) =>
  handlers
    .handle("list", () => said)
    .handleAll({ runs: () => said, profile: () => Effect.map(ZapierUser.ZapierUser, ({ subject }) => subject) })
)

const routes = HttpApiBuilder.layer(Api).pipe(
  Layer.provide(handlers),
  Layer.provide([ZapierUser.layerMiddleware(Zapier, subject), session, HttpServer.layerServices])
)

const typed = ZapierApiClient.layer({ retry: false })

/** The app, over the library of the test. */
const serve = <R>(
  layer: Layer.Layer<
    never,
    never,
    HttpRouter.HttpRouter | ZapierAuth | ZapierHttpClient | ZapierApiClient.ZapierApiClient | R
  >,
  logs: Array<unknown> = []
) =>
  Effect.gen(function* () {
    const services = yield* Effect.context<ZapierAuth | ZapierHttpClient>()
    const logger = Logger.layer([Logger.make(({ message }) => void logs.push(message))])
    const { dispose, handler } = HttpRouter.toWebHandler(
      // A request provides the rest. @effect-diagnostics-next-line unsafeEffectTypeAssertion:off
      Layer.provideMerge(
        layer.pipe(Layer.provide(typed), Layer.provide(Layer.succeedContext(services))),
        logger
      ) as Layer.Layer<never, never, HttpRouter.HttpRouter>,
      { disableLogger: true }
    )
    yield* Effect.addFinalizer(() => Effect.promise(dispose))
    return (path: string, user?: string) =>
      Effect.promise(async () => {
        const headers = user === undefined ? {} : { cookie: `user=${user}` }
        const response = await handler(new Request(`http://app.example${path}`, { headers }))
        const isJson = /json/.test(response.headers.get("content-type") ?? "")
        return { status: response.status, body: isJson ? await response.json() : await response.text() }
      })
  })

describe("ZapierUser.layerMiddleware", () => {
  it.effect("gives each user's handler a client of that user's own", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* connect("ada")
      yield* connect("eve", "code-2")
      const get = yield* serve(routes)
      expect(yield* get("/zaps", "ada")).toEqual({ status: 200, body: "ada: 200" })
      expect(yield* get("/zaps", "eve")).toEqual({ status: 200, body: "eve: 200" })
      expect(zapier.apiRequests.map(({ authorization }) => authorization)).toEqual([
        "Bearer access-token-1",
        "Bearer access-token-2"
      ])
    }).pipe(Effect.scoped, Effect.provide(zapier.layer()))
  })

  it.effect("takes the signed-in user from the app's session", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const get = yield* serve(routes)
      expect((yield* get("/zaps")).status).toBe(401)
      expect(zapier.tokenRequests).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(zapier.layer()))
  })

  it.effect("responds 409 before the handler runs if the user is not connected, and logs nothing", () => {
    const zapier = TestZapier.make()
    const logs: Array<unknown> = []
    return Effect.gen(function* () {
      const get = yield* serve(routes, logs)
      expect(yield* get("/zaps", "ada")).toMatchObject({
        status: 409,
        body: { reason: "ReconnectRequired", needsReconnect: true, title: "Reconnect required" }
      })
      expect(yield* get("/profile", "ada")).toEqual({ status: 200, body: "ada" })
      expect(zapier.apiRequests).toEqual([])
      expect(logs).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(zapier.layer()))
  })

  it.effect("asks for the scopes of each route: its own, or its group's", () => {
    const zapier = TestZapier.make()
    const logs: Array<unknown> = []
    return Effect.gen(function* () {
      yield* connect("ada")
      const get = yield* serve(routes, logs)
      expect(yield* get("/runs", "ada")).toMatchObject({
        status: 403,
        body: { reason: "InsufficientScope", anyOf: ["zap:runs"] }
      })
      expect(zapier.apiRequests).toEqual([])
      expect(logs.flat().join()).toContain("GET /v2/zap-runs needs zap:runs")
      expect((yield* get("/zaps", "ada")).status).toBe(200)
    }).pipe(Effect.scoped, Effect.provide(zapier.layer()))
  })

  it.effect("responds with the handler's error, and logs more than the client sees", () => {
    const zapier = TestZapier.make()
    const logs: Array<unknown> = []
    return Effect.gen(function* () {
      yield* connect("ada")
      const get = yield* serve(routes, logs)
      zapier.nextApi(TestZapier.requestLost)
      const response = yield* get("/zaps", "ada")
      expect(response).toMatchObject({ status: 502, body: { reason: "HttpClientError", isRetryable: true } })
      expect(logs).toHaveLength(1)
      zapier.state.accessTokens.clear()
      zapier.nextToken(
        TestZapier.respond(401, { error: "invalid_client" }),
        TestZapier.respond(401, { error: "invalid_client" })
      )
      expect(yield* get("/zaps", "ada")).toMatchObject({
        status: 500,
        body: { reason: "ClientRejected" }
      })
      expect(logs[1]).toEqual([expect.stringContaining("Zapier rejected the client id or secret")])
    }).pipe(Effect.scoped, Effect.provide(zapier.layer()))
  })

  it("lets handlers fail with the library's errors, and documents them for clients", () => {
    type Client = Effect.Success<ReturnType<typeof HttpApiClient.make<"app", typeof endpoints>>>
    expectTypeOf<Effect.Error<ReturnType<Client["zaps"]["list"]>>>().toExtend<
      ZapierProblem.Failure | HttpApiError.Unauthorized | Schema.SchemaError
    >()
    expectTypeOf(ZapierUser.layerMiddleware(Zapier, subject)).toExtend<Layer.Layer<Zapier, never, unknown>>()
    const another = Effect.map(HttpClient.HttpClient, () => "ada")
    // @ts-expect-error nothing provides another service @effect-diagnostics-next-line missingEffectContext:off
    ZapierUser.layerMiddleware(Zapier, another)
    // @ts-expect-error there is no such endpoint
    endpoints.annotate(ZapierUser.Calls, ["GET /v2/zapps"])
  })
})

describe("ZapierUser: the typed client", () => {
  it.effect("is the credential of the request's user", () => {
    const zapier = TestZapier.make()
    const { layer } = ZapierUser.middleware({
      subject: Effect.map(HttpServerRequest.HttpServerRequest, ({ cookies }) => cookies["user"] ?? "")
    })
    const route = HttpRouter.add(
      "GET",
      "/zaps",
      Effect.gen(function* () {
        const { api } = yield* ZapierUser.ZapierUser
        return HttpServerResponse.jsonUnsafe(yield* Stream.runCollect(api.zaps.list.items()))
      })
    )
    return Effect.gen(function* () {
      yield* connect("ada")
      yield* connect("eve", "code-2")
      const get = yield* serve(Layer.provide(route, layer))
      const none = TestZapier.respond(200, { data: [], links: { next: null }, meta: { count: 0 } })
      zapier.nextApi(none, none, TestZapier.respond(503, {}))
      expect(yield* get("/zaps", "eve")).toEqual({ status: 200, body: [] })
      expect(yield* get("/zaps", "ada")).toEqual({ status: 200, body: [] })
      expect(zapier.apiRequests.map(({ authorization }) => authorization)).toEqual([
        "Bearer access-token-2",
        "Bearer access-token-1"
      ])
      expect(yield* get("/zaps", "bob")).toMatchObject({ status: 409, body: { reason: "ReconnectRequired" } })
      expect(yield* get("/zaps", "ada")).toMatchObject({ status: 502, body: { reason: "ZapierApiError" } })
    }).pipe(Effect.scoped, Effect.provide(zapier.layer()))
  })
})

describe("ZapierUser.scopesOf", () => {
  it("are the least that all endpoints need", () => {
    expect(ZapierUser.scopesOf(Api)).toEqual(["zap", "zap:runs"])
    expect(ZapierUser.scopesOf(Api.annotate(ZapierUser.Calls, ["POST /v2/zaps"]))).toEqual(["zap", "zap:runs"])
  })
})

describe("ZapierUser.middleware", () => {
  const signedIn = HttpRouter.middleware<{ provides: CurrentUser }>()((handler) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ cookies }) =>
      Effect.provideService(handler, CurrentUser, { id: cookies["user"] ?? "" })
    )
  )

  const route = HttpRouter.add("GET", "/zaps", Effect.map(said, HttpServerResponse.text))

  it.effect("does the same for routes", () => {
    const zapier = TestZapier.make()
    const { layer } = ZapierUser.middleware({ subject, calls: ["GET /v2/zap-runs"] }).combine(signedIn)
    const { layer: unchecked } = ZapierUser.middleware({ subject }).combine(signedIn)
    return Effect.gen(function* () {
      const get = yield* serve(Layer.provide(route, unchecked))
      expect(yield* get("/zaps", "ada")).toMatchObject({ status: 409, body: { reason: "ReconnectRequired" } })
      yield* connect("ada")
      expect(yield* get("/zaps", "ada")).toEqual({ status: 200, body: "ada: 200" })
      const checked = yield* serve(Layer.provide(route, layer))
      expect(yield* checked("/zaps", "ada")).toMatchObject({ status: 403, body: { anyOf: ["zap:runs"] } })
    }).pipe(Effect.scoped, Effect.provide(zapier.layer()))
  })

  it.effect("handles the library's errors, and leaves other errors to the app", () => {
    const zapier = TestZapier.make()
    const mine = HttpRouter.add("GET", "/mine", Effect.fail("mine" as const))
    const { layer } = ZapierUser.middleware({ subject: Effect.succeed("ada") })
    return Effect.gen(function* () {
      const get = yield* serve(Layer.provide(mine, layer))
      expect((yield* get("/mine")).status).toBe(500)
    }).pipe(Effect.scoped, Effect.provide(zapier.layer()))
  })

  it.effect("gives an HttpClient of Effect as well, for clients that are generated", () => {
    const zapier = TestZapier.make()
    const Zaps = HttpApi.make("zapier").add(
      HttpApiGroup.make("zaps", { topLevel: true }).add(
        HttpApiEndpoint.get("list", "/v2/zaps", { success: Schema.Struct({ data: Schema.Array(Schema.Unknown) }) })
      )
    )
    const generated = HttpRouter.add(
      "GET",
      "/generated",
      Effect.gen(function* () {
        const { httpClient } = yield* ZapierUser.ZapierUser
        const client = yield* HttpApiClient.makeWith(Zaps, { httpClient, baseUrl: "https://api.zapier.com" })
        return HttpServerResponse.jsonUnsafe(yield* Effect.catchTag(client.list(), "SchemaError", Effect.die))
      })
    )
    const { layer } = ZapierUser.middleware({ subject: Effect.succeed("ada") })
    return Effect.gen(function* () {
      const get = yield* serve(Layer.provide(generated, layer))
      expect(yield* get("/generated")).toMatchObject({ status: 409 })
      yield* connect("ada")
      expect(yield* get("/generated")).toEqual({ status: 200, body: { data: [] } })
    }).pipe(Effect.scoped, Effect.provide(zapier.layer()))
  })
})
