/** What a server with the routes in it shows to its tracer, logger and error reporter: no code and no `state`. */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { describe, expect, it } from "@effect/vitest"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Headers from "effect/http/Headers"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { leaks } from "../../core/test/utils/Leaks.ts"
import * as ZapierConnect from "../src/ZapierConnect.ts"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as World from "./utils/ConnectWorld.ts"
import * as Partner from "./utils/Partner.ts"
import * as Spans from "../../core/test/utils/Spans.ts"

const redirectUri = "http://localhost:3000/zapier/callback"

const app = World.application(redirectUri)

const signedIn = Layer.succeed(ZapierConnect.SignedIn, {
  subject: ({ cookies }) => Effect.succeed(Option.fromUndefinedOr(cookies["session"]))
})

/** All that is shown: spans with what they end with, logs, and what is reported. */
const watch = () => {
  const { spans, tracer } = Spans.recording()
  const logs: Array<unknown> = []
  const reports: Array<unknown> = []
  const layer = Layer.mergeAll(
    Layer.succeed(Tracer.Tracer, tracer),
    Logger.layer([
      Logger.make(({ cause, fiber, message }) =>
        logs.push([message, cause, fiber.getRef(References.CurrentLogAnnotations)])
      )
    ]),
    ErrorReporter.layer([ErrorReporter.make(({ cause }) => reports.push(cause))]),
    // As much as an app can have Effect show.
    Layer.succeed(HttpMiddleware.TracerHeaderFilter, () => true),
    Layer.succeed(Headers.CurrentRedactedNames, [])
  )
  const all = () => [
    logs,
    reports,
    ...spans.map(({ attributes, events, name, status }) => [name, attributes, events, status])
  ]
  const servers = () => spans.filter(({ kind }) => kind === "server")
  // A client has the response before the server's span ends.
  const settled = Effect.promise(async () => {
    while (servers().some(({ status }) => status._tag !== "Ended")) await new Promise(setImmediate)
  })
  return { layer, logs, reports, all, servers, settled, spans }
}

type Middleware = typeof HttpMiddleware.logger

const serve = Effect.fnUntraced(function* (
  options: Partial<ZapierConnect.Options> = {},
  middleware: Middleware = (app) => app,
  more: Layer.Layer<never, never, HttpRouter.HttpRouter> = Layer.empty
) {
  const isPartner = options.whiteLabel !== undefined
  const registered = {
    ...app,
    redirectUris: [redirectUri, redirectUri.replace("callback", "connections/callback")],
    ...(isPartner && { whiteLabel: Partner.registration })
  }
  const fake = FakeZapier.make({
    apps: [registered],
    users: [{ email: "ada@example.com", firstName: "Ada", lastName: "B" }]
  })
  let isAway = false
  const httpClient = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(
      HttpClient.HttpClient,
      HttpClient.transform((effect, request) =>
        isAway ? Effect.succeed(HttpClientResponse.fromWeb(request, new Response("away", { status: 503 }))) : effect
      )
    )
  ).pipe(Layer.provide(FakeZapier.layerHttpClient), Layer.provide(Layer.succeed(FakeZapier.FakeZapier, fake)))
  const watched = watch()
  const routes = Layer.merge(ZapierConnect.layer({ redirectUri, scopes: ["zap"], pkce: true, ...options }), more)
  const context = yield* Layer.build(
    HttpRouter.serve(routes, { middleware }).pipe(
      Layer.provide([
        signedIn,
        ZapierNode.layerMemory({
          application: app,
          httpClient,
          settings: { retryFor: 0 },
          ...(isPartner && { whiteLabel: Partner.layer })
        })
      ]),
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0 })),
      Layer.provideMerge(watched.layer)
    )
  )
  const { address } = yield* Effect.provideContext(HttpServer.HttpServer, context)
  if (!("port" in address)) return yield* Effect.die("no port")
  const { port } = address
  const secrets = new Map([["client secret", app.clientSecret]])
  const browser = new World.Browser("ada")
  const send = (url: string, init: RequestInit = {}) =>
    Effect.promise(async () => {
      const { pathname, search } = new URL(url, redirectUri)
      const request = browser.request(`http://127.0.0.1:${port}${pathname}${search}`, { redirect: "manual", ...init })
      // As a browser sends it: no trace headers. @effect-diagnostics-next-line globalFetchInEffect:off
      const response = browser.keep(await fetch(request))
      return { status: response.status, location: response.headers.get("location") ?? "", text: await response.text() }
    })
  /** Begins, allows, and gives the callback's URL, whose secrets are noted. */
  const begin = Effect.gen(function* () {
    const { location } = yield* send("/zapier/connect", { headers: { "sec-fetch-site": "same-origin" } })
    const callback = yield* fake.approve(location)
    const { searchParams } = new URL(callback)
    for (const name of ["code", "state"]) secrets.set(`${name} ${secrets.size}`, searchParams.get(name) ?? "")
    return callback
  })
  const noteTokens = Effect.map(fake.issued, (issued) => {
    for (const { accessToken, refreshToken } of issued) {
      secrets.set(`access token ${secrets.size}`, accessToken)
      if (refreshToken !== undefined) secrets.set(`refresh token ${secrets.size}`, refreshToken)
    }
  })
  const hidden = Effect.gen(function* () {
    yield* watched.settled
    yield* noteTokens
    expect(leaks(watched.all(), secrets)).toEqual([])
  })
  return { fake, watched, send, begin, hidden, secrets, setAway: (away: boolean) => (isAway = away) }
})

