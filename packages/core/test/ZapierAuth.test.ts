import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Exit from "effect/Exit"
import * as ClientApplication from "../src/oauth/ClientApplication.ts"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { AttemptStore } from "../src/store/AttemptStore.ts"
import { GrantStore, type Key } from "../src/store/GrantStore.ts"
import * as MemoryStores from "../src/store/MemoryStores.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { DecryptionFailed, ZapierAuthError } from "../src/ZapierAuthError.ts"
import { reveal } from "./utils/Reveal.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { lifetime, reasonOf, subject, value } = TestZapier

const begin = (scopes: ReadonlyArray<string> = ["zap"]) =>
  Effect.gen(function* () {
    const auth = yield* ZapierAuth
    const { url } = yield* auth.authorizationUrl({ subject, scopes })
    return new URL(Redacted.value(url)).searchParams.get("state") ?? ""
  })

describe("ZapierAuth: authorizationUrl", () => {
  it.effect("asks with a fresh state of 256 random bits each time", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const first = yield* begin()
      const second = yield* begin()
      assert.match(first, /^[\w-]{43}$/)
      assert.notStrictEqual(first, second)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("stores the digest of state, and state nowhere", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const state = yield* begin()
      const store = yield* AttemptStore
      const [listed] = yield* store.bySubject({ subject, skip: 0, limit: 1 })
      const bytes = yield* Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(state)))
      const digest = Base64Url.encode(new Uint8Array(bytes))
      const key = `${zapier.application.clientId}:${digest}`
      assert.strictEqual(listed?.key, key)
      const stored = Option.getOrThrow(yield* store.get(key)).value
      assert.strictEqual(stored.stateDigest, digest)
      assert.notInclude(JSON.stringify(reveal(stored)), state)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("refuses an empty subject, no scopes, unusable scopes and unknown redirect URIs", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const settings = yield* Effect.forEach(
        [
          { subject: "", scopes: ["zap"] },
          { subject, scopes: [] },
          { subject, scopes: ["zap write"] },
          { subject, scopes: ["zap"], redirectUri: "https://app.example/callback/" }
        ],
        (options) => Effect.map(Effect.flip(auth.authorizationUrl(options)), ({ reason }) => reason)
      )
      assert.deepStrictEqual(
        settings.map((reason) => (reason._tag === "InvalidConfig" ? reason.setting : reason._tag)),
        ["subject", "scopes", "scopes", "redirectUri"]
      )
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("binds the code by PKCE when asked to", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const { url } = yield* auth.authorizationUrl({ subject, scopes: ["zap"], pkce: true })
      const query = new URL(Redacted.value(url)).searchParams
      assert.strictEqual(query.get("code_challenge_method"), "S256")
      yield* auth.handleCallback({ code: "code-1", state: query.get("state") ?? "" }, { subject })
      const verifier = zapier.tokenRequests[0]?.form.get("code_verifier") ?? ""
      const digest = yield* Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)))
      assert.strictEqual(Buffer.from(digest).toString("base64url"), query.get("code_challenge"))
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("ZapierAuth: handleCallback", () => {
  it.effect("exchanges the code with the redirect URI of the attempt, and stores the grant", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const state = yield* begin()
      const status = yield* auth.handleCallback(`https://app.example/callback?code=code-1&state=${state}`, {
        subject
      })
      assert.deepInclude(status, { _tag: "Active", generation: 1, scopes: ["zap", "zap:write"] })
      assert.deepStrictEqual(Object.fromEntries(zapier.tokenRequests[0]?.form ?? []), {
        grant_type: "authorization_code",
        code: "code-1",
        redirect_uri: "https://app.example/callback"
      })
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-1")
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("assumes the requested scopes when the response names none", () => {
    const zapier = TestZapier.make()
    zapier.state.scope = undefined
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      const auth = yield* ZapierAuth
      assert.deepInclude(yield* auth.status(subject), { scopes: ["zap", "zap:write"] })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each<readonly [string | undefined, ReadonlyArray<string>]>([
    ["zap", ["zap:write", "profile"]],
    ["profile,zap:all", ["zap:write"]],
    ["zap zap:write profile external", []],
    ["action:run", ["zap", "zap:write", "profile"]],
    [undefined, []]
  ])("names the missing scopes when %j was granted", ([scope, missingScopes]) => {
    const zapier = TestZapier.make()
    zapier.state.scope = scope
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const { url } = yield* auth.authorizationUrl({ subject, scopes: ["zap", "zap:write", "profile"] })
      const state = new URL(Redacted.value(url)).searchParams.get("state") ?? ""
      assert.deepInclude(yield* auth.handleCallback({ code: "code-1", state }, { subject }), { missingScopes })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("refuses an unknown state, another subject's, a used one and a late one, and exchanges nothing", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const callback = (state: string, by = subject) => auth.handleCallback({ code: "code-1", state }, { subject: by })
      const why = (state: string, by?: string) =>
        Effect.map(Effect.flip(callback(state, by)), ({ reason }) =>
          reason._tag === "StateMismatch" ? reason.why : reason._tag
        )
      const state = yield* begin()
      assert.strictEqual(yield* why("unheard-of"), "Unknown")
      assert.strictEqual(yield* why(state, "user-2"), "OtherSubject")
      const late = yield* begin()
      yield* TestClock.adjust("15 minutes")
      assert.strictEqual(yield* why(late), "ConsentExpired")
      assert.strictEqual(zapier.tokenRequests.length, 0)
      const used = yield* TestZapier.connect(subject, "code-2")
      assert.strictEqual(yield* reasonOf(auth.handleCallback(used, { subject })), "StateMismatch")
      assert.strictEqual(zapier.tokenRequests.length, 1)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("exchanges a callback once when it arrives several times at once", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const state = yield* begin()
      const exits = yield* Effect.forEach(
        Array.from({ length: 20 }),
        () => Effect.exit(auth.handleCallback({ code: "code-1", state }, { subject })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
      assert.strictEqual(zapier.tokenRequests.length, 1)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("distinguishes a denial from other errors", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const denied = auth.handleCallback({ error: "access_denied", state: yield* begin() }, { subject })
      assert.strictEqual(yield* reasonOf(denied), "ConsentDenied")
      const failed = auth.handleCallback({ error: "server_error", state: yield* begin() }, { subject })
      assert.strictEqual(yield* reasonOf(failed), "AuthorizationRefused")
      assert.strictEqual(zapier.tokenRequests.length, 0)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("leaves the grant as it is when a later attempt fails, and replaces it when one succeeds", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      const failed = auth.handleCallback({ code: "code-unknown", state: yield* begin() }, { subject })
      assert.strictEqual(yield* reasonOf(failed), "ConsentExpired")
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-1")
      yield* TestZapier.connect(subject, "code-2")
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-2")
      assert.deepInclude(yield* auth.status(subject), { generation: 2 })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("does not send a code again when the response was lost", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      zapier.nextToken(TestZapier.responseLost)
      const lost = auth.handleCallback({ code: "code-1", state: yield* begin() }, { subject })
      assert.strictEqual(yield* reasonOf(lost), "ExchangeOutcomeUnknown")
      assert.strictEqual(zapier.tokenRequests.length, 1)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("stores the grant although the caller was interrupted during the exchange", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const gate = yield* Deferred.make<void>()
      zapier.nextToken(TestZapier.held(gate))
      const caller = yield* Effect.forkChild(
        auth.handleCallback({ code: "code-1", state: yield* begin() }, { subject })
      )
      while (zapier.tokenRequests.length === 0) yield* TestZapier.tick
      const interruption = yield* Effect.forkChild(Fiber.interrupt(caller))
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(interruption)
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-1")
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("ZapierAuth: disconnect", () => {
  it.effect("removes the grant, and a refresh under way does not bring it back", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      const gate = yield* Deferred.make<void>()
      zapier.nextToken(TestZapier.held(gate))
      const caller = yield* Effect.forkChild(Effect.flip(auth.accessToken(subject)), { startImmediately: true })
      while (zapier.tokenRequests.length < 2) yield* TestZapier.tick
      yield* auth.disconnect(subject)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(caller)).reason._tag, "ReconnectRequired")
      assert.deepStrictEqual(yield* auth.status(subject), { _tag: "Absent", subject })
    }).pipe(Effect.provide(zapier.layer()))
  })

  // Connects, and then disconnects by a process whose grant store is changed.
  const disconnectBy = (change: (store: GrantStore["Service"]) => GrantStore["Service"]) => {
    const zapier = TestZapier.make()
    const changed = Layer.effect(GrantStore, Effect.map(GrantStore, change))
    return Effect.gen(function* () {
      yield* Effect.provide(TestZapier.connect(subject), zapier.process())
      const disconnect = Effect.flatMap(ZapierAuth, (auth) => auth.disconnect(subject))
      const outcome = yield* Effect.result(Effect.provide(disconnect, zapier.process().pipe(Layer.provide(changed))))
      const key = { clientId: zapier.application.clientId, subject }
      return { outcome, after: yield* (yield* GrantStore).get(key) }
    }).pipe(Effect.provide(MemoryStores.layer))
  }

  // Once, just before the first removal, another process writes the grant.
  const writtenMeanwhile = (store: GrantStore["Service"], removals: Array<readonly [number, boolean]>) => ({
    remove: (key: Key, expected: number) =>
      Effect.gen(function* () {
        const { value, version } = Option.getOrThrow(yield* store.get(key))
        if (removals.length === 0) yield* store.compareAndSet(key, Option.some(version), value)
        const isRemoved = yield* store.remove(key, expected)
        removals.push([expected, isRemoved])
        return isRemoved
      })
  })

  it.effect("removes no grant but the one that it has looked at", () =>
    Effect.gen(function* () {
      const removals: Array<readonly [number, boolean]> = []
      const { after, outcome } = yield* disconnectBy((store) => ({ ...store, ...writtenMeanwhile(store, removals) }))
      assert.deepInclude(Result.getOrThrow(outcome), { wasConnected: true })
      const byVersion = new Map(removals)
      assert.deepStrictEqual([...byVersion.values()], [false, true])
      assert.deepStrictEqual(after, Option.none())
    })
  )

  const unreadable = (version: number | undefined) =>
    new DecryptionFailed({
      store: "grant store",
      problem: "Altered",
      ...(version === undefined ? {} : { version })
    })

  it.effect("removes a grant that cannot be decrypted, and no other", () =>
    Effect.gen(function* () {
      const removals: Array<readonly [number, boolean]> = []
      const { after, outcome } = yield* disconnectBy((store) => ({
        ...store,
        ...writtenMeanwhile(store, removals),
        get: (key) =>
          Effect.flatMap(store.get(key), (found) => Effect.fail(unreadable(Option.getOrUndefined(found)?.version)))
      }))
      assert.deepInclude(Result.getOrThrow(outcome), { wasConnected: true })
      assert.deepStrictEqual(
        removals.map(([, isRemoved]) => isRemoved),
        [false, true]
      )
      assert.deepStrictEqual(after, Option.none())
    })
  )

  it.effect("leaves a grant that cannot be decrypted, if its store does not tell the version", () =>
    Effect.gen(function* () {
      const { after, outcome } = yield* disconnectBy((store) => ({
        ...store,
        get: () => Effect.fail(unreadable(undefined))
      }))
      assert.deepStrictEqual(outcome, Result.fail(ZapierAuthError.make(unreadable(undefined))))
      assert.isTrue(Option.isSome(after))
    })
  )
})

describe("ZapierAuth: events", () => {
  it.effect("tell every stored transition, without secrets", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const seen = yield* Effect.forkChild(Stream.runCollect(Stream.take(auth.events, 5)), { startImmediately: true })
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      yield* auth.accessToken(subject)
      const events = yield* Fiber.join(seen)
      assert.deepStrictEqual(
        events.map((it) => it._tag !== "OddResponseTaken" && `${it._tag} ${it.from} ${it.event} ${it.to}`),
        [
          "ConsentAttemptChanged Pending CodeReceived Exchanging",
          "UserGrantChanged Absent ConsentGranted Active",
          "ConsentAttemptChanged Exchanging GrantStored Completed",
          "UserGrantChanged Active AccessTokenRequested Refreshing",
          "UserGrantChanged Refreshing RefreshSucceeded Active"
        ]
      )
      assert.notMatch(JSON.stringify(events), /token-\d|code-\d|secret/)
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("ZapierAuth: layer", () => {
  it.effect("fails when others would have to wait for too long after a crash", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const exit = yield* Effect.exit(Layer.build(zapier.layer({ responseTimeout: "6 minutes" })))
      assert.match(String(Exit.isFailure(exit) ? exit.cause : ""), /responseTimeout/)
    }).pipe(Effect.scoped)
  })

  it.effect("fails in time when the client application cannot be read", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const secrets = ClientApplication.layerEffect(Effect.uninterruptible(Effect.never))
      const building = yield* Effect.forkChild(Effect.flip(Layer.build(zapier.layer(undefined, secrets))), {
        startImmediately: true
      })
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* Fiber.join(building)).reason._tag, "ApplicationUnavailable")
    }).pipe(Effect.scoped)
  })

  it.effect("lets a refresh that is under way finish and be stored when it is closed", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const closed = yield* Effect.forkChild(
        Effect.gen(function* () {
          const auth = yield* ZapierAuth
          yield* TestZapier.connect(subject)
          yield* TestClock.adjust(lifetime)
          zapier.nextToken(TestZapier.held(gate))
          yield* Effect.forkChild(auth.accessToken(subject), { startImmediately: true })
          while (zapier.tokenRequests.length < 2) yield* TestZapier.tick
        }).pipe(Effect.provide(zapier.process()))
      )
      while (zapier.tokenRequests.length < 2) yield* TestZapier.tick
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(closed)
      const store = yield* GrantStore
      const grant = yield* Effect.fromOption(yield* store.get({ clientId: zapier.application.clientId, subject }))
      assert.deepInclude(grant.value, { _tag: "Active", generation: 2 })
    }).pipe(Effect.provide(MemoryStores.layer))
  })

  it.effect("rejects calls after closing, without a request to Zapier", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* Effect.provide(
        Effect.tap(ZapierAuth, () => TestZapier.connect(subject)),
        zapier.process()
      )
      yield* TestClock.adjust(lifetime)
      assert.strictEqual(yield* reasonOf(auth.accessToken(subject)), "Closed")
      assert.strictEqual(yield* reasonOf(auth.disconnect(subject)), "Closed")
      assert.strictEqual(yield* reasonOf(auth.appToken(["zap"])), "Closed")
      assert.strictEqual(zapier.tokenRequests.length, 1)
    }).pipe(Effect.provide(MemoryStores.layer))
  })
})
