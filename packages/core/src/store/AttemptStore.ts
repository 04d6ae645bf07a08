/**
 * The store of consent attempts, from the authorization URL to the callback: the port, and a store in memory.
 *
 * The key is the digest of the attempt's `state`. A store may forget an attempt from its `expiresAt` on, and should do so
 * some time later, or abandoned attempts would pile up.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type { Digest } from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as ConsentAttempt from "../machine/ConsentAttempt.ts"
import { sha256 } from "../internal/sha256.ts"
import type { StoreFailed } from "../ZapierAuthError.ts"
import * as VersionedStore from "./VersionedStore.ts"

/**
 * Selects attempts of a subject.
 *
 * @since 0.1.0
 */
export interface SubjectOptions {
  /** The subject, at most 1,000 bytes of UTF-8. */
  readonly subject: string
  /** How many of the newest to skip. */
  readonly skip: number
  /** How many to return at most; at least one. */
  readonly limit: number
}

/**
 * An attempt in a list, with enough data to remove it.
 *
 * @since 0.1.0
 */
export interface Listed {
  readonly key: string
  readonly version: number
  readonly state: ConsentAttempt.Stored["_tag"]
}

/**
 * Stores consent attempts, by client id and a digest of their `state`.
 *
 * @since 0.1.0
 */
export class AttemptStore extends Context.Service<
  AttemptStore,
  VersionedStore.VersionedStore<string, VersionedStore.Stored<ConsentAttempt.Stored>> & {
    /**
     * Lists the attempts of a subject in any state, newest `startedAt` first. The library removes those beyond
     * `Settings.attemptsPerSubject`, so use an index. Fails with `StoreFailed`.
     */
    readonly bySubject: (options: SubjectOptions) => Effect.Effect<ReadonlyArray<Listed>, StoreFailed>
  }
>()("@zapier-workflow-auth/core/store/AttemptStore") {}

/**
 * The name of the attempt that belongs to a `state`: its SHA-256, which does not reveal it.
 *
 * `ZapierAuth.authorizationUrl` returns it as `attempt`; the store's key has the client id before it.
 *
 * @since 0.1.0
 */
export const keyOf = (state: Redacted.Redacted): Effect.Effect<string, never, Digest> => sha256(state)

/**
 * How often a store should remove expired attempts, in milliseconds.
 *
 * @since 0.1.0
 */
export const sweepInterval = 60_000

/**
 * How long a store should keep expired attempts, in milliseconds, so that late users get an explanation.
 *
 * @since 0.1.0
 */
export const retention = 3_600_000

// The keys of each subject, in order of first writing.
const makeIndex = () => {
  const keys = new Map<string, Set<string>>()
  return {
    of: (subject: string): Iterable<string> => keys.get(subject) ?? [],
    add: (subject: string, key: string) => {
      const known = keys.get(subject)
      if (known === undefined) keys.set(subject, new Set([key]))
      else known.add(key)
    },
    drop: (subject: string, key: string) => {
      const known = keys.get(subject)
      known?.delete(key)
      if (known?.size === 0) keys.delete(subject)
    }
  }
}

/**
 * Keeps attempts in memory. They are lost with the process, and removed an hour after they expire.
 *
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<AttemptStore> = Layer.sync(AttemptStore, () => {
  const { entries, ...store } = VersionedStore.makeMemory<string, VersionedStore.Stored<ConsentAttempt.Stored>>(
    (key) => key
  )
  const index = makeIndex()
  let sweptAt = 0
  const sweep = Effect.map(Clock.currentTimeMillis, (now) => {
    if (Math.abs(now - sweptAt) < sweepInterval) return
    sweptAt = now
    for (const [key, { value }] of entries) {
      if (value.expiresAt + retention > now) continue
      entries.delete(key)
      index.drop(value.subject, key)
    }
  })
  /** Updates the index after a change of the key's entry. */
  const indexed = <E>(key: string, change: Effect.Effect<boolean, E>) =>
    Effect.suspend(() => {
      const before = entries.get(key)
      return Effect.map(change, (isDone) => {
        const after = entries.get(key)
        if (before?.value.subject === after?.value.subject) return isDone
        if (before !== undefined) index.drop(before.value.subject, key)
        if (after !== undefined) index.add(after.value.subject, key)
        return isDone
      })
    })
  return {
    get: store.get,
    compareAndSet: (key, expected, value) =>
      Effect.andThen(sweep, indexed(key, store.compareAndSet(key, expected, value))),
    remove: (key, expected) => indexed(key, store.remove(key, expected)),
    bySubject: ({ limit, skip, subject }) =>
      Effect.sync(() =>
        Array.from(index.of(subject))
          .flatMap((key) => entries.get(key) ?? [])
          .sort((a, b) => b.value.startedAt - a.value.startedAt || b.version - a.version)
          .slice(Math.max(0, skip))
          .slice(0, Math.max(1, limit))
          .map(({ key, value, version }) => ({ key, version, state: value._tag }))
      )
  }
})
