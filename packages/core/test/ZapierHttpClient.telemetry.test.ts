/** Spans and metrics of calls. */
import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as AuthMetrics from "../src/AuthMetrics.ts"
import * as Credential from "../src/zapier/Credential.ts"
import * as Endpoint from "../src/zapier/Endpoint.ts"
import * as ZapierApiClient from "../src/zapier/ZapierApiClient.ts"
import { ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import * as TestZapier from "./utils/TestZapier.ts"
import * as Spans from "./utils/Spans.ts"

const { respond, subject } = TestZapier

/** The spans and the counted calls, with their labels, of an effect. */
const told = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { spans, tracer } = Spans.recording()
    const registry = new Map()
    yield* effect.pipe(
      Effect.provideService(Tracer.Tracer, tracer),
      Effect.provideService(Metric.MetricRegistry, registry)
    )
    const snapshots = yield* Effect.provideService(Metric.snapshot, Metric.MetricRegistry, registry)
    const counted = snapshots
      .filter(({ id }) => id === AuthMetrics.calls.id)
      .map(({ attributes, state }) => ({ ...attributes, count: "count" in state ? state.count : undefined }))
    return { counted, spans, calls: spans.filter(({ name }) => name === "ZapierHttpClient.call") }
  })

const attributesOf = ({ attributes }: Tracer.NativeSpan) => Object.fromEntries(attributes)

const zaps = ZapierHttpClient.use((zapier) => zapier.call("GET /v2/zaps", { credential: Credential.user(subject) }))

