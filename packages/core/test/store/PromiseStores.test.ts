/** A store of promises that does what it should not is a store that has failed. The laws are checked where the suite is. */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as AppCredential from "../../src/machine/AppCredential.ts"
import * as DriverState from "../../src/machine/DriverState.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { AppCredentialStore } from "../../src/store/AppCredentialStore.ts"
import { AttemptStore } from "../../src/store/AttemptStore.ts"
import { GrantStore } from "../../src/store/GrantStore.ts"
import * as PromiseStores from "../../src/store/PromiseStores.ts"
import * as RecordCodec from "../../src/store/RecordCodec.ts"
import { ZapierAuth } from "../../src/ZapierAuth.ts"
import type { ZapierAuthError } from "../../src/ZapierAuthError.ts"
import * as TestZapier from "../utils/TestZapier.ts"

const key = { clientId: "acme", subject: "ada" }

const grant = UserGrant.granted("family", {
  accessToken: Tokens.secret("s3cret"),
  refreshToken: Tokens.secret("s3cret"),
  scopes: ["zap"],
  obtainedAt: 0,
  expiresAt: 36_000_000
})

const table = {
  get: async () => undefined,
  compareAndSet: async () => true,
  remove: async () => true
}

const stores = {
  grants: { ...table, page: async () => [] },
  attempts: { ...table, bySubject: async () => [] },
  appTokens: table
}

const over = (grants: object): PromiseStores.Stores => ({ ...stores, grants: { ...stores.grants, ...grants } })

const reject: () => unknown = async () => {
  throw new RangeError("s3cret")
}

const throws: () => unknown = () => {
  throw new TypeError("s3cret")
}

const misbehaving: ReadonlyArray<readonly [what: string, grants: object, problem: string]> = [
  ["get rejects", { get: reject }, "read a record: it failed with RangeError"],
  ["get throws", { get: throws }, "read a record: it failed with TypeError"],
  ["get gives text", { get: () => "s3cret" }, "a value of type string instead of { version, record }, or undefined"],
  ["get gives a list", { get: async () => ["s3cret"] }, "it returned a list instead of"],
  ["get gives no version", { get: () => ({ record: "s3cret" }) }, "it returned a value of type object instead of"],
  ["get gives no record", { get: () => ({ version: 1 }) }, "it returned a value of type object instead of"],
  [
    "get gives an odd version",
    { get: () => ({ version: "1e9", record: RecordCodec.grant.encode(grant) }) },
    "does not understand the record"
  ],
  ["get gives no record of ours", { get: () => ({ version: 1, record: "s3cret" }) }, "does not understand the record"],
  ["compareAndSet rejects", { compareAndSet: reject }, "write a record: it failed with RangeError"],
  ["compareAndSet throws", { compareAndSet: throws }, "write a record: it failed with TypeError"],
  ["compareAndSet gives nothing", { compareAndSet: () => undefined }, "it returned undefined instead of true or false"],
  [
    "compareAndSet gives a count",
    { compareAndSet: async () => 1 },
    "it returned a value of type number instead of true"
  ],
  ["remove rejects", { remove: reject }, "remove a record: it failed with RangeError"],
  ["remove gives null", { remove: async () => null }, "it returned null instead of true or false"],
  ["page rejects", { page: reject }, "read a page: it failed with RangeError"],
  ["page gives an object", { page: () => ({ rows: [] }) }, "instead of a list of { subject, version, record }"],
  ["page gives rows of nobody", { page: () => [{ version: 1, record: "s3cret" }] }, "it returned a list instead of"]
]

