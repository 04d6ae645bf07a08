/** Whatever way a client takes to the fake, it sees the same. */
import { createServer } from "node:http"
import { connect } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type * as FakeFault from "../src/fake/FakeFault.ts"
import * as FakeZapier from "../src/FakeZapier.ts"
import * as Flow from "./utils/flow.ts"
import { Client, ways } from "./utils/ways.ts"

const app = { name: "Acme", clientId: "id", clientSecret: "s3cret", redirectUris: [Flow.redirectUri] }

const fake = FakeZapier.layer({ apps: [app], settings: { onlyPartnersDeleteZaps: false } })

const authorization = Flow.basic(app.clientId, app.clientSecret)

const authorizationUrl = `https://api.zapier.com/v2/authorize?${new URLSearchParams({
  response_type: "code",
  client_id: app.clientId,
  redirect_uri: Flow.redirectUri,
  scope: "zap zap:delete",
  state: "xyz"
})}`

const send = (...sent: Parameters<Client["Service"]>) => Client.use((client) => client(...sent))

const token = (form: { readonly [name: string]: string }) =>
  send({ method: "POST", url: "https://zapier.com/oauth/token/", headers: { authorization }, form })

const json = Effect.fnUntraced(function* (sent: ReturnType<typeof token>) {
  return JSON.parse(yield* (yield* sent).text)
})

const connected = Effect.gen(function* () {
  const zapier = yield* FakeZapier.FakeZapier
  const code = new URL(yield* zapier.approve(authorizationUrl)).searchParams.get("code") ?? ""
  return yield* json(token({ grant_type: "authorization_code", code, redirect_uri: Flow.redirectUri }))
})

const categories = send({ url: "https://api.zapier.com/v1/categories" })

const inject = (...rules: ReadonlyArray<FakeFault.Rule>) =>
  FakeZapier.FakeZapier.use((zapier) => zapier.setFaults(rules))

/** Lets sockets and promises do what they are about to do, until so many requests have arrived. */
const arrived = Effect.fnUntraced(function* (count: number) {
  const zapier = yield* FakeZapier.FakeZapier
  const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  while ((yield* zapier.requests).length < count) yield* turn
  yield* turn
})

const lines = Effect.map(
  FakeZapier.FakeZapier.use((zapier) => zapier.requests),
  (requests) => requests.map(({ line }) => line.replace(/ .* -> /, " -> "))
)

describe.each(ways)("by %s", (_, way) => {
  const layer = Layer.provideMerge(way, fake)

  it.effect("a user is connected, called for, and refreshed, until the time is over", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      const { access_token, refresh_token } = yield* connected
      const call = (bearer: string) =>
        send({ url: "https://api.zapier.com/v2/zaps", headers: { authorization: `Bearer ${bearer}` } })
      assert.lengthOf((yield* json(call(access_token))).data, 3)
      const refreshed = yield* json(token({ grant_type: "refresh_token", refresh_token }))
      const dead = yield* call(access_token)
      assert.strictEqual(dead.status, 401)
      assert.match(dead.headers["www-authenticate"] ?? "", /error="invalid_token"/)
      assert.strictEqual((yield* call(refreshed.access_token)).status, 200)
      yield* zapier.advance("10 hours")
      assert.strictEqual((yield* call(refreshed.access_token)).status, 401)
    }).pipe(Effect.provide(layer))
  )

  it.effect("returns responses without a body, and follows no redirect", () =>
    Effect.gen(function* () {
      const { access_token } = yield* connected
      const headers = { authorization: `Bearer ${access_token}` }
      const zaps = yield* json(send({ url: "https://api.zapier.com/v2/zaps", headers }))
      const removed = yield* send({
        method: "DELETE",
        url: `https://api.zapier.com/v2/zaps/${zaps.data[0].id}`,
        headers
      })
      assert.deepStrictEqual([removed.status, yield* removed.text], [204, ""])
      const slash = yield* send({ method: "POST", url: "https://zapier.com/oauth/token", form: { a: "b" } })
      assert.deepStrictEqual([slash.status, slash.headers["location"]], [301, "/oauth/token/"])
    }).pipe(Effect.provide(layer))
  )

  it.effect.each<FakeFault.Fault>([
    { _tag: "RequestLost" },
    { _tag: "ResponseLost" },
    { _tag: "ConnectionReset" },
    { _tag: "ConnectionReset", afterActing: true }
  ])("%o breaks the connection, once", (fault) =>
    Effect.gen(function* () {
      yield* inject({ fault })
      const broken = yield* Effect.result(categories)
      assert.strictEqual(broken._tag, "Failure")
      assert.strictEqual((yield* categories).status, 200)
      const acted = fault._tag === "ResponseLost" || ("afterActing" in fault && fault.afterActing === true)
      assert.deepStrictEqual(yield* lines, [`GET -> ${acted ? 200 : "no response"} (${fault._tag})`, "GET -> 200"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("tokens of a lost response are issued, and are in the log", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      const { refresh_token } = yield* connected
      yield* inject({ fault: { _tag: "ResponseLost" }, match: { grantType: "refresh_token" } })
      yield* Effect.flip(token({ grant_type: "refresh_token", refresh_token }))
      const [, lost] = yield* zapier.issued
      assert.deepStrictEqual(lost?.origin, { _tag: "RefreshToken", refreshToken: refresh_token })
      assert.strictEqual((yield* zapier.requests).at(-1)?.issued, lost)
      assert.lengthOf(yield* zapier.tokenFamily(lost?.accessToken ?? ""), 2)
      // It was used, whatever the client knows of it.
      assert.strictEqual((yield* token({ grant_type: "refresh_token", refresh_token })).status, 400)
    }).pipe(Effect.provide(layer))
  )

  it.effect.each<FakeFault.Fault>([{ _tag: "RequestSilent" }, { _tag: "ResponseSilent" }])(
    "%o says nothing until the client gives up",
    (fault) =>
      Effect.gen(function* () {
        yield* inject({ fault })
        const waiting = yield* Effect.forkChild(Effect.timeoutOption(categories, "30 seconds"))
        yield* arrived(1)
        yield* TestClock.adjust("29 seconds")
        assert.isUndefined(waiting.pollUnsafe())
        yield* TestClock.adjust("1 second")
        assert.isTrue(Option.isNone(yield* Fiber.join(waiting)))
        assert.strictEqual((yield* categories).status, 200)
      }).pipe(Effect.provide(layer))
  )

  it.effect("ResponseSlow acts at once, and responds after its delay", () =>
    Effect.gen(function* () {
      yield* inject({ fault: { _tag: "ResponseSlow", millis: 10_000 } })
      const waiting = yield* Effect.forkChild(categories)
      yield* arrived(1)
      yield* TestClock.adjust("9999 millis")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { status, text } = yield* Fiber.join(waiting)
      assert.strictEqual(status, 200)
      assert.isArray(JSON.parse(yield* text).objects)
    }).pipe(Effect.provide(layer))
  )

  it.effect("ResponseSlow is given up by a client that has no patience", () =>
    Effect.gen(function* () {
      yield* inject({ fault: { _tag: "ResponseSlow", millis: 10_000 } })
      const waiting = yield* Effect.forkChild(Effect.timeoutOption(categories, "5 seconds"))
      yield* arrived(1)
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.join(waiting)))
    }).pipe(Effect.provide(layer))
  )

  it.effect("TruncatedBody is a response with a failing body", () =>
    Effect.gen(function* () {
      yield* inject({ fault: { _tag: "TruncatedBody", bytes: 20 } })
      // Some clients have the answer before its body, and some not.
      const read = yield* Effect.result(Effect.flatMap(categories, ({ text }) => text))
      assert.strictEqual(read._tag, "Failure")
      assert.deepStrictEqual(yield* lines, ["GET -> 200 (TruncatedBody)"])
      assert.strictEqual((yield* categories).status, 200)
    }).pipe(Effect.provide(layer))
  )

  it.effect("a malformed response arrives unchanged", () =>
    Effect.gen(function* () {
      yield* inject(
        { fault: { _tag: "MalformedJson" } },
        { fault: { _tag: "WrongContentType", contentType: "multipart/form-data" } },
        { fault: { _tag: "Unavailable", retryAfter: 7 } }
      )
      const malformed = yield* (yield* categories).text
      assert.throws(() => JSON.parse(malformed))
      const { headers, text } = yield* categories
      assert.strictEqual(headers["content-type"], "multipart/form-data")
      assert.isArray(JSON.parse(yield* text).objects)
      const unavailable = yield* categories
      assert.deepStrictEqual([unavailable.status, unavailable.headers["retry-after"]], [503, "7"])
    }).pipe(Effect.provide(layer))
  )
})

