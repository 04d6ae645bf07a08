/** Token responses that are not as they should be: what is usable of them is used, and a user is told what is so. */
import { assert, describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { AuthEvent } from "../src/AuthEvent.ts"
import * as AuthMetrics from "../src/AuthMetrics.ts"
import * as Tokens from "../src/oauth/Tokens.ts"
import { GrantStore } from "../src/store/GrantStore.ts"
import * as Credential from "../src/zapier/Credential.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import type { ZapierAuthError } from "../src/ZapierAuthError.ts"
import { ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import * as UserGrant from "../src/machine/UserGrant.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { lifetime, respond, subject, value } = TestZapier

const accessToken = ZapierAuth.use((auth) => auth.accessToken(subject))

const page = respond(200, "<html>s3cret</html>", { "content-type": "text/html; charset=utf-8" })

/** What is published while an effect runs. */
const heard = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { events } = yield* ZapierAuth
    const seen: Array<AuthEvent> = []
    const listening = Stream.runForEach(events, (event) => Effect.sync(() => void seen.push(event)))
    const fiber = yield* Effect.forkChild(listening, { startImmediately: true })
    yield* effect
    yield* TestZapier.tick
    yield* Fiber.interrupt(fiber)
    return seen.filter(({ _tag }) => _tag === "OddResponseTaken")
  })

// A member of any type, with the values that servers are known to have.
const Scalar = Schema.Union([
  Schema.String,
  Schema.Finite,
  Schema.Boolean,
  Schema.Null,
  Schema.Literals(["", " ", "zap,zap:write", "Bearer", "mac", "r3newed", "36,000", "NaN", "-1", "invalid_grant"])
])
const Member = Schema.Union([
  Scalar,
  Schema.Array(Scalar).check(Schema.isMaxLength(3)),
  Schema.Record(Schema.Literals(["access_token", "scope", "a"]), Scalar)
])
const Members = Schema.Record(
  Schema.Literals(["scope", "token_type", "refresh_token", "expires_in", "error", "id_token", "__proto__"]),
  Member
)
const Wrapping = Schema.Literals(["", "\uFEFF", " \n", "\r\n\t"])

