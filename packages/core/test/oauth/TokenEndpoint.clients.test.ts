import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as ClientApplication from "../../src/oauth/ClientApplication.ts"
import * as TokenEndpoint from "../../src/oauth/TokenEndpoint.ts"
import type * as TokenRequest from "../../src/oauth/TokenRequest.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import * as Spans from "../utils/Spans.ts"

const code: TokenRequest.TokenRequest = {
  _tag: "AuthorizationCode",
  code: Tokens.secret("c0de"),
  redirectUri: "https://app.example/callback",
  codeVerifier: undefined,
  scopes: ["zap"]
}

const application: ClientApplication.Options = {
  clientId: "client-1",
  clientSecret: "s3cret",
  redirectUris: ["https://app.example/callback"]
}

const failing = (properties: object) => (request: HttpClientRequest.HttpClientRequest) =>
  Effect.fail(
    new HttpClientError.HttpClientError({
      reason: new HttpClientError.TransportError({ request, cause: Object.assign(new Error("no"), properties) })
    })
  )

type Reply = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

const reply =
  (make: () => Response): Reply =>
  (request) =>
    Effect.sync(() => HttpClientResponse.fromWeb(request, make()))

const granted = reply(() => Response.json({ access_token: "acc3ss", token_type: "Bearer", refresh_token: "r3fresh" }))
const invalidGrant = reply(() => Response.json({ error: "invalid_grant" }, { status: 400 }))
const invalidClient = reply(() => Response.json({ error: "invalid_client" }, { status: 401 }))
const unavailable = reply(() => new Response("{}", { status: 503, headers: { "retry-after": "7" } }))
const limited = reply(() => new Response("{}", { status: 429, headers: { "retry-after": "7" } }))
const moved = (status: number) =>
  reply(() => new Response(null, { status, headers: { location: "https://elsewhere.example/token" } }))
const lost = failing({ code: "ECONNRESET", syscall: "read" })
const refused = failing({ code: "ECONNREFUSED", syscall: "connect" })

type Wrap = (client: HttpClient.HttpClient) => HttpClient.HttpClient

/** What comes of a token request over a client of the user's, what was sent, and what was logged. */
const over = (wrap: Wrap, replies: ReadonlyArray<Reply>, times = 1) =>
  Effect.gen(function* () {
    const sent: Array<HttpClientRequest.HttpClientRequest> = []
    const logged: Array<string> = []
    const inner = HttpClient.make((request) => {
      sent.push(request)
      return (replies[sent.length - 1] ?? replies.at(-1) ?? granted)(request)
    })
    const layer = TokenEndpoint.layer.pipe(
      Layer.provide([ClientApplication.layer(application), Layer.succeed(HttpClient.HttpClient, wrap(inner))])
    )
    const request = TokenEndpoint.TokenEndpoint.use((endpoint) =>
      endpoint.request(code, { until: 1e9, requestTimeout: 20_000, retryFor: 0 })
    )
    const logger = Logger.make(({ message }) => void logged.push(String(message)))
    const fiber = yield* Effect.forkChild(
      Effect.replicateEffect(request, times).pipe(Effect.provide([layer, Logger.layer([logger])])),
      { startImmediately: true }
    )
    yield* TestClock.adjust("1 hour")
    const outcomes = yield* Fiber.join(fiber)
    return { outcome: outcomes[0], sent, logged }
  })

