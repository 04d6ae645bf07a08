import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
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
import * as TokenEndpoint from "../../src/oauth/TokenEndpoint.ts"
import type * as TokenRequest from "../../src/oauth/TokenRequest.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { from, InvalidConfig } from "../../src/ZapierAuthError.ts"
import * as ZapierUrls from "../../src/zapier/ZapierUrls.ts"
import { tick } from "../utils/TestZapier.ts"

const timeout = 20_000

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

/** The endpoint over a `fetch` that answers as told, and what that was asked for. */
const make = (
  answer: (call: Call, count: number) => Response | Promise<Response>,
  application: Layer.Layer<ClientApplication.ClientApplication> = ClientApplication.layer(options)
) => {
  const calls: Array<Call> = []
  const fetch = async (url: unknown, init: RequestInit = {}) => {
    const call = { url: String(url), init }
    calls.push(call)
    return answer(call, calls.length)
  }
  const layer = TokenEndpoint.layer.pipe(
    Layer.provide([
      application,
      FetchHttpClient.layer.pipe(Layer.provide(Layer.succeed(FetchHttpClient.Fetch, fetch as typeof globalThis.fetch)))
    ])
  )
  return { calls, layer }
}

const request = Effect.flatMap(TokenEndpoint.TokenEndpoint, (endpoint) => endpoint.request(refresh, { timeout }))

const headersOf = (call: Call | undefined) => new Headers(call?.init.headers)

const transportError = (cause: unknown) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request: HttpClientRequest.post("https://zapier.example"), cause })
  })

describe("TokenEndpoint", () => {
  it.effect("posts to the configured URL and reads the answer", () => {
    const { calls, layer } = make(granted)
    return Effect.gen(function* () {
      const outcome = yield* request
      expect(outcome._tag).toBe("Granted")
      expect(calls.map(({ init, url }) => [init.method, url])).toEqual([["POST", ZapierUrls.production.token]])
    }).pipe(Effect.provide(layer))
  })

  it.effect("never follows a redirect, and takes one for an answer that says nothing", () => {
    const { calls, layer } = make(
      () => new Response(null, { status: 302, headers: { location: "https://elsewhere.example/" } })
    )
    return Effect.gen(function* () {
      expect(yield* request).toMatchObject({ _tag: "Malformed", status: 302 })
      expect(calls.map(({ init }) => init.redirect)).toEqual(["manual"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("keeps what a program says about fetch, but for redirects", () => {
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
    const answer = Promise.withResolvers<Response>()
    const { layer } = make(() => answer.promise)
    return Effect.gen(function* () {
      yield* TestClock.setTime(1_000)
      const fiber = yield* Effect.forkChild(request, { startImmediately: true })
      yield* tick
      yield* TestClock.adjust(5_000)
      answer.resolve(granted())
      expect(yield* Fiber.join(fiber)).toMatchObject({
        _tag: "Granted",
        tokens: { obtainedAt: 1_000, expiresAt: 3_601_000 }
      })
    }).pipe(Effect.provide(layer))
  })
})

describe("TokenEndpoint, without an answer", () => {
  it.effect("cuts a request off at the timeout, on the wire as well", () => {
    const { calls, layer } = make(() => new Promise<Response>(() => {}))
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(request, { startImmediately: true })
      yield* tick
      yield* TestClock.adjust(timeout - 1)
      expect(fiber.pollUnsafe()).toBeUndefined()
      expect(calls[0]?.init.signal?.aborted).toBe(false)
      yield* TestClock.adjust(1)
      expect(yield* Fiber.join(fiber)).toEqual({ _tag: "NoResponse" })
      expect(calls[0]?.init.signal?.aborted).toBe(true)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not know what came of a request whose answer breaks off", () => {
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
  ])("tells what never left from what may have arrived: %s", (_, cause, outcome) => {
    expect(TokenEndpoint.outcomeOfError(transportError(cause))).toEqual(outcome)
  })

  it("does not loop over a cause that holds itself", () => {
    const cause: { cause?: unknown } = {}
    cause.cause = cause
    expect(TokenEndpoint.outcomeOfError(transportError(cause))).toEqual({ _tag: "NoResponse" })
  })

  it.effect("does not know what came of a request whose client threw, and says so without what it threw", () => {
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

  it.effect("sends nothing any more when the process has stood still until its time was over", () => {
    // The time has passed, and the timer that would say so is still to go off.
    let now = 0
    const nanos = () => BigInt(now) * 1_000_000n
    const clock: Clock.Clock = {
      currentTimeMillisUnsafe: () => now,
      currentTimeMillis: Effect.sync(() => now),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: nanos,
      monotonicTimeNanos: Effect.sync(nanos),
      sleep: () => Effect.never
    }
    let reads = 0
    const application = (millis: number) =>
      ClientApplication.layerEffect(
        Effect.sync(() => {
          now += millis
          return { ...options, clientSecret: `s3cret-${++reads}` }
        })
      )
    const reading = make(granted, application(timeout))
    const between = make(() => {
      now += timeout
      return invalidClient()
    }, application(0))
    return Effect.gen(function* () {
      expect(yield* Effect.provide(request, reading.layer)).toEqual({ _tag: "NotSent", code: "no time left" })
      expect(reading.calls).toEqual([])
      expect(yield* Effect.provide(request, between.layer)).toEqual({ _tag: "InvalidClient" })
      expect(between.calls.length).toBe(1)
    }).pipe(Effect.provideService(Clock.Clock, clock))
  })

  it.effect("fails, and sends nothing, when the application cannot be read", () => {
    const problem = from(new InvalidConfig({ setting: "clientSecret", problem: "the vault is sealed" }))
    const { calls, layer } = make(granted, ClientApplication.layerEffect(Effect.fail(problem)))
    return Effect.gen(function* () {
      expect(yield* Effect.flip(request)).toBe(problem)
      expect(calls).toEqual([])
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

  it.effect("gives spans that say what was asked and what came of it, and no secret", () => {
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

  it.effect("can be interrupted", () => {
    const { calls, layer } = make(() => new Promise<Response>(() => {}))
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(request, { startImmediately: true })
      yield* tick
      const exit = yield* Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber))
      expect(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)).toBe(true)
      expect(calls[0]?.init.signal?.aborted).toBe(true)
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
