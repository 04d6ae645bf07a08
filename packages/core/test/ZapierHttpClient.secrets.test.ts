/** What a call gives back, fails with and is traced by holds no credential, whoever looks into it. */
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as Credential from "../src/zapier/Credential.ts"
import { ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import { leaks } from "./utils/Leaks.ts"
import * as TestZapier from "./utils/TestZapier.ts"
import * as Spans from "./utils/Spans.ts"

const { subject } = TestZapier

const secrets = new Map([
  ...[1, 2, 3].flatMap((n) => [
    [`access token ${n}`, `access-token-${n}`] as const,
    [`refresh token ${n}`, `refresh-token-${n}`] as const,
    [`code ${n}`, `code-${n}`] as const
  ]),
  ["client secret", "client-secret-1"],
  ["Basic", Buffer.from("client-1:client-secret-1").toString("base64")],
  ["own header", "0wn-cred3ntial"]
])

const hides = (value: unknown) => expect(leaks(value, secrets)).toEqual([])

const call = Effect.flatMap(ZapierHttpClient, (zapier) =>
  zapier.call("GET /v2/zaps", { credential: Credential.user(subject) })
)

const forUser = Effect.map(ZapierHttpClient, (zapier) => zapier.forUser(subject))

const failing =
  (cause: unknown): TestZapier.Script =>
  (request) =>
    Effect.fail(new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) }))

/** As libraries throw that keep the request beside the error. */
const talkative: TestZapier.Script = (request, usual) =>
  Effect.flatMap(Effect.sync(usual), () =>
    failing(
      Object.assign(new Error(`could not send ${request.headers["authorization"]}`), {
        code: "ECONNRESET",
        config: { headers: request.headers }
      })
    )(request, usual)
  )

const throwing: TestZapier.Script = (request) => Effect.die(Object.assign(new RangeError("a bug"), { request }))

const broken: TestZapier.Script = () =>
  Effect.sync(
    () =>
      new Response(
        new ReadableStream({
          start: (controller) => {
            controller.enqueue(new TextEncoder().encode("{"))
            controller.error(new TypeError("terminated"))
          }
        })
      )
  )

