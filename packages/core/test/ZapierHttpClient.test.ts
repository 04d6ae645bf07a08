import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"
import * as Credential from "../src/zapier/Credential.ts"
import * as Endpoint from "../src/zapier/Endpoint.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { isZapierAuthError } from "../src/ZapierAuthError.ts"
import { type CallOptions, ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import * as ZapierUrls from "../src/zapier/ZapierUrls.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const subject = "user-1"
const asUser = Credential.user(subject)

const reasonOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => (isZapierAuthError(error) ? error.reason._tag : "other"))

const setting = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) =>
    isZapierAuthError(error) && error.reason._tag === "InvalidConfig" ? error.reason.setting : "other"
  )

describe("ZapierHttpClient", () => {
  describe("picks the credential", () => {
    it.effect("off the endpoint table: the user's token, the app's, the client id, or none", () => {
      const zapier = TestZapier.make()
      zapier.state.scope = undefined
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        const client = (yield* ZapierHttpClient).forUser(subject)
        yield* client.get("/v2/zaps")
        yield* client.del("/v2/promotions/1")
        yield* client.get("/v1/apps?category=crm")
        yield* client.get("/v1/categories")
        assert.deepStrictEqual(
          zapier.apiRequests.map(({ authorization, url }) => [authorization, url.search]),
          [
            ["Bearer access-token-1", ""],
            ["Bearer access-token-2", ""],
            [undefined, "?category=crm&client_id=client-1"],
            [undefined, ""]
          ]
        )
        assert.strictEqual(zapier.tokenRequests[1]?.form.get("scope"), "promotions:write")
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect("as the caller says, also for endpoints that are not in the table", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        const client = yield* ZapierHttpClient
        yield* client.as(asUser).get("/v3/unheard-of")
        yield* client.as(Credential.app(["x"])).get("/v3/unheard-of")
        yield* client.as(Credential.clientId).get("/v3/unheard-of")
        assert.deepStrictEqual(
          zapier.apiRequests.map(({ authorization, url }) => authorization ?? url.search),
          ["Bearer access-token-1", "Bearer access-token-2", "?client_id=client-1"]
        )
        assert.strictEqual(yield* setting(client.forUser(subject).get("/v3/unheard-of")), "credential")
        assert.strictEqual(zapier.apiRequests.length, 3)
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect("and replaces a client id or a token that the caller left in the request", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        const client = yield* ZapierHttpClient
        yield* client.as(Credential.clientId).get("/v1/apps?client_id=other&page=2")
        yield* client.as(asUser).get("/v2/zaps", { headers: { authorization: "Bearer other" } })
        assert.deepStrictEqual(zapier.apiRequests[0]?.url.searchParams.getAll("client_id"), ["client-1"])
        assert.strictEqual(zapier.apiRequests[1]?.authorization, "Bearer access-token-1")
      }).pipe(Effect.provide(zapier.layer()))
    })
  })

  describe("call", () => {
    it.effect("fills path parameters in, encoded", () => {
      const zapier = TestZapier.make()
      zapier.state.scope = undefined
      return Effect.gen(function* () {
        const client = yield* ZapierHttpClient
        yield* client.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: "a/b?c#d é" } })
        assert.strictEqual(zapier.apiRequests[0]?.url.pathname, "/v2/promotions/a%2Fb%3Fc%23d%20%C3%A9")
        for (const enrollment_id of ["", ".", ".."]) {
          const call = client.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id } })
          assert.strictEqual(yield* setting(call), "path.enrollment_id")
        }
        assert.strictEqual(zapier.apiRequests.length, 1)
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect.prop("reaches its endpoint for any path parameters", [Schema.NonEmptyString], ([id]) => {
      const zapier = TestZapier.make()
      zapier.state.scope = undefined
      return Effect.gen(function* () {
        const client = yield* ZapierHttpClient
        const call = yield* Effect.result(
          client.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: id } })
        )
        const sent = zapier.apiRequests[0]
        if (Result.isFailure(call)) return assert.isUndefined(sent)
        assert.strictEqual(
          sent && Endpoint.match(sent.method, sent.url.pathname),
          "DELETE /v2/promotions/{enrollment_id}"
        )
        assert.strictEqual(decodeURIComponent(sent?.url.pathname.split("/").at(-1) ?? ""), id)
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect("sends json as a body of that type, which can be sent again after a 401", () => {
      const bodies: Array<unknown> = []
      const zapier = TestZapier.make(
        HttpClient.mapRequest((request) => {
          const { body } = request
          if (body._tag === "Uint8Array" && body.contentType === "application/json") {
            bodies.push(JSON.parse(new TextDecoder().decode(body.body)))
          }
          return request
        })
      )
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        const client = yield* ZapierHttpClient
        zapier.state.accessTokens.clear()
        const json = { data: { title: "é", steps: [] } }
        const { status } = yield* client.call("POST /v2/zaps", { credential: asUser, json })
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(bodies, [json, json])
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect("sends query, headers and body", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        const client = yield* ZapierHttpClient
        yield* client.call("POST /v2/zaps", {
          credential: asUser,
          urlParams: { expand: "steps" },
          body: HttpBody.urlParams({ title: "A Zap" })
        })
        const [sent] = zapier.apiRequests
        assert.deepStrictEqual(
          [sent?.method, sent?.url.search, sent?.form.get("title")],
          ["POST", "?expand=steps", "A Zap"]
        )
      }).pipe(Effect.provide(zapier.layer()))
    })

    it("does not compile with a credential that does not reach the endpoint", () => {
      const user: Credential.For<"GET /v2/zaps"> = asUser
      const either: ReadonlyArray<Credential.For<"GET /v2/apps">> = [asUser, Credential.clientId]
      const any: ReadonlyArray<Credential.For<"GET /v1/categories">> = [asUser, Credential.clientId, Credential.none]
      // @ts-expect-error the app's own token does not reach a user's Zaps
      const app: Credential.For<"GET /v2/zaps"> = Credential.app()
      // @ts-expect-error a user's token does not delete an enrollment
      const promotions: Credential.For<"DELETE /v2/promotions/{enrollment_id}"> = asUser
      // @ts-expect-error a user has to be named
      const missing: CallOptions<"GET /v2/zaps"> = {}
      // @ts-expect-error a path parameter has to be given
      const path: CallOptions<"DELETE /v2/promotions/{enrollment_id}"> = {}
      // @ts-expect-error there is no such path parameter
      const wrongPath: CallOptions<"DELETE /v2/zaps/{id}"> = { credential: asUser, path: { zap: "1" } }
      assert.strictEqual([user, either, any, app, promotions, missing, path, wrongPath].length, 8)
    })
  })

  describe("401", () => {
    it.effect("leads to one refresh and one replay with the same method, query and body", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        zapier.state.accessTokens.clear()
        const client = yield* ZapierHttpClient
        const response = yield* client.call("POST /v2/zaps", {
          credential: asUser,
          urlParams: { a: "1" },
          body: HttpBody.urlParams({ title: "A Zap" })
        })
        assert.strictEqual(response.status, 200)
        assert.strictEqual(zapier.tokenRequests.length, 2)
        const [first, second, ...more] = zapier.apiRequests
        assert.deepStrictEqual(more, [])
        assert.deepStrictEqual({ ...second, form: [...(second?.form ?? [])], url: second?.url.href }, {
          ...first,
          authorization: "Bearer access-token-2",
          form: [["title", "A Zap"]],
          url: first?.url.href
        } as never)
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect("that survives a fresh token is returned as it is", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        zapier.nextApi(TestZapier.respond(401, "first"), TestZapier.respond(401, "second"))
        const client = yield* ZapierHttpClient
        const response = yield* client.call("GET /v2/zaps", { credential: asUser })
        assert.deepStrictEqual([response.status, yield* response.text], [401, "second"])
        assert.strictEqual(zapier.tokenRequests.length, 2)
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect("of a token that was replaced meanwhile replays without a refresh", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        const auth = yield* ZapierAuth
        const client = yield* ZapierHttpClient
        // Another caller renews the token before the first response arrives.
        zapier.nextApi(() =>
          Effect.as(
            Effect.orDie(Effect.flatMap(auth.accessToken(subject), (old) => auth.accessTokenRejected(subject, old))),
            new Response("", { status: 401 })
          )
        )
        const response = yield* client.call("GET /v2/zaps", { credential: asUser })
        assert.strictEqual(response.status, 200)
        assert.strictEqual(zapier.tokenRequests.length, 2)
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect("storm of 200 calls leads to one refresh and no failure", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        zapier.state.accessTokens.clear()
        const client = yield* ZapierHttpClient
        const responses = yield* Effect.forEach(
          Array.from({ length: 200 }),
          () => client.call("GET /v2/zaps", { credential: asUser }),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual([...new Set(responses.map(({ status }) => status))], [200])
        assert.strictEqual(zapier.tokenRequests.length, 2)
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect.each(["text", new Uint8Array([1]), new ArrayBuffer(1), new Blob(["x"]), new URLSearchParams("a=1")])(
      "leads to a replay of a body that can be read twice: %o",
      (body) => {
        const zapier = TestZapier.make()
        return Effect.gen(function* () {
          yield* TestZapier.connect(subject)
          zapier.state.accessTokens.clear()
          const client = (yield* ZapierHttpClient).as(asUser)
          const request = HttpClientRequest.setBody(HttpClientRequest.post("/v2/zaps"), HttpBody.raw(body))
          assert.strictEqual((yield* client.execute(request)).status, 200)
          assert.strictEqual(zapier.apiRequests.length, 2)
        }).pipe(Effect.provide(zapier.layer()))
      }
    )

    it.effect.each([
      ["a stream", HttpBody.stream(Stream.make(new TextEncoder().encode("{}")))],
      ["one that the platform reads once", HttpBody.raw(new Blob(["{}"]).stream())]
    ] as const)("to a streamed body renews the token and says that the request cannot be replayed: %s", ([, body]) => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        zapier.state.accessTokens.clear()
        const client = (yield* ZapierHttpClient).as(asUser)
        const request = HttpClientRequest.setBody(HttpClientRequest.post("/v2/zaps"), body)
        assert.strictEqual(yield* reasonOf(client.execute(request)), "RequestNotReplayable")
        assert.strictEqual(zapier.apiRequests.length, 1)
        assert.strictEqual((yield* client.execute(request)).status, 200)
        assert.strictEqual(zapier.tokenRequests.length, 2)
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect("asks the user to connect when the grant is gone", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        zapier.state.accessTokens.clear()
        zapier.state.refreshTokens.clear()
        const client = yield* ZapierHttpClient
        assert.strictEqual(yield* reasonOf(client.call("GET /v2/zaps", { credential: asUser })), "ReconnectRequired")
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect("to the client id is returned, and known", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        const client = yield* ZapierHttpClient
        const auth = yield* ZapierAuth
        zapier.nextApi(TestZapier.respond(401, ""))
        assert.strictEqual((yield* client.call("GET /v1/apps")).status, 401)
        assert.strictEqual(yield* auth.clientIdState, "Rejected")
        yield* client.call("GET /v1/apps")
        assert.strictEqual(yield* auth.clientIdState, "Accepted")
        assert.strictEqual(zapier.tokenRequests.length, 0)
      }).pipe(Effect.provide(zapier.layer()))
    })
  })

  it.effect.each([403, 404, 409, 429, 500, 503])("%i never leads to a refresh", (status) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(TestZapier.respond(status, ""))
      const client = yield* ZapierHttpClient
      assert.strictEqual((yield* client.call("GET /v2/zaps", { credential: asUser })).status, status)
      assert.deepStrictEqual([zapier.apiRequests.length, zapier.tokenRequests.length], [1, 1])
    }).pipe(Effect.provide(zapier.layer()))
  })

  describe("keeps credentials at home", () => {
    it.effect.each([
      "https://evil.example/v2/zaps",
      "http://api.zapier.com/v2/zaps",
      "https://api.zapier.com:8443/v2/zaps",
      "https://api.zapier.com.evil.example/v2/zaps",
      "https://api.zapier.com@evil.example/v2/zaps",
      "https://zapier.com/v2/zaps"
    ])("nothing is sent to %s", (url) => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        const client = (yield* ZapierHttpClient).as(asUser)
        assert.strictEqual(yield* reasonOf(client.get(url)), "UntrustedOrigin")
        assert.strictEqual(zapier.apiRequests.length, 0)
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect.prop("any path stays on the API's origin", [Schema.String], ([text]) => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        const client = (yield* ZapierHttpClient).as(Credential.clientId)
        yield* Effect.ignore(client.get(`/${text}`))
        for (const { url } of zapier.apiRequests) assert.strictEqual(url.origin, "https://api.zapier.com")
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect("accepts absolute URLs of the API, and rejects invalid URLs", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        const client = (yield* ZapierHttpClient).as(Credential.clientId)
        assert.strictEqual((yield* client.get("https://api.zapier.com/v1/apps")).status, 200)
        assert.strictEqual(yield* setting(client.get("v1/apps")), "url")
      }).pipe(Effect.provide(zapier.layer()))
    })

    it.effect.each(["", "/proxy", "api.zapier.com", "http://api.zapier.com", "https://api.zapier.com#x"])(
      "nothing starts where the API's URL is not usable: %s",
      (api) => {
        const zapier = TestZapier.make()
        const urls = Layer.succeed(ZapierUrls.ZapierUrls, { ...ZapierUrls.production, api })
        return Effect.gen(function* () {
          const built = Layer.build(zapier.layer().pipe(Layer.provide(urls)))
          assert.strictEqual(yield* setting(Effect.scoped(built)), "urls.api")
        })
      }
    )

    it.effect.each([HttpClientError.TransportError, HttpClientError.EncodeError, HttpClientError.InvalidUrlError])(
      "%o shows no token, and carries the caller's own request",
      (Reason) => {
        const zapier = TestZapier.make()
        return Effect.gen(function* () {
          yield* TestZapier.connect(subject)
          zapier.nextApi((request) => {
            assert.include(request.headers["authorization"], "access-token")
            const reason = new Reason({ request, cause: new Error("why"), description: "what" })
            return Effect.fail(new HttpClientError.HttpClientError({ reason }))
          })
          const client = yield* ZapierHttpClient
          const error = yield* Effect.flip(client.call("GET /v2/zaps", { credential: asUser }))
          if (!HttpClientError.isHttpClientError(error)) return assert.fail("not an HttpClientError")
          assert.isTrue(error.reason instanceof Reason)
          assert.deepInclude(error.reason, { description: "what", cause: new Error("why") })
          assert.isUndefined(error.request.headers["authorization"])
          const shown = `${error.message} ${JSON.stringify(error)} ${inspect(error, { depth: 20, showHidden: true })}`
          assert.notInclude(shown, "access-token")
        }).pipe(Effect.provide(zapier.layer()))
      }
    )
  })

  describe("scopes", () => {
    it.effect("that were not granted are missed before anything is sent", () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        const client = yield* ZapierHttpClient
        const error = yield* Effect.flip(client.call("GET /v1/profiles/me", { credential: asUser }))
        if (!isZapierAuthError(error)) return assert.fail("not a ZapierAuthError")
        assert.deepInclude(error.reason, { _tag: "InsufficientScope", endpoint: "GET /v1/profiles/me", mode: "User" })
        assert.strictEqual(zapier.apiRequests.length, 0)
      }).pipe(Effect.provide(zapier.layer()))
    })
  })
})