const planted = "code=pl4nted-c0de&state=pl4nted-5tate"

describe("A server with the routes", () => {
  it.live("shows no connect token and no state of a White Label user who connects an app", () =>
    Effect.gen(function* () {
      const { fake, hidden, secrets, send, watched } = yield* serve({
        whiteLabel: { tenant: () => Effect.succeed("acme") }
      })
      const own = { headers: { "sec-fetch-site": "same-origin" } }
      const begun = yield* send("/zapier/connections/connect?app=SlackCLIAPI", own)
      const { searchParams } = new URL(begun.location)
      for (const name of ["token", "state"]) secrets.set(name, searchParams.get(name) ?? "")
      expect([...secrets.values()].map(({ length }) => length > 8)).toEqual([true, true, true])
      const end = yield* fake.connect(begun.location)
      expect(yield* send(end._tag === "Redirect" ? end.url : "")).toMatchObject({ status: 303 })
      yield* hidden
      expect(watched.servers().map(({ attributes }) => attributes.get("http.response.header.location"))).toEqual([
        expect.stringMatching(/^https:.*\/to\/SlackCLIAPI\?.*token=REDACTED/),
        "/"
      ])
    })
  )

  it.live("shows no code and no state of a callback that is taken, and says all else", () =>
    Effect.gen(function* () {
      const { begin, hidden, send, watched } = yield* serve()
      const callback = yield* begin
      expect(yield* send(callback)).toMatchObject({ status: 303, location: "/" })
      yield* hidden
      const span = watched.servers().at(-1)
      expect(Object.fromEntries(span?.attributes ?? [])).toMatchObject({
        "http.request.method": "GET",
        "http.route": "/zapier/callback",
        "http.response.status_code": 303,
        "http.request.header.cookie": "<redacted>",
        "url.path": "/zapier/callback",
        "url.query": expect.stringMatching(/^(?=.*\bcode=REDACTED)(?=.*\bstate=REDACTED)/),
        "url.full": expect.stringMatching(/\/zapier\/callback\?.*code=REDACTED/)
      })
      expect(watched.logs).toContainEqual([
        ["Sent HTTP response"],
        expect.anything(),
        expect.objectContaining({ "http.url": "/zapier/callback", "http.status": 303 })
      ])
    })
  )

  const requests: ReadonlyArray<readonly [string, number, string, string]> = [
    ["an unknown state", 400, "GET", `/zapier/callback?${planted}`],
    ["HEAD", 405, "HEAD", `/zapier/callback?${planted}`],
    ["a code alone", 400, "GET", "/zapier/callback?code=pl4nted-c0de"],
    ["parameters twice", 400, "GET", `/zapier/callback?${planted}&${planted}`],
    ["names that are encoded", 400, "GET", "/zapier/callback?c%6Fde=pl4nted-c0de&%73tate=pl4nted-5tate"],
    ["values that are encoded", 400, "GET", "/zapier/callback?code=pl4nted%2Dc0de&state=pl4nted%2d5tate"],
    ["an error", 400, "GET", "/zapier/callback?error=access_denied&state=pl4nted-5tate"],
    ["a method that has no route", 404, "POST", `/zapier/callback?${planted}`],
    ["a path that has no route", 404, "GET", "/zapier/elsewhere?code=pl4nted-c0de"],
    ["a slash at the end", 400, "GET", "/zapier/callback/?state=pl4nted-5tate"],
    ["another case", 400, "GET", `/Zapier/Callback?${planted}`],
    ["slashes twice", 400, "GET", `/zapier//callback?${planted}`],
    ["a path of its own", 404, "GET", `/oauth/done?${planted}`],
    [
      "another route of the library",
      400,
      "GET",
      `/zapier/connect?return=${encodeURIComponent("https://evil.example")}&${planted}`
    ]
  ]

  it.live.each(requests)("shows none of %s", ([, status, method, url]) =>
    Effect.gen(function* () {
      const { hidden, secrets, send, watched } = yield* serve()
      secrets.set("code", "pl4nted-c0de").set("state", "pl4nted-5tate")
      secrets.set("written code", "pl4nted%2Dc0de").set("written state", "pl4nted%2d5tate")
      expect((yield* send(url, { method })).status).toBe(status)
      yield* hidden
      expect(watched.servers().map(({ attributes }) => attributes.get("http.response.status_code"))).toEqual([status])
    })
  )

  it.live("shows none when the exchange fails, whatever the span of the server ends with", () =>
    Effect.gen(function* () {
      const { begin, hidden, send, setAway, watched } = yield* serve()
      const callback = yield* begin
      setAway(true)
      expect((yield* send(callback)).status).toBe(502)
      yield* hidden
      const ended = watched.servers().at(-1)?.status
      expect(ended).toMatchObject({ _tag: "Ended", exit: { _tag: "Failure" } })
    })
  )

  // What an app has around the routes. For its `respond` that dies, the library answers.
  const dying = (bug: Effect.Effect<never>) =>
    HttpRouter.middleware(
      (handler) =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ url }) =>
          url.startsWith("/zapier/callback") ? Effect.andThen(handler, bug) : handler
        ),
      { global: true }
    )

  it.live("shows none when the app's own response fails", () =>
    Effect.gen(function* () {
      const bug = Effect.die(new Error("a bug of the app"))
      const { begin, hidden, send, watched } = yield* serve({ respond: () => bug }, undefined, dying(bug))
      expect((yield* send(yield* begin)).status).toBe(500)
      yield* hidden
      expect(watched.reports.length).toBe(1)
    })
  )

  it.live("shows none when it dies of an error that holds the request", () =>
    Effect.gen(function* () {
      let url = ""
      const bug = Effect.suspend(() => {
        const request = HttpServerRequest.fromWeb(new Request(url))
        return Effect.die(
          new HttpServerError.HttpServerError({ reason: new HttpServerError.InternalError({ request }) })
        )
      })
      const { begin, hidden, send, watched } = yield* serve({ respond: () => bug }, undefined, dying(bug))
      url = yield* begin
      expect((yield* send(url)).status).toBe(500)
      yield* hidden
      expect(watched.reports.length).toBe(1)
    })
  )

  it.live("shows none in spans around the routes, and none that is told of a URL before", () =>
    Effect.gen(function* () {
      const around = HttpMiddleware.make((app) =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ url }) =>
          Effect.withSpan(app, "around", { attributes: { "app.url": url } })
        )
      )
      const { begin, hidden, send, watched } = yield* serve(
        {},
        (app) => around(HttpMiddleware.tracer(app)) as typeof app
      )
      expect((yield* send(yield* begin)).status).toBe(303)
      yield* hidden
      expect(watched.spans.findLast(({ name }) => name === "around")?.attributes.get("app.url")).toMatch(
        /code=REDACTED/
      )
    })
  )

  it.live("leaves the spans of other requests as they are", () =>
    Effect.gen(function* () {
      const other = HttpRouter.add("GET", "/search", HttpServerResponse.text("found"))
      const { send, watched } = yield* serve({}, (app) => app, other)
      yield* send("/search?code=94110-1234&q=a")
      yield* watched.settled
      expect(watched.servers().at(-1)?.attributes.get("url.query")).toBe("code=94110-1234&q=a")
    })
  )
})

