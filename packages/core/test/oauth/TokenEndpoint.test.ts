import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as ClientApplication from "../../src/oauth/ClientApplication.ts"
import * as TokenExchange from "../../src/oauth/TokenExchange.ts"
import * as TokenEndpoint from "../../src/oauth/TokenEndpoint.ts"
import type * as TokenRequest from "../../src/oauth/TokenRequest.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { ApplicationUnavailable, InvalidConfig, ZapierAuthError } from "../../src/ZapierAuthError.ts"
import * as ZapierUrls from "../../src/zapier/ZapierUrls.ts"
import { tick } from "../utils/TestZapier.ts"

const requestTimeout = 20_000

// The clock of a test begins at 0.
const inTime: TokenEndpoint.Options = { until: 60_000, requestTimeout, retryFor: 0 }

const refresh: TokenRequest.TokenRequest = {
  _tag: "Refresh",
  refreshToken: Tokens.secret("r3fresh"),
  scopes: ["zap"]
}

const options: ClientApplication.Options = {
  clientId: "client-1",
  clientSecret: "s3cret",
  redirectUris: ["https://app.example/callback"]
}

const granted = () =>
  Response.json({ access_token: "acc3ss", expires_in: 3_600, token_type: "Bearer", refresh_token: "r3newed" })

const invalidClient = () => Response.json({ error: "invalid_client" }, { status: 401 })

interface Call {
  readonly url: string
  readonly init: RequestInit
}

/** The endpoint over a `fetch` that calls `respond`, and the requests that it received. */
const make = (
  respond: (call: Call, count: number) => Response | Promise<Response>,
  application: Layer.Layer<ClientApplication.ClientApplication> = ClientApplication.layer(options)
) => {
  const calls: Array<Call> = []
  const fetch = async (url: unknown, init: RequestInit = {}) => {
    const call = { url: String(url), init }
    calls.push(call)
    return respond(call, calls.length)
  }
  const layer = TokenEndpoint.layer.pipe(
    Layer.provide([
      application,
      FetchHttpClient.layer.pipe(Layer.provide(Layer.succeed(FetchHttpClient.Fetch, fetch as typeof globalThis.fetch)))
    ])
  )
  return { calls, layer }
}

const requestOf = (request: TokenRequest.TokenRequest, options: Partial<TokenEndpoint.Options> = {}) =>
  TokenEndpoint.TokenEndpoint.use((endpoint) => endpoint.request(request, { ...inTime, ...options }))

const request = requestOf(refresh)

const headersOf = (call: Call | undefined) => new Headers(call?.init.headers)

const transportError = (cause: unknown) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request: HttpClientRequest.post("https://zapier.example"), cause })
  })

