/**
 * The operations that the library needs of a store. Anything with compare-and-set can implement them.
 *
 * Leases are kept in the records, so that no other lock is needed, and no transaction spans a network call.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Tokens from "../oauth/Tokens.ts"
import type { DecryptionFailed, StoreFailed } from "../ZapierAuthError.ts"

/**
 * A record as a store keeps it.
 *
 * `seal` is set if `EncryptedStores` wrote the record. A store keeps it like any other field.
 *
 * @since 0.1.0
 */
export type Stored<A> = A & {
  /** The whole record, encrypted. */
  readonly seal?: typeof Tokens.Secret.Type
}

/**
 * A record and its version. The versions of a key only grow, even across a removal, so that no version is used twice.
 *
 * @since 0.1.0
 */
export interface Versioned<A> {
  readonly version: number
  readonly value: A
}

/**
 * The errors of a store: `StoreFailed`, and `DecryptionFailed` if it encrypts.
 *
 * The library's operations fail with a `ZapierAuthError` whose reason is such an error.
 *
 * @since 0.1.0
 */
export type StoreError = StoreFailed | DecryptionFailed

/**
 * A store of versioned records, changed and removed by compare-and-set.
 *
 * @since 0.1.0
 */
export interface VersionedStore<in Key, in out A> {
  /** Reads a record. Fails with `StoreFailed`, or with `DecryptionFailed`, which has the record's version. */
  readonly get: (key: Key) => Effect.Effect<Option.Option<Versioned<A>>, StoreError>
  /**
   * Writes the record if it has the expected version, or does not exist if none is expected. Returns true if it was written.
   *
   * Of several writers that expect the same version, exactly one succeeds. After `StoreFailed` the write may or may not have
   * happened. `DecryptionFailed` means that nothing was written, because the record is sealed by a key that the store lacks.
   */
  readonly compareAndSet: (key: Key, expected: Option.Option<number>, value: A) => Effect.Effect<boolean, StoreError>
  /**
   * Removes the record if it has the expected version. Returns true if it was removed.
   *
   * Of several writers and removers that expect the same version, exactly one succeeds. After `StoreFailed` the removal may
   * or may not have happened.
   */
  readonly remove: (key: Key, expected: number) => Effect.Effect<boolean, StoreError>
}

/**
 * Makes a store in memory. Its entries are in order of first writing.
 *
 * @internal
 */
export const makeMemory = <Key, A>(
  toText: (key: Key) => string
): VersionedStore<Key, A> & { readonly entries: Map<string, Versioned<A> & { readonly key: Key }> } => {
  const entries = new Map<string, Versioned<A> & { readonly key: Key }>()
  let version = 0
  return {
    entries,
    get: (key) => Effect.sync(() => Option.fromUndefinedOr(entries.get(toText(key)))),
    compareAndSet: (key, expected, value) =>
      Effect.sync(() => {
        const text = toText(key)
        if (entries.get(text)?.version !== Option.getOrUndefined(expected)) return false
        entries.set(text, { key, version: ++version, value })
        return true
      }),
    remove: (key, expected) =>
      Effect.sync(() => {
        const text = toText(key)
        return entries.get(text)?.version === expected && entries.delete(text)
      })
  }
}