describe("hideCallback", () => {
  const accessLog = HttpMiddleware.make((app) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      Effect.ensuring(app, Effect.log(`${request.method} ${request.url}`))
    )
  )

  const hideCallback = ZapierConnect.hideCallback({ redirectUri })

  it.live("hides the parameters from an access log of the app's own, and the callback is taken all the same", () =>
    Effect.gen(function* () {
      const { begin, hidden, secrets, send, watched } = yield* serve({}, (app) => hideCallback(accessLog(app)))
      expect((yield* send(yield* begin)).status).toBe(303)
      expect((yield* send("/zapier/status", { headers: { accept: "application/json" } })).text).toContain('"Active"')
      for (const path of ["/Zapier/Callback/", "/zapier//callback", "/zapier/c%61llback"]) {
        yield* send(`${path}?code=pl4nted-c0de&state=pl4nted-5tate`)
      }
      secrets.set("code", "pl4nted-c0de").set("state", "pl4nted-5tate")
      yield* hidden
      expect(JSON.stringify(watched.logs)).toMatch(/GET \/zapier\/callback\?\S*code=REDACTED/)
    })
  )

  it.live("hides them from another tracing middleware, of a trace that another server began", () =>
    Effect.gen(function* () {
      const { begin, hidden, send, watched } = yield* serve({}, (app) => hideCallback(HttpMiddleware.tracer(app)))
      const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      const callback = yield* begin
      expect((yield* send(callback, { headers: { traceparent } })).status).toBe(303)
      yield* hidden
      const [outer, inner] = watched.servers().slice(-2)
      for (const span of [outer, inner]) expect(span?.attributes.get("url.query")).toMatch(/code=REDACTED/)
    })
  )

  it.live("lets other requests pass as they are", () =>
    Effect.gen(function* () {
      const own = HttpRouter.add("GET", "/login/callback", (request) =>
        Effect.succeed(HttpServerResponse.text(request.url))
      )
      const { send } = yield* serve({}, (app) => hideCallback(app), own)
      expect((yield* send("/login/callback?code=1&state=2")).text).toBe("/login/callback?code=1&state=2")
    })
  )
})