describe("a call", () => {
  it.effect("has a span with its mode, endpoint and outcome, in which are those of its requests", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      const { calls, counted, spans } = yield* told(
        Effect.gen(function* () {
          const http = yield* ZapierHttpClient
          yield* zaps
          yield* http.call("GET /v1/apps", { credential: Credential.clientId })
          yield* http.as(Credential.app(["external"])).get("/v2/unheard/of")
          yield* http.as(Credential.none).get("/v2/zaps?limit=1")
        })
      )
      const expected = [
        { mode: "User", endpoint: "GET /v2/zaps", outcome: "2xx" },
        { mode: "ClientId", endpoint: "GET /v1/apps", outcome: "2xx" },
        { mode: "App", endpoint: "other", outcome: "2xx" },
        { mode: "None", endpoint: "GET /v2/zaps", outcome: "4xx" }
      ]
      expect(calls.map(attributesOf)).toMatchObject(expected)
      expect(counted).toEqual(expected.map(({ outcome: status, ...labels }) => ({ ...labels, status, count: 1 })))
      const requests = spans.filter(({ name }) => name === "GET")
      const parents = requests.map(({ parent }) => (parent._tag === "Some" ? parent.value.spanId : undefined))
      for (const { spanId } of calls) assert.include(parents, spanId)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("by the typed client has the endpoint's template, and no parameter of it", () => {
    const zapier = TestZapier.make()
    zapier.state.scope = "zap zap:delete"
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(respond(204, ""), respond(500, "oops"), respond(204, ""))
      const { calls, counted } = yield* told(
        Effect.gen(function* () {
          const { zaps } = yield* ZapierApiClient.make({ retry: { times: 1 } })
          yield* zaps.remove({ subject, params: { id: "4711" } })
          const fiber = yield* Effect.forkChild(zaps.remove({ subject, params: { id: "47/12" } }))
          yield* TestClock.adjust("1 minute")
          yield* Fiber.join(fiber)
        })
      )
      const removal = { mode: "User", endpoint: "DELETE /v2/zaps/{id}" }
      expect(calls.map(attributesOf)).toMatchObject([
        { ...removal, outcome: "2xx" },
        // Each attempt is a call of its own.
        { ...removal, outcome: "5xx" },
        { ...removal, outcome: "2xx" }
      ])
      expect(counted).toEqual([
        { ...removal, status: "2xx", count: 2 },
        { ...removal, status: "5xx", count: 1 }
      ])
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("is counted once, by its last result", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* zaps
      // The 401 leads to a refresh and a replay.
      zapier.state.accessTokens.clear()
      const replayed = yield* told(zaps)
      expect(replayed.calls.map(attributesOf)).toMatchObject([{ outcome: "2xx" }])
      expect(replayed.counted).toEqual([{ endpoint: "GET /v2/zaps", mode: "User", status: "2xx", count: 1 }])
      // The user has revoked the grant.
      zapier.state.accessTokens.clear()
      zapier.state.refreshTokens.clear()
      const none = [{ endpoint: "GET /v2/zaps", mode: "User", status: "none", count: 1 }]
      for (const call of [zaps, zaps]) {
        const refused = yield* told(Effect.flip(call))
        expect(refused.calls.map(attributesOf)).toMatchObject([{ outcome: "ReconnectRequired" }])
        expect(refused.counted).toEqual(none)
      }
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("that is refused before it is sent, lost or interrupted is one without a response", () => {
    const zapier = TestZapier.make((client) =>
      HttpClient.transform(client, (effect, request) => (request.url.endsWith("/v2/apps") ? Effect.never : effect))
    )
    return Effect.gen(function* () {
      const http = yield* ZapierHttpClient
      yield* TestZapier.connect(subject)
      const lacking = yield* told(
        Effect.flip(http.call("GET /v2/authentications", { credential: Credential.user(subject) }))
      )
      expect(lacking.calls.map(attributesOf)).toMatchObject([{ outcome: "InsufficientScope" }])
      expect(lacking.counted).toMatchObject([{ status: "none", count: 1 }])
      const interrupted = yield* told(
        Effect.gen(function* () {
          const call = http.as(Credential.user(subject)).get("/v2/apps")
          const fiber = yield* Effect.forkChild(call, { startImmediately: true })
          yield* TestZapier.tick
          yield* Fiber.interrupt(fiber)
        })
      )
      expect(interrupted.calls.map(attributesOf)).toMatchObject([{ outcome: "Interrupted" }])
      expect(interrupted.counted).toMatchObject([{ status: "none", count: 1 }])
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("that a filter rejects for its status is counted by the status", () => {
    const zapier = TestZapier.make(HttpClient.filterStatusOk)
    return Effect.gen(function* () {
      const http = yield* ZapierHttpClient
      const { calls, counted } = yield* told(Effect.flip(http.as(Credential.none).get("/v2/zaps")))
      expect(calls.map(attributesOf)).toMatchObject([{ outcome: "4xx" }])
      expect(counted).toMatchObject([{ mode: "None", status: "4xx", count: 1 }])
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("to an unknown path adds no label of its own, and users add none", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const http = yield* ZapierHttpClient
      const paths = Array.from({ length: 50 }, (_, index) => `/v2/unheard/${index}`)
      const { counted } = yield* told(
        Effect.forEach(paths, (path) => http.as(Credential.none).get(path), { discard: true })
      )
      expect(counted).toEqual([
        { endpoint: "other", mode: "None", status: expect.stringMatching(/^[24]xx$/), count: 50 }
      ])
      expect(Endpoint.names).not.toContain("other")
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("shows no subject and no credential", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect("gr4ce")
      zapier.nextToken(respond(400, { error: "invalid_grant" }))
      const http = yield* ZapierHttpClient
      const { calls, counted } = yield* told(
        Effect.gen(function* () {
          yield* http.call("GET /v2/zaps", { credential: Credential.user("gr4ce") })
          yield* http.forUser("gr4ce").get("/v1/apps")
          zapier.state.accessTokens.clear()
          yield* Effect.flip(http.call("GET /v2/zaps", { credential: Credential.user("gr4ce") }))
        })
      )
      assert.strictEqual(calls.length, 3)
      const all = JSON.stringify([counted, calls.map(({ attributes, events, name }) => [name, ...attributes, events])])
      assert.notMatch(all, /gr4ce|access-token|refresh-token|client-1/)
    }).pipe(Effect.provide(zapier.layer()))
  })
})