const bodies = [
  ["json", (response) => response.json],
  ["text of a broken body", (response) => response.text],
  ["stream", (response) => Stream.runDrain(response.stream)],
  ["arrayBuffer", (response) => response.arrayBuffer],
  ["formData", (response) => response.formData],
  ["urlParamsBody", (response) => response.urlParamsBody],
  ["upgrade", (response) => response.upgrade],
  ["schemaBodyJson", HttpClientResponse.schemaBodyJson(Schema.Struct({ data: Schema.String }))],
  ["schemaJson", HttpClientResponse.schemaJson(Schema.Struct({ body: Schema.Struct({ data: Schema.String }) }))],
  ["filterStatus", HttpClientResponse.filterStatus(() => false)]
] as const satisfies ReadonlyArray<
  readonly [string, (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<unknown, unknown>]
>

describe("A response", () => {
  it.effect("holds the caller's own request, and is read like any other", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.respond(200, { data: "a" }, { "set-cookie": "a=b", "x-a": "b" }))
      const response = yield* call
      hides(response)
      expect(response.request.url).toBe("https://api.zapier.com/v2/zaps")
      expect(response.request.headers).toMatchObject({ accept: "application/json" })
      expect([response.status, response.url, response.headers["x-a"]]).toEqual([
        200,
        "https://api.zapier.com/v2/zaps",
        "b"
      ])
      expect(Option.isNone(response.remoteAddress)).toBe(true)
      expect(Object.keys(response.cookies.cookies)).toEqual(["a"])
      expect(yield* response.json).toEqual({ data: "a" })
      expect(yield* response.text).toBe('{"data":"a"}')
      expect(HttpClientResponse.TypeId in response && HttpIncomingMessage.TypeId in response).toBe(true)
      expect(response.toJSON()).toMatchObject({ _id: "HttpClientResponse", status: 200 })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("is handed over as a `Response` where it is one", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      const web = Option.getOrThrow(HttpClientResponse.toWeb(yield* call))
      expect(yield* Effect.promise(() => web.json())).toEqual({ data: [] })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each(bodies)("fails without the credential: %s", ([, read]) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(broken)
      const response = yield* call
      const exit = yield* Effect.exit(read(response))
      expect(exit._tag).toBe("Failure")
      hides(exit)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      if (!HttpClientError.isHttpClientError(error)) return expect.unreachable("another error")
      expect(error.request).toBe(response.request)
      expect(error.response).toBe(response)
      hides(response)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("fails without showing the credential if its body is not JSON or has an unexpected shape", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.respond(200, "<html>"), TestZapier.respond(200, '{"data":1}'))
      hides(yield* Effect.flip(Effect.flatMap(call, ({ json }) => json)))
      hides(
        yield* Effect.flip(
          Effect.flatMap(call, HttpClientResponse.schemaBodyJson(Schema.Struct({ data: Schema.String })))
        )
      )
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("holds none after a replay, by the app's token, and where the caller gave one", () => {
    const zapier = TestZapier.make()
    zapier.state.scope = undefined
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.respond(401, {}))
      hides(yield* call)
      const client = yield* ZapierHttpClient
      hides(yield* client.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: "1" } }))
      const headers = { authorization: "Bearer 0wn-cred3ntial" }
      hides(yield* client.as(Credential.none).get("/v1/categories", { headers }))
      hides(yield* client.as(Credential.user(subject)).get("/v2/zaps", { headers }))
      expect(zapier.apiRequests.map(({ authorization }) => authorization)).toEqual([
        "Bearer access-token-1",
        "Bearer access-token-2",
        "Bearer access-token-3",
        "Bearer 0wn-cred3ntial",
        "Bearer access-token-2"
      ])
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("holds none in failures of filters over the client", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.respond(503, "{}"))
      const error = yield* Effect.flip(HttpClient.filterStatusOk(yield* forUser).get("/v2/zaps"))
      expect(error).toMatchObject({ reason: { _tag: "StatusCodeError", response: { status: 503 } } })
      hides(error)
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("A failure of the client below", () => {
  it.effect.each([
    ["the platform's", failing(Object.assign(new Error("ECONNRESET"), { code: "ECONNRESET" }))],
    ["one whose cause keeps the request", talkative],
    ["a defect that keeps the request", throwing],
    ["of the replay", (request, usual) => (usual(), talkative(request, usual))]
  ] as ReadonlyArray<readonly [string, TestZapier.Script]>)("holds no credential: %s", ([name, script]) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      if (name === "of the replay") zapier.nextApi(TestZapier.respond(401, {}))
      zapier.nextApi(script)
      const exit = yield* Effect.exit(call)
      expect(exit._tag).toBe("Failure")
      hides(exit)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("keeps a cause that holds none, and says the name and the code of one that does", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      const cause = new Error("why", { cause: new Error("deeper") })
      zapier.nextApi(failing(cause), talkative)
      expect(yield* Effect.flip(call)).toMatchObject({ reason: { cause } })
      const error = yield* Effect.flip(call)
      expect((error.reason as { readonly cause: unknown }).cause).toMatchObject({ name: "Error", code: "ECONNRESET" })
      hides(error)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("holds none where the client fails with the response", () => {
    const zapier = TestZapier.make(HttpClient.filterStatusOk)
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.respond(500, "no JSON"))
      const error = yield* Effect.flip(call)
      hides(error)
      if (!HttpClientError.isHttpClientError(error)) return expect.unreachable("another error")
      const { response } = error
      if (response === undefined) return expect.unreachable("no response")
      hides(yield* Effect.flip(response.json))
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("Spans", () => {
  const scripts: ReadonlyArray<readonly [string, ReadonlyArray<TestZapier.Script>, ReadonlyArray<TestZapier.Script>]> =
    [
      ["a success", [], []],
      ["a 404", [TestZapier.respond(404, {})], []],
      ["a 500", [TestZapier.respond(500, {})], []],
      ["a replay", [TestZapier.respond(401, {})], []],
      ["a transport error", [talkative], []],
      ["a transport error of the replay", [TestZapier.respond(401, {}), talkative], []],
      ["a defect", [throwing], []],
      ["a broken body", [broken], []],
      [
        "a refresh that is refused",
        [TestZapier.respond(401, {})],
        [TestZapier.respond(400, { error: "invalid_grant" })]
      ],
      ["a refresh that fails", [TestZapier.respond(401, {})], [TestZapier.respond(503, {})]],
      ["a refresh that is lost", [TestZapier.respond(401, {})], [talkative, talkative]],
      ["a refresh whose client throws", [TestZapier.respond(401, {})], [throwing]]
    ]

  it.effect.each(scripts)("hold no credential: %s", ([, api, token]) => {
    const zapier = TestZapier.make()
    const { spans, tracer } = Spans.recording()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(...api)
      zapier.nextToken(...token)
      const json = Effect.withSpan(
        Effect.flatMap(call, (response) => response.json),
        "the app's own"
      )
      hides(yield* Effect.exit(json))
      expect(spans.some(({ kind }) => kind === "client")).toBe(true)
      for (const { attributes, events, name, status } of spans) hides([name, attributes, events, status])
    }).pipe(
      Effect.provide(zapier.layer()),
      Effect.provideService(Tracer.Tracer, tracer),
      // All headers, and no name of one that is to be hidden.
      Effect.provideService(HttpClient.TracerHeaderFilter, () => true),
      Effect.provideService(Headers.CurrentRedactedNames, [])
    )
  })

  it.effect("hold none when the call is interrupted", () => {
    const zapier = TestZapier.make()
    const { spans, tracer } = Spans.recording()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.silent, TestZapier.silent)
      const fiber = yield* Effect.forkChild(call, { startImmediately: true })
      hides(yield* Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber)))
      const timed = yield* Effect.forkChild(Effect.timeout(call, "1 second"), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      hides(yield* Fiber.await(timed))
      for (const { attributes, events, name, status } of spans) hides([name, attributes, events, status])
    }).pipe(Effect.provide(zapier.layer()), Effect.provideService(Tracer.Tracer, tracer))
  })

  it.effect("may be one and the same, which is changed once", () => {
    const zapier = TestZapier.make()
    const exits: Array<unknown> = []
    let depth = 0
    const only: Tracer.Span = Object.assign(
      new Tracer.NativeSpan({
        name: "only",
        parent: Option.none(),
        annotations: Context.empty(),
        links: [],
        startTime: 0n,
        kind: "internal",
        sampled: true
      }),
      {
        end: (_: bigint, exit: unknown) => {
          depth = Math.max(depth, (new Error("how deep").stack ?? "").split("quietTracer").length)
          exits.push(exit)
        }
      }
    )
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      for (const _ of [1, 2, 3]) {
        zapier.nextApi(talkative)
        yield* Effect.exit(call)
      }
      hides(exits)
      expect([exits.length > 3, depth]).toEqual([true, 2])
    }).pipe(Effect.provide(zapier.layer()), Effect.provideService(Tracer.Tracer, Tracer.make({ span: () => only })))
  })

  it.effect("end with the result of the request", () => {
    const zapier = TestZapier.make()
    const { spans, tracer } = Spans.recording()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.respond(500, {}))
      yield* call
      const span = spans.findLast(({ kind }) => kind === "client")
      expect(span?.attributes.get("http.response.status_code")).toBe(500)
      if (span?.status._tag !== "Ended" || Exit.isSuccess(span.status.exit)) return expect.unreachable("no failure")
      expect(Cause.squash(span.status.exit.cause)).toMatchObject({
        _tag: "HttpClientError",
        message: "StatusCode error (500 GET https://api.zapier.com/v2/zaps)"
      })
    }).pipe(Effect.provide(zapier.layer()), Effect.provideService(Tracer.Tracer, tracer))
  })
})