describe("TokenEndpoint", () => {
  it.effect("posts to the configured URL and reads the response", () => {
    const { calls, layer } = make(granted)
    return Effect.gen(function* () {
      const outcome = yield* request
      expect(outcome._tag).toBe("Granted")
      expect(calls.map(({ init, url }) => [init.method, url])).toEqual([["POST", ZapierUrls.production.token]])
    }).pipe(Effect.provide(layer))
  })

  it.effect("never follows a redirect, and reads nothing from one", () => {
    const { calls, layer } = make(
      () => new Response(null, { status: 302, headers: { location: "https://elsewhere.example/" } })
    )
    return Effect.gen(function* () {
      expect(yield* request).toMatchObject({ _tag: "Malformed", status: 302 })
      expect(calls.map(({ init }) => init.redirect)).toEqual(["manual"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("keeps the program's options of fetch, except for redirects", () => {
    const { calls, layer } = make(granted)
    const requestInit = Layer.succeed(FetchHttpClient.RequestInit, { redirect: "follow", cache: "no-store" })
    return Effect.gen(function* () {
      yield* request
      expect(calls.map(({ init }) => [init.redirect, init.cache])).toEqual([["manual", "no-store"]])
    }).pipe(Effect.provide(Layer.provide(layer, requestInit)))
  })

  it.effect("sends Zapier no trace headers", () => {
    const { calls, layer } = make(granted)
    return Effect.gen(function* () {
      yield* Effect.withSpan(request, "outer")
      expect([...headersOf(calls[0]).keys()].toSorted()).toEqual(["accept", "authorization", "content-type"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("counts the life of a token from the start of its request", () => {
    const response = Promise.withResolvers<Response>()
    const { layer } = make(() => response.promise)
    return Effect.gen(function* () {
      yield* TestClock.setTime(1_000)
      const fiber = yield* Effect.forkChild(request, { startImmediately: true })
      yield* tick
      yield* TestClock.adjust(5_000)
      response.resolve(granted())
      expect(yield* Fiber.join(fiber)).toMatchObject({
        _tag: "Granted",
        tokens: { obtainedAt: 1_000, expiresAt: 3_601_000 }
      })
    }).pipe(Effect.provide(layer))
  })
})

describe("TokenEndpoint, without a response", () => {
  it.effect("listens until it is interrupted, and then lets go on the wire as well", () => {
    const { calls, layer } = make(() => new Promise<Response>(() => {}))
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(request, { startImmediately: true })
      yield* tick
      yield* TestClock.adjust("1 day")
      expect(fiber.pollUnsafe()).toBeUndefined()
      expect(calls[0]?.init.signal?.aborted).toBe(false)
      const exit = yield* Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber))
      expect(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)).toBe(true)
      expect(calls.map(({ init }) => init.signal?.aborted)).toEqual([true])
    }).pipe(Effect.provide(layer))
  })

  it.effect("reports an unknown outcome when the response breaks off", () => {
    const { layer } = make(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => {
              controller.enqueue(new TextEncoder().encode('{"access_token":"acc'))
              controller.error(new Error("reset"))
            }
          })
        )
    )
    return Effect.gen(function* () {
      expect(yield* request).toEqual({ _tag: "NoResponse" })
    }).pipe(Effect.provide(layer))
  })

  const coded = (code: string) => Object.assign(new Error("no"), { code })

  it.each([
    ["a refused connection", coded("ECONNREFUSED"), { _tag: "NotSent", code: "ECONNREFUSED" }],
    [
      "a name that does not resolve, inside fetch's error",
      new TypeError("fetch failed", { cause: coded("ENOTFOUND") }),
      { _tag: "NotSent", code: "ENOTFOUND" }
    ],
    [
      "a certificate that is not trusted",
      new TypeError("fetch failed", { cause: coded("DEPTH_ZERO_SELF_SIGNED_CERT") }),
      { _tag: "NotSent", code: "DEPTH_ZERO_SELF_SIGNED_CERT" }
    ],
    ["a reset connection", new TypeError("fetch failed", { cause: coded("ECONNRESET") }), { _tag: "NoResponse" }],
    ["an error without a code", new Error("no"), { _tag: "NoResponse" }],
    ["a cause that is no object", "no", { _tag: "NoResponse" }],
    ["a code that is no text", { code: 7 }, { _tag: "NoResponse" }]
  ])("tells requests that were not sent from those that may have arrived: %s", (_, cause, outcome) => {
    expect(TokenEndpoint.outcomeOfError(transportError(cause))).toEqual(outcome)
  })

  it("tells that a request which could not be made never left", () => {
    const request = HttpClientRequest.post("https://zapier.example")
    const reasons = [new HttpClientError.EncodeError({ request }), new HttpClientError.InvalidUrlError({ request })]
    expect(
      reasons.map((reason) => TokenEndpoint.outcomeOfError(new HttpClientError.HttpClientError({ reason })))
    ).toEqual([
      { _tag: "NotSent", code: "EncodeError" },
      { _tag: "NotSent", code: "InvalidUrlError" }
    ])
  })

  it("does not loop over a cause that holds itself", () => {
    const cause: { cause?: unknown } = {}
    cause.cause = cause
    expect(TokenEndpoint.outcomeOfError(transportError(cause))).toEqual({ _tag: "NoResponse" })
  })

  it.effect("reports an unknown outcome if the client throws, without showing the error", () => {
    const logged: Array<string> = []
    const logger = Logger.make(({ cause, message }) => void logged.push(inspect({ cause, message }, { depth: null })))
    const client = HttpClient.make((request) => Effect.die(new TypeError(`cannot send ${inspect(request)} r3fresh`)))
    const layer = TokenEndpoint.layer.pipe(
      Layer.provide([ClientApplication.layer(options), Layer.succeed(HttpClient.HttpClient, client)])
    )
    return Effect.gen(function* () {
      expect(yield* request).toEqual({ _tag: "NoResponse" })
      expect(logged).toHaveLength(1)
      expect(logged[0]).toContain("TypeError")
      expect(logged[0]).not.toContain("r3fresh")
    }).pipe(Effect.provide([layer, Logger.layer([logger])]))
  })

  it.effect("knows that nothing was sent to a URL that is none", () => {
    const { calls, layer } = make(granted)
    return Effect.gen(function* () {
      expect(yield* request).toEqual({ _tag: "NotSent", code: "InvalidUrlError" })
      expect(calls).toEqual([])
    }).pipe(
      Effect.provide(
        Layer.provide(layer, Layer.succeed(ZapierUrls.ZapierUrls, { ...ZapierUrls.production, token: "http://[" }))
      )
    )
  })
})

describe("TokenEndpoint, with a client that Zapier does not take", () => {
  const basicOf = (call: Call | undefined) => atob(headersOf(call).get("authorization")?.replace("Basic ", "") ?? "")

  it.effect("reads the application again and does not ask twice with the same", () => {
    let reads = 0
    const { calls, layer } = make(
      invalidClient,
      ClientApplication.layerEffect(
        Effect.sync(() => {
          reads++
          return { ...options, clientSecret: "s3cret" }
        })
      )
    )
    return Effect.gen(function* () {
      expect(yield* request).toEqual({ _tag: "InvalidClient" })
      expect([reads, calls.length]).toEqual([2, 1])
    }).pipe(Effect.provide(layer))
  })

  it.effect("asks once more with a secret that was regenerated", () => {
    let reads = 0
    const { calls, layer } = make(
      (_, count) => (count === 1 ? invalidClient() : granted()),
      ClientApplication.layerEffect(Effect.sync(() => ({ ...options, clientSecret: `s3cret-${++reads}` })))
    )
    return Effect.gen(function* () {
      expect((yield* request)._tag).toBe("Granted")
      expect(calls.map(basicOf)).toEqual(["client-1:s3cret-1", "client-1:s3cret-2"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("never asks a third time", () => {
    let reads = 0
    const { calls, layer } = make(
      invalidClient,
      ClientApplication.layerEffect(Effect.sync(() => ({ ...options, clientSecret: `s3cret-${++reads}` })))
    )
    return Effect.gen(function* () {
      expect(yield* request).toEqual({ _tag: "InvalidClient" })
      expect([reads, calls.length]).toEqual([2, 2])
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not ask twice when the second secret comes too late", () => {
    let reads = 0
    const { calls, layer } = make(
      invalidClient,
      ClientApplication.layerEffect(
        Effect.suspend(() => {
          const read = { ...options, clientSecret: `s3cret-${++reads}` }
          return reads === 1 ? Effect.succeed(read) : Effect.delay(Effect.succeed(read), "10 seconds")
        })
      )
    )
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(requestOf(refresh, { until: 10_000 }), { startImmediately: true })
      yield* tick
      yield* TestClock.adjust("10 seconds")
      // The first response is the outcome: something was sent.
      expect(yield* Fiber.join(fiber)).toEqual({ _tag: "InvalidClient" })
      expect([reads, calls.length]).toEqual([2, 1])
    }).pipe(Effect.provide(layer))
  })
})

describe("TokenEndpoint, with an application that cannot be read", () => {
  it.effect("tells why, and sends nothing", () => {
    const problem = new InvalidConfig({ setting: "clientSecret", problem: "the vault is sealed" })
    const { calls, layer } = make(granted, ClientApplication.layerEffect(Effect.fail(ZapierAuthError.make(problem))))
    return Effect.gen(function* () {
      expect(yield* requestOf(refresh, { retryFor: 5_000 })).toEqual({ _tag: "NotTried", reason: problem })
      expect(calls).toEqual([])
    }).pipe(Effect.provide(layer))
  })

  it.effect.each([
    { name: "never responds", read: Effect.never },
    { name: "never responds and cannot be interrupted", read: Effect.uninterruptible(Effect.never) }
  ])("a secret manager that $name is given up after requestTimeout, and nothing is sent", ({ read }) => {
    const { calls, layer } = make(granted, ClientApplication.layerEffect(read))
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(requestOf(refresh, { retryFor: 5_000 }), { startImmediately: true })
      yield* TestClock.adjust(requestTimeout - 1)
      expect(fiber.pollUnsafe()).toBeUndefined()
      yield* TestClock.adjust(1)
      const reason = new ApplicationUnavailable({ waited: Duration.millis(requestTimeout) })
      expect(yield* Fiber.join(fiber)).toEqual({ _tag: "NotTried", reason })
      expect(calls).toEqual([])
    }).pipe(Effect.provide(layer))
  })

  it.effect("ends the request if the secret manager throws, and names the error", () => {
    const logged: Array<string> = []
    const logger = Logger.make(({ cause, message }) => void logged.push(inspect({ cause, message }, { depth: null })))
    const { calls, layer } = make(granted, ClientApplication.layerEffect(Effect.die(new TypeError("s3cret"))))
    return Effect.gen(function* () {
      const reason = new ApplicationUnavailable({ waited: Duration.millis(requestTimeout) })
      expect(yield* request).toEqual({ _tag: "NotTried", reason })
      expect(calls).toEqual([])
      expect(logged).toHaveLength(1)
      expect(logged[0]).toContain("TypeError")
      expect(logged[0]).not.toContain("s3cret")
    }).pipe(Effect.provide([layer, Logger.layer([logger])]))
  })

  it.effect("a secret manager that stops responding after invalid_client is given up, and the refusal stands", () => {
    let reads = 0
    const { calls, layer } = make(
      invalidClient,
      ClientApplication.layerEffect(Effect.suspend(() => (++reads === 1 ? Effect.succeed(options) : Effect.never)))
    )
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(request, { startImmediately: true })
      yield* tick
      yield* TestClock.adjust(requestTimeout)
      expect(yield* Fiber.join(fiber)).toEqual({ _tag: "InvalidClient" })
      expect(calls.length).toBe(1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("interrupting the request interrupts the secret manager", () => {
    let isReading = false
    const read = Effect.onInterrupt(
      Effect.suspend(() => {
        isReading = true
        return Effect.never
      }),
      () => Effect.sync(() => void (isReading = false))
    )
    const { layer } = make(granted, ClientApplication.layerEffect(read))
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(request, { startImmediately: true })
      expect(isReading).toBe(true)
      yield* Fiber.interrupt(fiber)
      yield* tick
      expect(isReading).toBe(false)
    }).pipe(Effect.provide(layer))
  })
})

describe("TokenEndpoint, at the end of its time", () => {
  it.effect.each([
    { at: 59_999, sent: 1, outcome: "Granted" },
    { at: 60_000, sent: 0, outcome: "NotTried" },
    { at: 60_001, sent: 0, outcome: "NotTried" }
  ])("until 60000, at $at: $outcome", ({ at, outcome, sent }) => {
    const { calls, layer } = make(granted)
    return Effect.gen(function* () {
      yield* TestClock.adjust(at)
      expect((yield* request)._tag).toBe(outcome)
      expect(calls.length).toBe(sent)
    }).pipe(Effect.provide(layer))
  })

  it.effect("sends nothing when the secret came too late, and gives no reason: it may be tried anew", () => {
    const read = Effect.delay(Effect.succeed(options), "10 seconds")
    const { calls, layer } = make(granted, ClientApplication.layerEffect(read))
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(requestOf(refresh, { until: 10_000 }), { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(fiber)).toEqual({ _tag: "NotTried" })
      expect(calls).toEqual([])
    }).pipe(Effect.provide(layer))
  })

  // A clock of a machine whose process may have stood still: the time has passed, and no timer has gone off.
  const clockOf = (now: { wall: number; monotonic: number }): Clock.Clock => {
    const nanos = (millis: () => number) => () => BigInt(millis()) * 1_000_000n
    const wall = nanos(() => now.wall)
    const monotonic = nanos(() => now.monotonic)
    return {
      currentTimeMillisUnsafe: () => now.wall,
      currentTimeMillis: Effect.sync(() => now.wall),
      currentTimeNanosUnsafe: wall,
      currentTimeNanos: Effect.sync(wall),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: () => Effect.never
    }
  }

  it.effect("sends nothing any more when the process has stood still until its time was over", () => {
    const now = { wall: 0, monotonic: 0 }
    let reads = 0
    const application = (millis: number) =>
      ClientApplication.layerEffect(
        Effect.sync(() => {
          now.monotonic += millis
          return { ...options, clientSecret: `s3cret-${++reads}` }
        })
      )
    const reading = make(granted, application(60_000))
    const between = make(() => {
      now.monotonic += 60_000
      return invalidClient()
    }, application(0))
    return Effect.gen(function* () {
      expect(yield* Effect.provide(request, reading.layer)).toEqual({ _tag: "NotTried" })
      expect(reading.calls).toEqual([])
      now.monotonic = 0
      expect(yield* Effect.provide(request, between.layer)).toEqual({ _tag: "InvalidClient" })
      expect(between.calls.length).toBe(1)
    }).pipe(Effect.provideService(Clock.Clock, clockOf(now)))
  })

  it.effect("goes by the clock that never jumps", () => {
    const { calls, layer } = make(granted)
    return Effect.gen(function* () {
      expect(yield* request).toMatchObject({ _tag: "Granted", tokens: { obtainedAt: 1e12 } })
      expect(calls.length).toBe(1)
    }).pipe(Effect.provide(layer), Effect.provideService(Clock.Clock, clockOf({ wall: 1e12, monotonic: 0 })))
  })
})

describe("TokenEndpoint, again where that is safe", () => {
  const requests: { readonly [Tag in TokenRequest.TokenRequest["_tag"]]: TokenRequest.TokenRequest } = {
    AuthorizationCode: {
      _tag: "AuthorizationCode",
      code: Tokens.secret("c0de"),
      redirectUri: "https://app.example/callback",
      codeVerifier: undefined,
      scopes: ["zap"]
    },
    Refresh: refresh,
    ClientCredentials: { _tag: "ClientCredentials", scopes: ["zap"] },
    TokenExchange: TokenExchange.accessToken(Tokens.secret("a.signed.jwt"), []),
    ConnectToken: TokenExchange.connectToken(Tokens.secret("access"), "https://connect.example/to/app")
  }

  // The request never left, or its response was lost.
  const broken = (code: string) => Promise.reject(Object.assign(new Error("no"), { code }))
  const retryAfter = { "retry-after": "1" }
  const responses = {
    Granted: granted,
    NotSent: () => broken("ECONNREFUSED"),
    NoResponse: () => broken("ECONNRESET"),
    Unavailable: () => new Response(null, { status: 500 }),
    UnavailableFor: () => new Response(null, { status: 503, headers: retryAfter }),
    RateLimited: () => new Response(null, { status: 429, headers: retryAfter }),
    InvalidGrant: () => Response.json({ error: "invalid_grant" }, { status: 400 }),
    InvalidClient: invalidClient,
    Refused: () => Response.json({ error: "invalid_scope" }, { status: 400 }),
    Malformed: () => new Response("<html>")
  }

  /** What comes of a request whose every sending has the same response, and when each was sent. */
  const send = (
    request: TokenRequest.TokenRequest,
    response: keyof typeof responses,
    given: Partial<TokenEndpoint.Options> = {}
  ) =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const sent: Array<number> = []
      const { layer } = make(() => {
        sent.push(clock.currentTimeMillisUnsafe())
        return responses[response]()
      })
      const startedAt = clock.currentTimeMillisUnsafe()
      const fiber = yield* Effect.forkChild(
        Effect.provide(requestOf(request, { until: startedAt + 60_000, retryFor: 5_000, ...given }), layer),
        { startImmediately: true }
      )
      // Each response is a turn of the event loop, and each pause one of the clock.
      for (let seconds = 0; seconds < 30 && fiber.pollUnsafe() === undefined; seconds += 0.05) {
        yield* tick
        yield* TestClock.adjust(50)
      }
      return { outcome: yield* Fiber.join(fiber), sent }
    })

  it.effect.each(
    Object.keys(requests).flatMap((kind) =>
      Object.keys(responses).map((response) => ({ kind, response }))
    ) as ReadonlyArray<{ kind: keyof typeof requests; response: keyof typeof responses }>
  )("$kind, $response", ({ kind, response }) =>
    Effect.gen(function* () {
      const isSafe =
        response === "NotSent" ||
        (kind === "ClientCredentials" && (response === "NoResponse" || response === "Unavailable"))
      const { outcome, sent } = yield* send(requests[kind], response)
      expect(outcome._tag).toBe(response === "UnavailableFor" ? "Unavailable" : response)
      if (isSafe) expect(sent.length).toBeGreaterThan(2)
      else expect(sent.length).toBe(1)
    })
  )

  it.effect("waits longer each time, up to a limit", () =>
    Effect.gen(function* () {
      const { outcome, sent } = yield* send(refresh, "NotSent")
      expect(outcome).toEqual({ _tag: "NotSent", code: "ECONNREFUSED" })
      const pauses = sent.slice(1).map((at, index) => at - (sent[index] ?? 0))
      expect(pauses.length).toBeGreaterThanOrEqual(3)
      for (const [index, pause] of pauses.entries()) {
        // The clock of this test goes by 50 ms.
        expect(pause).toBeGreaterThanOrEqual(250 * 2 ** index * 0.8 - 50)
        expect(pause).toBeLessThanOrEqual(250 * 2 ** index * 1.2 + 51)
      }
      expect(sent.at(-1)).toBeLessThan(10_000)
    })
  )

  it.effect("does not try again when told not to", () =>
    Effect.gen(function* () {
      expect((yield* send(refresh, "NotSent", { retryFor: 0 })).sent).toEqual([0])
    })
  )

  it.effect("sends nothing at or after its deadline", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust(25_000)
      const { outcome, sent } = yield* send(refresh, "NotSent", { until: 27_000, retryFor: 60_000 })
      expect(sent[0]).toBe(25_000)
      expect(sent.length).toBeGreaterThan(1)
      for (const at of sent) expect(at).toBeLessThan(27_000)
      expect(outcome).toEqual({ _tag: "NotTried" })
    })
  )

  it.effect("reads the secret anew for each", () => {
    let reads = 0
    const { calls, layer } = make(
      (_, count) => (count === 1 ? responses.NotSent() : granted()),
      ClientApplication.layerEffect(Effect.sync(() => ({ ...options, clientSecret: `s3cret-${++reads}` })))
    )
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(requestOf(refresh, { retryFor: 5_000 }), { startImmediately: true })
      yield* tick
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(fiber))._tag).toBe("Granted")
      expect([reads, calls.length]).toEqual([2, 2])
    }).pipe(Effect.provide(layer))
  })
})

