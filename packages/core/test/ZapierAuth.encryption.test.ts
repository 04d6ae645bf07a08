import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as EncryptedStores from "../src/store/EncryptedStores.ts"
import { GrantStore } from "../src/store/GrantStore.ts"
import * as KeyRing from "../src/store/KeyRing.ts"
import * as MemoryStores from "../src/store/MemoryStores.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { crypto, keyOf } from "./utils/Keys.ts"
import { reveal } from "./utils/Reveal.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const subject = "user-1"

describe("ZapierAuth: a process that was not told to encrypt", () => {
  it.effect("sends nothing of an encrypted grant, leaves it as it is, and can disconnect its user", () => {
    const zapier = TestZapier.make()
    const keys = Layer.provide(KeyRing.layer([keyOf(1)]), crypto)
    const encrypting = zapier.process().pipe(Layer.provide(EncryptedStores.layer), Layer.provide(keys))
    const key = { clientId: zapier.application.clientId, subject }
    const ask = Effect.flatMap(ZapierAuth, (auth) => auth.accessToken(subject))
    return Effect.gen(function* () {
      const grants = yield* GrantStore
      yield* Effect.provide(TestZapier.connect(subject), encrypting)
      yield* TestClock.adjust("11 hours")
      const before = yield* grants.get(key)
      yield* Effect.gen(function* () {
        const auth = yield* ZapierAuth
        for (const asked of [Effect.asVoid(auth.accessToken(subject)), Effect.asVoid(auth.status(subject))]) {
          const { reason } = yield* Effect.flip(asked)
          assert.deepInclude(reason, { _tag: "DecryptionFailed", problem: "UnknownKey" })
        }
      }).pipe(Effect.provide(zapier.process()))
      assert.strictEqual(zapier.tokenRequests.length, 1)
      assert.deepStrictEqual(reveal(yield* grants.get(key)), reveal(before))
      assert.strictEqual((yield* Effect.provide(ask, encrypting)).generation, 2)
      yield* Effect.provide(
        Effect.flatMap(ZapierAuth, (auth) => auth.disconnect(subject)),
        zapier.process()
      )
      assert.deepStrictEqual(yield* grants.get(key), Option.none())
    }).pipe(Effect.provide(MemoryStores.layer))
  })
})