describe("TokenEndpoint, over a client that fails for a status", () => {
  const filters: ReadonlyArray<readonly [name: string, wrap: Wrap]> = [
    ["filterStatusOk", HttpClient.filterStatusOk],
    ["filterStatus", HttpClient.filterStatus((status) => status < 300)],
    [
      "filterOrFail",
      HttpClient.filterOrFail(
        ({ status }) => status < 400,
        (response) =>
          new HttpClientError.HttpClientError({
            reason: new HttpClientError.StatusCodeError({ request: response.request, response })
          })
      )
    ],
    [
      "transformResponse, which decodes",
      HttpClient.transformResponse(
        Effect.tap((response) =>
          Effect.andThen(
            response.json,
            Effect.fail(
              new HttpClientError.HttpClientError({
                reason: new HttpClientError.DecodeError({ request: response.request, response })
              })
            )
          )
        )
      )
    ]
  ]

  it.effect.each(filters)("%s: the response is still read", ([, wrap]) =>
    Effect.gen(function* () {
      expect((yield* over(wrap, [invalidGrant])).outcome).toEqual({ _tag: "InvalidGrant" })
      expect((yield* over(wrap, [invalidClient])).outcome).toEqual({ _tag: "InvalidClient" })
      expect((yield* over(wrap, [unavailable])).outcome).toEqual({
        _tag: "Unavailable",
        status: 503,
        retryAfter: 7_000
      })
      expect((yield* over(wrap, [limited])).outcome).toEqual({ _tag: "RateLimited", retryAfter: 7_000 })
      expect((yield* over(wrap, [granted])).outcome?._tag).toBe("Granted")
    })
  )

  it.effect("by itself, below all filters: the response is read all the same", () =>
    Effect.gen(function* () {
      const failed =
        (reply: Reply): Reply =>
        (request) =>
          Effect.flatMap(reply(request), (response) =>
            Effect.fail(
              new HttpClientError.HttpClientError({
                reason: new HttpClientError.StatusCodeError({ request, response })
              })
            )
          )
      const plain: Wrap = (client) => client
      expect((yield* over(plain, [failed(unavailable)])).outcome).toMatchObject({ status: 503, retryAfter: 7_000 })
      expect((yield* over(plain, [failed(moved(302))])).outcome).toMatchObject({ _tag: "Malformed", status: 302 })
      expect((yield* over(plain, [failed(invalidGrant)])).outcome).toEqual({ _tag: "InvalidGrant" })
    })
  )

  it.effect("a body that the client has read already is read again", () =>
    Effect.gen(function* () {
      const wrap = HttpClient.tap((response) => response.arrayBuffer)
      expect((yield* over(wrap, [granted])).outcome?._tag).toBe("Granted")
      expect((yield* over(wrap, [invalidGrant])).outcome).toEqual({ _tag: "InvalidGrant" })
    })
  )

  it.effect("a body that the client has used up is none", () =>
    Effect.gen(function* () {
      const wrap = HttpClient.tap((response) => Stream.runDrain(response.stream))
      const { outcome } = yield* over(wrap, [granted])
      expect(outcome).toMatchObject({ _tag: "Malformed", status: 200 })
    })
  )

  it.effect("a status that decides alone needs no body", () =>
    Effect.gen(function* () {
      const broken = (status: number) =>
        reply(() => new Response(new ReadableStream({ start: (body) => body.error(new Error("cut")) }), { status }))
      expect((yield* over((client) => client, [broken(503)])).outcome).toMatchObject({ _tag: "Unavailable" })
      expect((yield* over((client) => client, [broken(429)])).outcome).toMatchObject({ _tag: "RateLimited" })
      expect((yield* over((client) => client, [broken(200)])).outcome).toEqual({ _tag: "NoResponse" })
      expect((yield* over((client) => client, [broken(401)])).outcome).toEqual({ _tag: "NoResponse" })
    })
  )

  it.effect("a client that fails with an error of its own leaves the outcome unknown", () =>
    Effect.gen(function* () {
      const wrap = HttpClient.transformResponse(() => Effect.fail("mine")) as unknown as Wrap
      expect((yield* over(wrap, [granted])).outcome).toEqual({ _tag: "NoResponse" })
    })
  )
})