describe("TokenEndpoint, watched", () => {
  const collecting = (spans: Array<Tracer.NativeSpan>) =>
    Tracer.make({
      span: (spanOptions) => {
        const span = new Tracer.NativeSpan(spanOptions)
        spans.push(span)
        return span
      }
    })

  it.effect("makes spans with the request and its outcome, and no secret", () => {
    const spans: Array<Tracer.NativeSpan> = []
    const { layer } = make(granted)
    return Effect.gen(function* () {
      yield* Effect.withTracer(request, collecting(spans))
      const own = spans.find(({ name }) => name === "TokenEndpoint.request")
      expect(Object.fromEntries(own?.attributes ?? [])).toMatchObject({ grant: "Refresh", outcome: "Granted" })
      expect(spans.length).toBeGreaterThan(1)
      const shown = inspect(
        spans.map(({ attributes, events, name }) => ({ name, attributes, events })),
        { depth: 9 }
      )
      expect(shown).not.toMatch(/s3cret|r3fresh|r3newed|acc3ss/)
      expect(shown).not.toContain(btoa("client-1:s3cret"))
    }).pipe(Effect.provide(layer))
  })

  it.effect("takes any HttpClient", () => {
    const client = HttpClient.make((httpRequest) =>
      Effect.fail(
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.TransportError({ request: httpRequest, cause: coded })
        })
      )
    )
    const layer = TokenEndpoint.layer.pipe(
      Layer.provide([ClientApplication.layer(options), Layer.succeed(HttpClient.HttpClient, client)])
    )
    return Effect.gen(function* () {
      expect(yield* request).toEqual({ _tag: "NotSent", code: "EHOSTUNREACH" })
    }).pipe(Effect.provide(layer))
  })

  const coded = Object.assign(new Error("no route"), { code: "EHOSTUNREACH" })
})