describe("PromiseStores", () => {
  it.effect.each(misbehaving)("%s: StoreFailed, without showing the returned value", ([, grants, problem]) =>
    Effect.gen(function* () {
      const store = yield* GrantStore
      const all = Effect.all([
        store.get(key),
        store.compareAndSet(key, Option.none(), grant),
        store.remove(key, 1),
        store.page({ clientId: "acme", limit: 5 })
      ])
      const error = yield* Effect.flip(all)
      assert.strictEqual(error._tag, "StoreFailed")
      assert.include(error.message, problem)
      assert.notInclude(inspect(error, { depth: null, showHidden: true }), "s3cret")
    }).pipe(Effect.provide(PromiseStores.layer(over(grants))))
  )

  it.effect.each([5n, "5", 5])("takes the version %o as a driver gives it", (version) =>
    Effect.gen(function* () {
      const found = yield* (yield* GrantStore).get(key)
      assert.deepStrictEqual(found, Option.some({ version: 5, value: grant }))
    }).pipe(
      Effect.provide(PromiseStores.layer(over({ get: () => ({ version, record: RecordCodec.grant.encode(grant) }) })))
    )
  )

  it.effect("leaves a record that cannot be read out of a page, and lists the others", () =>
    Effect.gen(function* () {
      const page = yield* (yield* GrantStore).page({ clientId: "acme", limit: 5 })
      assert.deepStrictEqual(
        page.entries.map(({ key }) => key.subject),
        ["eve"]
      )
      assert.deepStrictEqual(
        page.unreadable?.map(({ key, version }) => [key.subject, version]),
        [["ada", 7]]
      )
    }).pipe(
      Effect.provide(
        PromiseStores.layer(
          over({
            page: () => [
              { subject: "ada", version: 7, record: "?" },
              { subject: "eve", version: 8, record: RecordCodec.grant.encode(grant) }
            ]
          })
        )
      )
    )
  )

  it.effect("is called as its own methods, with keys that any database takes", () => {
    const seen: Array<unknown> = []
    class Grants {
      readonly found = undefined
      get(this: Grants, of: unknown) {
        seen.push(of)
        return this.found
      }
      compareAndSet = () => true
      remove = () => true
      page = () => []
    }
    return Effect.gen(function* () {
      yield* (yield* GrantStore).get({ clientId: "a\0b", subject: "c\ud800" })
      assert.deepStrictEqual(seen, [{ clientId: String.raw`a\0b`, subject: String.raw`c\ud800` }])
    }).pipe(Effect.provide(PromiseStores.layer({ ...stores, grants: new Grants() })))
  })

  it.effect.each([
    [null, "stores"],
    [{}, "stores.grants"],
    [{ ...stores, grants: undefined }, "stores.grants"],
    [{ ...stores, grants: { ...stores.grants, page: undefined } }, "stores.grants.page"],
    [{ ...stores, attempts: table }, "stores.attempts.bySubject"],
    [{ ...stores, appTokens: { ...table, get: 5 } }, "stores.appTokens.get"]
  ] as const)("names the function that is missing in %o", ([given, setting]) =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(Layer.build(PromiseStores.layer(given as never)))
      assert.strictEqual(reason._tag === "InvalidConfig" && reason.setting, setting)
    }).pipe(Effect.scoped)
  )

  it.effect("keeps app tokens in memory where there is no table for them", () =>
    Effect.gen(function* () {
      const tokens = yield* AppCredentialStore
      const of = { clientId: "acme", scopes: "zap" }
      assert.isTrue(yield* tokens.compareAndSet(of, Option.none(), AppCredential.absent))
      assert.isTrue(Option.isSome(yield* tokens.get(of)))
      assert.deepStrictEqual(yield* (yield* AttemptStore).bySubject({ subject: "ada", skip: 0, limit: 1 }), [])
    }).pipe(Effect.provide(PromiseStores.layer({ grants: stores.grants, attempts: stores.attempts })))
  )

  const calls: ReadonlyArray<
    readonly [name: string, call: (auth: ZapierAuth["Service"]) => Effect.Effect<unknown, ZapierAuthError>]
  > = [
    ["status", (auth) => auth.status("ada")],
    ["accessToken", (auth) => auth.accessToken("ada")],
    ["disconnect", (auth) => auth.disconnect("ada")],
    ["authorizationUrl", (auth) => auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })]
  ]

  it.effect.each(calls)("one that never responds is given up after storeTimeout: %s", ([, call]) => {
    const zapier = TestZapier.make()
    let reached: () => void
    const isAsked = new Promise<void>((resolve) => (reached = resolve))
    const silent = () => {
      reached()
      return new Promise<never>(() => undefined)
    }
    const hung = { get: silent, compareAndSet: silent, remove: silent }
    const layer = zapier.process({ storeTimeout: "3 seconds" }).pipe(
      Layer.provide(
        PromiseStores.layer({
          grants: { ...hung, page: silent },
          attempts: { ...hung, bySubject: silent }
        })
      )
    )
    // The driver lets an operation that is overdue have its turn first, for `grace`.
    const soon = 3_000 + DriverState.grace
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const asked = yield* Effect.forkChild(Effect.flip(Effect.asVoid(call(auth))), { startImmediately: true })
      // Time must not pass before the store is asked: the digest of a login's URL takes real time.
      yield* Effect.promise(() => isAsked)
      yield* TestZapier.tick
      yield* TestClock.adjust(soon)
      assert.isDefined(asked.pollUnsafe())
      const { reason } = yield* Fiber.join(asked)
      assert.strictEqual(reason._tag, "StoreFailed")
      assert.include(reason.message, "3000 ms")
    }).pipe(Effect.provide(layer))
  })

  it.effect("one that never responds does not keep a process from closing", () => {
    const zapier = TestZapier.make()
    const silent = () => new Promise<never>(() => undefined)
    const layer = zapier
      .process({ storeTimeout: "3 seconds" })
      .pipe(Layer.provide(PromiseStores.layer(over({ get: silent, compareAndSet: silent, remove: silent }))))
    return Effect.gen(function* () {
      const scope = yield* Scope.make()
      const auth = Context.get(yield* Layer.buildWithScope(layer, scope), ZapierAuth)
      const asked = yield* Effect.forkChild(Effect.exit(auth.accessToken("ada")), { startImmediately: true })
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust(3_000 + DriverState.grace)
      assert.isDefined(closing.pollUnsafe())
      assert.isTrue(Exit.isFailure(yield* Fiber.join(asked)))
    })
  })
})