describe("a response to a refresh", () => {
  it.effect.prop(
    "is accepted with any other members, after one request, and never with a replaced token",
    [Members, Wrapping, Wrapping],
    ([members, before, after]) => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        yield* TestClock.adjust(lifetime)
        const body = JSON.stringify({ ...members, access_token: "acc3ss" })
        zapier.nextToken(respond(200, `${before}${body}${after}`))
        const access = yield* accessToken
        assert.strictEqual(value(access), "acc3ss")
        assert.isAbove(access.scopes.length, 0)
        assert.strictEqual(zapier.tokenRequests.length, 2)
        // The next one presents the new refresh token, if there was one that a form can carry.
        yield* TestClock.adjust("370 days")
        yield* Effect.exit(accessToken)
        const { refresh_token } = JSON.parse(body)
        const isUsable =
          typeof refresh_token === "string" && refresh_token.trim() !== "" && refresh_token.isWellFormed()
        const presented = zapier.tokenRequests.slice(1).map(({ form }) => form.get("refresh_token"))
        assert.deepStrictEqual(presented, ["refresh-token-1", isUsable ? refresh_token : "refresh-token-1"])
      }).pipe(Effect.provide(zapier.layer()))
    }
  )

  it.effect("with a list of scopes is taken, published and counted", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      zapier.nextToken(respond(200, { access_token: "a", refresh_token: "r", scope: ["zap"], expires_in: "s3cret" }))
      const counted = Metric.value(Metric.withAttributes(AuthMetrics.oddities, { grant: "Refresh", member: "scope" }))
      const before = (yield* counted).count
      assert.deepStrictEqual(yield* heard(accessToken), [
        {
          _tag: "OddResponseTaken",
          clientId: "client-1",
          grant: "Refresh",
          subject,
          oddities: ["expires_in", "scope"],
          at: 36_000_000
        }
      ])
      assert.strictEqual((yield* counted).count, before + 1)
      const status = yield* ZapierAuth.use((auth) => auth.status(subject))
      assert.deepInclude(status, { _tag: "Active", generation: 2, scopes: ["zap"], expiresAt: 72_000_000 })
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("with scopes separated by commas allows calls", () => {
    const zapier = TestZapier.make()
    zapier.state.scope = "zap,zap:write"
    return Effect.gen(function* () {
      const [odd] = yield* heard(TestZapier.connect(subject))
      assert.deepInclude(odd, { grant: "AuthorizationCode", subject, oddities: ["scope"] })
      const zaps = yield* ZapierHttpClient.use((client) =>
        client.call("GET /v2/zaps", { credential: Credential.user(subject) })
      )
      assert.strictEqual(zaps.status, 200)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("for the app names the scopes that were asked for", () => {
    const zapier = TestZapier.make()
    zapier.nextToken(respond(200, { access_token: "a", token_type: "mac" }))
    return Effect.gen(function* () {
      const [odd] = yield* heard(ZapierAuth.use((auth) => auth.appToken(["external"])))
      assert.deepInclude(odd, { grant: "ClientCredentials", scopes: ["external"], oddities: ["token_type"] })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("as it is documented is not odd", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* heard(TestZapier.connect(subject)), [])
    }).pipe(Effect.provide(zapier.layer()))
  })
})

const failureOf = <A, R>(effect: Effect.Effect<A, ZapierAuthError, R>) => Effect.flip(effect)

describe("a response that says nothing", () => {
  it.effect(
    "to a refresh is reported as malformed, with status and content type, and the token is not sent again at once",
    () => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        yield* TestClock.adjust(lifetime)
        zapier.nextToken(page)
        for (const _ of [1, 2, 3]) {
          const error = yield* failureOf(accessToken)
          assert.deepInclude(error.reason, {
            _tag: "MalformedResponse",
            status: 200,
            problem: "it is not a JSON object (Content-Type: text/html)"
          })
          expect(inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toContain("s3cret")
        }
        assert.strictEqual(zapier.tokenRequests.length, 2)
      }).pipe(Effect.provide(zapier.layer()))
    }
  )

  it.effect("to a login is reported as malformed, and a 5xx is not reported as lost", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      zapier.nextToken(page, respond(503, ""), TestZapier.responseLost)
      const html = yield* failureOf(TestZapier.connect(subject, "code-1"))
      assert.strictEqual(html.reason._tag, "MalformedResponse")
      expect(html.message).toMatch(/status 200.*text\/html/)
      expect(html.message).not.toMatch(/did not arrive|s3cret/)
      const unavailable = yield* failureOf(TestZapier.connect(subject, "code-2"))
      assert.deepInclude(unavailable.reason, { _tag: "ExchangeOutcomeUnknown", status: 503 })
      expect(unavailable.message).not.toMatch(/did not arrive/)
      const lost = yield* failureOf(TestZapier.connect(subject, "code-3"))
      assert.notProperty(lost.reason, "status")
      expect(lost.message).toMatch(/did not arrive/)
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("an access token that no header can carry", () => {
  const unusable = "s3cret\ntoken"

  it.effect("is not stored, and shows nowhere", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      zapier.nextToken(
        respond(200, `{"access_token":${JSON.stringify(unusable)},"refresh_token":"r","expires_in":1e999}`)
      )
      const error = yield* failureOf(TestZapier.connect(subject))
      assert.strictEqual(error.reason._tag, "MalformedResponse")
      expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)).not.toContain("s3cret")
      assert.deepInclude(yield* ZapierAuth.use((auth) => auth.status(subject)), { _tag: "Absent" })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.prop(
    "does not lose the refresh token beside it, which is sent after a pause",
    [Schema.Union([Schema.Literals([unusable, "", " ", "\u00e9", 7, "missing"]), Schema.Null]), Schema.Boolean],
    ([access_token, isDue]) => {
      const zapier = TestZapier.make()
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        yield* TestClock.adjust(isDue ? "599 minutes" : lifetime)
        zapier.state.refreshTokens.add("r-new")
        const odd = { ...(access_token === "missing" ? {} : { access_token }), refresh_token: "r-new" }
        zapier.nextToken(respond(200, odd))
        if (isDue) {
          // The access token before it has time left, and is used for as long.
          assert.strictEqual(value(yield* accessToken), "access-token-1")
          yield* TestZapier.tick
          assert.strictEqual(value(yield* accessToken), "access-token-1")
        } else {
          const error = yield* failureOf(accessToken)
          assert.deepInclude(error.reason, { _tag: "MalformedResponse", status: 200 })
          expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)).not.toMatch(/s3cret|r-new/)
          assert.strictEqual((yield* failureOf(accessToken)).reason._tag, "MalformedResponse")
        }
        assert.strictEqual(zapier.tokenRequests.length, 2)
        yield* TestClock.adjust("2 seconds")
        if (isDue) yield* TestClock.adjust("1 minute")
        assert.strictEqual(value(yield* accessToken), "access-token-2")
        const presented = zapier.tokenRequests.slice(1).map(({ form }) => form.get("refresh_token"))
        assert.deepStrictEqual(presented, ["refresh-token-1", "r-new"])
      }).pipe(Effect.provide(zapier.layer()))
    }
  )

  it.effect("that another program has stored is renewed instead of sent", () => {
    const zapier = TestZapier.make()
    zapier.state.refreshTokens.add("refresh-token-0")
    return Effect.gen(function* () {
      const grant = UserGrant.granted("consent-0", {
        accessToken: Tokens.secret(unusable),
        refreshToken: Tokens.secret("refresh-token-0"),
        scopes: ["zap"],
        obtainedAt: 0,
        expiresAt: 36_000_000
      })
      const key = { clientId: zapier.application.clientId, subject }
      yield* GrantStore.use((grants) => grants.compareAndSet(key, Option.none(), grant))
      const zaps = yield* ZapierHttpClient.use((client) =>
        client.call("GET /v2/zaps", { credential: Credential.user(subject) })
      )
      assert.strictEqual(zaps.status, 200)
      assert.deepStrictEqual(
        zapier.apiRequests.map(({ authorization }) => authorization),
        ["Bearer access-token-1"]
      )
    }).pipe(Effect.provide(zapier.layer()))
  })
})
