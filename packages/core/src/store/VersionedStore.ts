/**
 * What the library asks of a store: little enough that anything with compare-and-set will do. Leases live in the records,
 * so that there is nothing else to lock, and no transaction spans a network call.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Tokens from "../oauth/Tokens.ts"
import type { DecryptionFailed, StoreFailed } from "../ZapierAuthError.ts"

/**
 * A record as stores keep it. `seal` is there if `EncryptedStores` wrote the record: a store keeps it like any other part,
 * and understands nothing of it.
 *
 * @since 0.1.0
 */
export type Stored<A> = A & {
  /** The whole record, encrypted. */
  readonly seal?: typeof Tokens.Secret.Type
}

/**
 * A record and its version. Versions of a key only grow, also over a removal: a version that was seen once is never that
 * of another record.
 *
 * @since 0.1.0
 */
export interface Versioned<A> {
  readonly version: number
  readonly value: A
}

/**
 * The errors of a store: `StoreFailed`, and `DecryptionFailed` where it encrypts. The library's operations fail with a
 * `ZapierAuthError` that has it as its reason.
 *
 * @since 0.1.0
 */
export type StoreError = StoreFailed | DecryptionFailed

/**
 * Records with versions, that are changed and removed by compare-and-set.
 *
 * @since 0.1.0
 */
export interface VersionedStore<in Key, in out A> {
  /** The record of a key. Fails with `StoreFailed`, or with `DecryptionFailed`, which has the version of the record. */
  readonly get: (key: Key) => Effect.Effect<Option.Option<Versioned<A>>, StoreError>
  /**
   * Writes the record if it still has the expected version, or none if none is expected; says whether it did. Of several
   * writers who expect the same, exactly one succeeds. Fails with `StoreFailed`, and then nothing is known of the write; or
   * with `DecryptionFailed`, and then nothing was written, if the record is sealed by a key that the store does not have.
   */
  readonly compareAndSet: (key: Key, expected: Option.Option<number>, value: A) => Effect.Effect<boolean, StoreError>
  /**
   * Removes the record if it still has the expected version; says whether it did. Of several writers and removers who
   * expect the same, exactly one succeeds. Fails with `StoreFailed`, and then nothing is known of the removal.
   */
  readonly remove: (key: Key, expected: number) => Effect.Effect<boolean, StoreError>
}

/**
 * A store in memory, with its entries in the order of their first writing.
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
