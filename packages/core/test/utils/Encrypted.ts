/** Encrypted stores over stores in memory, whose records can be looked at, and a grant to keep there. */
import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AppCredentialStore } from "../../src/store/AppCredentialStore.ts"
import { AttemptStore } from "../../src/store/AttemptStore.ts"
import * as EncryptedStores from "../../src/store/EncryptedStores.ts"
import * as GrantStore from "../../src/store/GrantStore.ts"
import * as KeyRing from "../../src/store/KeyRing.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import type { StoreError, VersionedStore } from "../../src/store/VersionedStore.ts"
import { crypto, keyOf } from "./Keys.ts"

const { Absent: _, ...held } = UserGrant.State.cases

export const Grant = Schema.Union(Object.values(held))

const ringOf = (...keys: ReadonlyArray<number>) => Effect.provide(KeyRing.make(keys.map(keyOf)), crypto)

export const memory = <A, E>(
  effect: Effect.Effect<A, E, GrantStore.GrantStore | AttemptStore | AppCredentialStore>
): Effect.Effect<A, E> => Effect.provide(effect, Layer.fresh(MemoryStores.layer))

/** The stores inside, and the same encrypted by the keys. */
export const open = Effect.fnUntraced(function* (...keys: ReadonlyArray<number>) {
  const ring = yield* ringOf(...keys)
  const inner = {
    grants: yield* GrantStore.GrantStore,
    attempts: yield* AttemptStore,
    appCredentials: yield* AppCredentialStore
  }
  return {
    ring,
    inner,
    grants: EncryptedStores.grants(inner.grants, ring),
    attempts: EncryptedStores.attempts(inner.attempts, ring),
    appCredentials: EncryptedStores.appCredentials(inner.appCredentials, ring)
  }
})

export const grant = (
  generation: number,
  secret = "token"
): Extract<GrantStore.Grant, { readonly _tag: "Active" }> => ({
  _tag: "Active",
  family: "consent-1",
  generation,
  tokens: {
    accessToken: Tokens.secret(`access-${secret}`),
    refreshToken: Tokens.secret(`refresh-${secret}`),
    scopes: ["zap"],
    obtainedAt: 0,
    expiresAt: 36_000_000
  },
  responseLost: false
})

export const key = { clientId: "client-1", subject: "user-1" }

export const valueOf = <Key, A>(store: VersionedStore<Key, A>, key: Key) =>
  Effect.map(store.get(key), (found) => Option.getOrThrow(found).value)

export const write = <Key, A>(store: VersionedStore<Key, A>, key: Key, value: A) =>
  Effect.gen(function* () {
    const version = Option.map(yield* store.get(key), (found) => found.version)
    expect(yield* store.compareAndSet(key, version, value)).toBe(true)
  })

export const remove = <Key, A>(store: VersionedStore<Key, A>, key: Key) =>
  Effect.gen(function* () {
    const { version } = Option.getOrThrow(yield* store.get(key))
    expect(yield* store.remove(key, version)).toBe(true)
  })

export const problemOf = (reason: StoreError) =>
  reason._tag === "DecryptionFailed" ? reason.problem : `not ${reason._tag}`

export const problem = <A>(effect: Effect.Effect<A, StoreError>) => Effect.map(Effect.flip(effect), problemOf)