describe("on the socket", () => {
  const layer = FakeZapier.layerServer.pipe(
    Layer.provideMerge(fake),
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
  )

  // What comes of a request, and how it ends.
  const exchange = Effect.fnUntraced(function* () {
    const { address } = yield* HttpServer.HttpServer
    const { port, hostname } = new URL(HttpServer.formatAddress(address))
    return yield* Effect.callback<{ readonly received: string; readonly end: string }>((resume) => {
      const socket = connect(Number(port), hostname)
      let received = ""
      let end = "open"
      socket.setEncoding("utf8")
      socket.on("data", (chunk) => {
        received += chunk.toString()
      })
      socket.on("end", () => {
        end = "closed"
      })
      socket.on("error", (error) => {
        end = "code" in error ? String(error.code) : error.message
      })
      socket.on("close", () => resume(Effect.succeed({ received, end })))
      socket.write("GET /v1/categories HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
    })
  })

  it.effect("a server that ends closes waiting connections", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer, scope)
      yield* Effect.gen(function* () {
        yield* inject({ fault: { _tag: "RequestSilent" } })
        const waiting = yield* Effect.forkChild(exchange())
        yield* arrived(1)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* Fiber.join(waiting), { received: "", end: "closed" })
      }).pipe(Effect.provide(context))
    })
  )

  it.effect("a lost response closes the connection without data", () =>
    Effect.gen(function* () {
      yield* inject({ fault: { _tag: "ResponseLost" } })
      assert.deepStrictEqual(yield* exchange(), { received: "", end: "closed" })
    }).pipe(Effect.provide(layer))
  )

  it.effect("a reset is a reset", () =>
    Effect.gen(function* () {
      yield* inject({ fault: { _tag: "ConnectionReset" } })
      assert.deepStrictEqual(yield* exchange(), { received: "", end: "ECONNRESET" })
    }).pipe(Effect.provide(layer))
  )

  it.effect("a truncated body is shorter than its headers say", () =>
    Effect.gen(function* () {
      yield* inject({ fault: { _tag: "TruncatedBody", bytes: 20 } })
      const { end, received } = yield* exchange()
      const [head = "", body = ""] = received.split("\r\n\r\n")
      assert.match(head, /^HTTP\/1\.1 200 OK\r\n/)
      assert.isAbove(Number(/content-length: (\d+)/i.exec(head)?.[1]), 100)
      assert.strictEqual(body.length, 20)
      assert.strictEqual(end, "closed")
    }).pipe(Effect.provide(layer))
  )
})