describe("TokenEndpoint, over a client that retries", () => {
  const limiter = RateLimiter.make.pipe(Effect.provide(RateLimiter.layerStoreMemory))
  const retries = { times: 3, schedule: Schedule.spaced("1 second") }

  const retryTransient: Wrap = (client) => HttpClient.retryTransient(client, retries)

  const clients: ReadonlyArray<readonly [name: string, wrap: Wrap]> = [
    ["retryTransient", retryTransient],
    ["retry", HttpClient.retry(retries)],
    ["retry of failed statuses", (client) => HttpClient.retry(HttpClient.filterStatusOk(client), retries)],
    [
      "retryTransient below other layers",
      (client) =>
        client.pipe(
          HttpClient.retryTransient(retries),
          HttpClient.transform((effect) => effect),
          HttpClient.followRedirects(),
          HttpClient.mapRequest(HttpClientRequest.setHeader("x-app", "acme"))
        )
    ],
    ["a loop of the user's own", HttpClient.transformResponse(Effect.retry({ times: 3 }))]
  ]

  it.effect.each(clients)("%s: a code is sent once, and a warning says why", ([, wrap]) =>
    Effect.gen(function* () {
      const { logged, outcome, sent } = yield* over(wrap, [lost, granted])
      expect(sent).toHaveLength(1)
      expect(outcome).toEqual({ _tag: "NoResponse" })
      expect(logged).toHaveLength(1)
      expect(logged[0]).toContain("Pass an HttpClient without")
      expect(logged[0]).not.toMatch(/c0de|s3cret/)
    })
  )

  it.effect.each(clients)("%s: a request that was certainly not sent may be sent again", ([, wrap]) =>
    Effect.gen(function* () {
      const { logged, outcome, sent } = yield* over(wrap, [refused, refused, granted])
      expect(sent).toHaveLength(3)
      expect(outcome?._tag).toBe("Granted")
      expect(logged).toEqual([])
      const again = yield* over(wrap, [refused, lost, granted])
      expect(again.sent).toHaveLength(2)
      expect(again.outcome).toEqual({ _tag: "NoResponse" })
    })
  )

  it.effect("the first response counts, and not the one that was asked for again", () =>
    Effect.gen(function* () {
      const { outcome, sent } = yield* over(retryTransient, [unavailable, granted])
      expect(sent).toHaveLength(1)
      expect(outcome).toEqual({ _tag: "Unavailable", status: 503, retryAfter: 7_000 })
    })
  )

  it.effect("a time limit of the client leaves the outcome unknown, and is no reason to send again", () =>
    Effect.gen(function* () {
      const patience = (client: HttpClient.HttpClient) =>
        HttpClient.transformResponse(client, (response) =>
          Effect.retry(Effect.timeout(response, "5 seconds"), { times: 3 })
        )
      const wrap = patience as unknown as Wrap
      const { logged, outcome, sent } = yield* over(wrap, [() => Effect.never, granted])
      expect(sent).toHaveLength(1)
      expect(outcome).toEqual({ _tag: "NoResponse" })
      expect(logged).toHaveLength(1)
    })
  )

  it.effect("a rate limiter of the client passes a 429 on to the library", () =>
    Effect.gen(function* () {
      const options = { limiter: yield* limiter, window: "1 minute", limit: 60, key: "zapier" } as const
      const wrap = HttpClient.withRateLimiter(options) as unknown as Wrap
      const { outcome, sent } = yield* over(wrap, [limited, granted])
      expect(sent).toHaveLength(1)
      expect(outcome).toEqual({ _tag: "RateLimited", retryAfter: 7_000 })
      expect((yield* over(wrap, [granted])).outcome?._tag).toBe("Granted")
    })
  )

  it.effect.each([301, 302, 303, 307, 308])("a credential does not follow a redirect with %s", (status) =>
    Effect.gen(function* () {
      for (const elsewhere of [granted, invalidGrant]) {
        const wrap: Wrap = (client) => HttpClient.filterStatusOk(HttpClient.followRedirects(client))
        const { outcome, sent } = yield* over(wrap, [moved(status), elsewhere])
        expect(sent.filter(({ body, headers }) => body._tag !== "Empty" || "authorization" in headers)).toHaveLength(1)
        expect(outcome).toMatchObject({ _tag: "Malformed", status })
      }
    })
  )

  it.effect("is warned of once", () =>
    Effect.gen(function* () {
      const { logged, sent } = yield* over((client) => HttpClient.retry(client, { times: 1 }), [lost], 3)
      expect(sent).toHaveLength(3)
      expect(logged).toHaveLength(1)
    })
  )

  it.effect("is stopped without tracing as well", () =>
    Effect.gen(function* () {
      const untraced = yield* Effect.provideService(
        over(retryTransient, [lost, granted]),
        Tracer.DisablePropagation,
        true
      )
      expect(untraced.sent).toHaveLength(1)
      expect(untraced.outcome).toEqual({ _tag: "NoResponse" })
      const unseen = yield* Effect.provideService(
        over(retryTransient, [lost, granted]),
        HttpClient.TracerDisabledWhen,
        () => true
      )
      expect(unseen.sent).toHaveLength(1)
      expect(unseen.outcome).toEqual({ _tag: "NoResponse" })
    })
  )
})

describe("TokenEndpoint, over a client that does more", () => {
  it.effect("other requests on the way are not counted", () =>
    Effect.gen(function* () {
      const paths: Array<string> = []
      const wrap: Wrap = (client) =>
        HttpClient.mapRequestEffect(client, (request) =>
          Effect.as(
            Effect.ignore(
              HttpClient.make((ping) => {
                paths.push(ping.url)
                return granted(ping)
              }).get("https://sidecar.example/")
            ),
            HttpClientRequest.setHeader(request, "x-app", "acme")
          )
        )
      const { outcome, sent } = yield* over(wrap, [granted])
      expect(paths).toEqual(["https://sidecar.example/"])
      expect(sent.map(({ headers }) => headers["x-app"])).toEqual(["acme"])
      expect(outcome?._tag).toBe("Granted")
    })
  )

  it.effect("spans name each attempt", () =>
    Effect.gen(function* () {
      const { spans, tracer } = Spans.recording()
      yield* Effect.withTracer(
        over((client) => HttpClient.retryTransient(client, { times: 1 }), [lost]),
        tracer
      )
      const attempts = spans.filter(({ name }) => name === "TokenEndpoint.attempt")
      expect(attempts.map(({ attributes }) => Object.fromEntries(attributes))).toEqual([
        { attempt: 1, repetition: "refused" }
      ])
      expect(spans.find(({ name }) => name === "TokenEndpoint.request")?.attributes.get("attempts")).toBe(1)
    })
  )
})
