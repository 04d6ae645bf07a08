import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as AuthEvent from "../src/AuthEvent.ts"
import * as AppCredential from "../src/machine/AppCredential.ts"
import * as ClientId from "../src/machine/ClientId.ts"
import * as ConsentAttempt from "../src/machine/ConsentAttempt.ts"
import * as UserGrant from "../src/machine/UserGrant.ts"
import * as Credential from "../src/zapier/Credential.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { lifetime, respond, subject } = TestZapier

type Event = AuthEvent.AuthEvent

const decode = Schema.decodeUnknownEffect(AuthEvent.AuthEvent)

// Where names of events are used, a misspelled one does not compile.
export const hasToConnect = (event: Event): boolean =>
  event._tag === "UserGrantChanged" && event.to === "ReconnectRequired" && event.cause === "Revoked"
// @ts-expect-error no such event
export const noEvent = (event: Event): boolean => event._tag === "Transition"
export const noStates = (event: Event): boolean =>
  // @ts-expect-error no state of a grant
  (event._tag === "UserGrantChanged" && event.to === "ReconnectNeeded") ||
  // @ts-expect-error a state of a grant, and not of an attempt
  (event._tag === "ConsentAttemptChanged" && event.to === "ReconnectRequired") ||
  // @ts-expect-error an event of a grant, and not of an app token
  (event._tag === "AppCredentialChanged" && event.event === "RefreshSucceeded") ||
  // @ts-expect-error a cause of an attempt, and not of a grant
  (event._tag === "UserGrantChanged" && event.cause === "CodeRefused")

describe("AuthEvent", () => {
  it.each([
    ["UserGrantChanged", AuthEvent.UserGrantChanged, UserGrant.edges, UserGrant.Event],
    ["ConsentAttemptChanged", AuthEvent.ConsentAttemptChanged, ConsentAttempt.edges, ConsentAttempt.Event],
    ["AppCredentialChanged", AuthEvent.AppCredentialChanged, AppCredential.edges, AppCredential.Event],
    ["ClientIdChanged", AuthEvent.ClientIdChanged, ClientId.edges, ClientId.Event]
  ] as const)("%s has the states and events of its machine", (tag, { fields }, edges, { cases }) => {
    expect(fields._tag.schema.literal).toBe(tag)
    expect(fields.from.literals).toEqual(Object.keys(edges))
    expect(fields.to.literals).toEqual(Object.keys(edges))
    expect(new Set<string>(fields.event.literals)).toEqual(new Set(Object.keys(cases)))
  })

  it.effect("names the owner and the cause, for each machine", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const seen: Array<Event> = []
      const listening = Stream.runForEach(auth.events, (event) => Effect.sync(() => void seen.push(event)))
      const fiber = yield* Effect.forkChild(listening, { startImmediately: true })
      const last = () => seen.at(-1)

      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      zapier.nextToken(respond(429, "s3cret"))
      yield* Effect.flip(auth.accessToken(subject))
      yield* TestZapier.tick
      assert.deepInclude(last(), { _tag: "UserGrantChanged", subject, event: "RefreshFailed", cause: "RateLimited" })
      yield* TestClock.adjust("1 hour")
      zapier.nextToken(respond(400, { error: "invalid_grant" }))
      yield* Effect.flip(auth.accessToken(subject))
      yield* TestZapier.tick
      assert.deepInclude(last(), { event: "RefreshRefused", to: "ReconnectRequired", cause: "Revoked", generation: 1 })

      const begun = yield* auth.authorizationUrl({ subject, scopes: ["zap"] })
      const state = new URL(Redacted.value(begun.url)).searchParams.get("state") ?? ""
      zapier.nextToken(respond(400, { error: "invalid_grant" }))
      yield* Effect.flip(auth.handleCallback({ code: "c0de", state }, { subject }))
      yield* TestZapier.tick
      const { attempt } = begun
      assert.deepInclude(last(), {
        _tag: "ConsentAttemptChanged",
        subject,
        attempt,
        to: "Failed",
        cause: "CodeRefused"
      })

      zapier.nextToken(respond(429, ""))
      yield* Effect.flip(auth.appToken(["zap", "profile"]))
      yield* TestZapier.tick
      assert.deepInclude(last(), { _tag: "AppCredentialChanged", event: "RequestFailed", cause: "RateLimited" })
      assert.deepInclude(last(), { scopes: ["profile", "zap"] })

      const http = yield* ZapierHttpClient
      yield* http.call("GET /v1/apps", { credential: Credential.clientId })
      yield* TestZapier.tick
      assert.deepInclude(last(), { _tag: "ClientIdChanged", from: "Unconfirmed", to: "Accepted" })
      yield* Fiber.interrupt(fiber)

      // Each is as its schema says, of this application, and without a secret.
      for (const event of seen) {
        const decoded = yield* decode(JSON.parse(JSON.stringify(event)))
        assert.deepStrictEqual(decoded, event)
        assert.strictEqual(event.clientId, "client-1")
      }
      assert.notMatch(JSON.stringify(seen), /token-\d|code-\d|c0de|s3cret|secret-1/)
      assert.isFalse(JSON.stringify(seen).includes(state))
    }).pipe(Effect.provide(zapier.layer()))
  })
})
