/** What the laws of stores are made of: what has to be there, and what a write has to do. */
import type * as VersionedStore from "@zapier-workflow-auth/core/store/VersionedStore"
import type * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { difference } from "./storeRecords.ts"
import { expectThat, Unmet, type Watched } from "./storeTrial.ts"

/** What the laws need to know of the keys and records of a store. */
export interface Kind<Key, A> {
  /** A key with that name, in plain letters. */
  readonly keyOf: (place: string, name: string) => Key
  /** Keys that differ, and look alike to somebody. */
  readonly lookalikes: (place: string) => ReadonlyArray<Key>
  /** Generated sets of keys that differ. */
  readonly awkward: Arbitrary.Arbitrary<(place: string) => ReadonlyArray<Key>>
  /** All records that there may be. */
  readonly records: Arbitrary.Arbitrary<A>
  /** The record as one that may stand under the key. */
  readonly fit: (key: Key, record: A) => A
  /** A record with a number in it. */
  readonly record: (key: Key, number: number) => A
  readonly numberOf: (record: A) => number | undefined
  /** A record with the text wherever it may hold any text. */
  readonly recordOfText: (key: Key, text: string) => A
}

/** No record is expected. */
export const none = Option.none<number>()

/** The record of a key that has to have one. */
export const found = <Key, A>({ get }: Watched<Key, A>, key: Key): Effect.Effect<VersionedStore.Versioned<A>, Unmet> =>
  Effect.flatMap(
    get(key),
    Option.match({
      onNone: () => Effect.fail(new Unmet({ expected: "the record that was written", seen: "none" })),
      onSome: Effect.succeed
    })
  )

/** A key has no record. */
export const isAbsent = <Key, A>({ get }: Watched<Key, A>, key: Key): Effect.Effect<void, Unmet> =>
  Effect.flatMap(get(key), (record) => expectThat(Option.isNone(record), "no record", "a record"))

/** A key has this record. */
export const has = <Key, A>(store: Watched<Key, A>, key: Key, value: A) =>
  Effect.tap(found(store, key), (record) => {
    const place = difference(value, record.value)
    return expectThat(place === undefined, "the record as it was written last", `one that differs in ${place}`)
  })

/** A key has this record in this version. */
export const isUnchanged = <Key, A>(
  store: Watched<Key, A>,
  key: Key,
  { value, version }: VersionedStore.Versioned<A>
) =>
  Effect.flatMap(has(store, key, value), (record) =>
    expectThat(record.version === version, `version ${version}, as before`, `version ${record.version}`)
  )

/** Writes, which has to succeed, and returns the record that is there then. */
export const written = <Key, A>(store: Watched<Key, A>, key: Key, expected: Option.Option<number>, value: A) =>
  Effect.gen(function* () {
    const isWritten = yield* store.compareAndSet(key, expected, value)
    yield* expectThat(isWritten, "a write that expects what is there to succeed", "it was refused")
    return yield* has(store, key, value)
  })

/** Writes, which has to be refused. */
export const isRefused = <Key, A>(store: Watched<Key, A>, key: Key, expected: Option.Option<number>, value: A) =>
  Effect.flatMap(store.compareAndSet(key, expected, value), (isWritten) =>
    expectThat(!isWritten, "a write that expects what is not there to be refused", "it succeeded")
  )

/** Removes the record of a key, which has to succeed. */
export const removed = <Key, A>(store: Watched<Key, A>, key: Key, expected: number): Effect.Effect<void, Unmet> =>
  Effect.gen(function* () {
    const isRemoved = yield* store.remove(key, expected)
    yield* expectThat(isRemoved, "a removal that expects what is there to succeed", "it was refused")
    yield* isAbsent(store, key)
  })

/** Removes, which has to be refused. */
export const isNotRemoved = <Key, A>(store: Watched<Key, A>, key: Key, expected: number): Effect.Effect<void, Unmet> =>
  Effect.flatMap(store.remove(key, expected), (isRemoved) =>
    expectThat(!isRemoved, "a removal that expects what is not there to be refused", "it succeeded")
  )

/** The versions of a key grow. */
export const isLater = (after: { readonly version: number }, before: number) =>
  expectThat(after.version > before, `a version greater than ${before}`, `version ${after.version}`)

/** Every key has a record of its own. */
export const areApart = <Key, A>({ record }: Kind<Key, A>, store: Watched<Key, A>, keys: ReadonlyArray<Key>) =>
  Effect.gen(function* () {
    const recordOf = (index: number, key: Key) => record(key, index + 1)
    for (const [index, key] of keys.entries()) yield* written(store, key, none, recordOf(index, key))
    for (const [index, key] of keys.entries()) {
      const { version } = yield* has(store, key, recordOf(index, key))
      if (index % 2 === 0) yield* removed(store, key, version)
    }
    for (const [index, key] of keys.entries()) {
      yield* index % 2 === 0 ? isAbsent(store, key) : has(store, key, recordOf(index, key))
    }
  })
