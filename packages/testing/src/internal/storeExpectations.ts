/** What the laws of stores are made of: what has to be there, and what a write has to do. */
import type * as VersionedStore from "@zapier-workflow-auth/core/store/VersionedStore"
import type * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { expectThat, Unmet, type Watched } from "./storeTrial.ts"

/** What the laws need to know of the keys and records of a store. */
export interface Kind<Key, A> {
  /** A key with that name, in plain letters. */
  readonly keyOf: (place: string, name: string) => Key
  /** Keys that differ, and look alike to somebody. */
  readonly lookalikes: (place: string) => ReadonlyArray<Key>
  /** Keys of a thousand characters, if keys may be as long. */
  readonly long?: (place: string) => ReadonlyArray<Key>
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
export const none = undefined

const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null

/**
 * Where two records differ first, secrets included: `Redacted` values look alike to every other comparison. No value is
 * told.
 */
const difference = (a: unknown, b: unknown, path = ""): string | undefined => {
  const place = path === "" ? "the record" : path
  if (Redacted.isRedacted(a) && Redacted.isRedacted(b)) return difference(Redacted.value(a), Redacted.value(b), place)
  if (Redacted.isRedacted(a) || Redacted.isRedacted(b)) return place
  if (!isObject(a) || !isObject(b)) return a === b ? undefined : place
  if (Array.isArray(a) !== Array.isArray(b)) return place
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[name], b[name], path === "" ? name : `${path}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** The record of a key that has to have one. */
export const found = <Key, A>({ get }: Watched<Key, A>, key: Key): Effect.Effect<VersionedStore.Versioned<A>, Unmet> =>
  Effect.flatMap(get(key), (record) =>
    record === undefined
      ? Effect.fail(new Unmet({ expected: "the record that was written", seen: "none" }))
      : Effect.succeed(record)
  )

/** A key has no record. */
export const isAbsent = <Key, A>({ get }: Watched<Key, A>, key: Key): Effect.Effect<void, Unmet> =>
  Effect.flatMap(get(key), (record) => expectThat(record === undefined, "no record", "a record"))

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

const actOf = (value: unknown) => (value === undefined ? "removal" : "write")

const succeeds = <Key, A>(store: Watched<Key, A>, key: Key, expected: number | undefined, value?: A) =>
  Effect.flatMap(store.change(key, expected, value), (isChanged) =>
    expectThat(isChanged, `a ${actOf(value)} that expects what is there to succeed`, "it was refused")
  )

/** Writes, which has to succeed, and returns the record that is there then. */
export const written = <Key, A>(store: Watched<Key, A>, key: Key, expected: number | undefined, value: A) =>
  Effect.andThen(succeeds(store, key, expected, value), has(store, key, value))

/** Removes the record of a key, which has to succeed. */
export const removed = <Key, A>(store: Watched<Key, A>, key: Key, expected: number | undefined) =>
  Effect.andThen(succeeds(store, key, expected), isAbsent(store, key))

/** Writes, or removes where there is no value, which has to be refused. */
export const isRefused = <Key, A>(store: Watched<Key, A>, key: Key, expected: number | undefined, value?: A) =>
  Effect.flatMap(store.change(key, expected, value), (isChanged) =>
    expectThat(!isChanged, `a ${actOf(value)} that expects what is not there to be refused`, "it succeeded")
  )

/** The versions of a key grow. */
export const isLater = (after: { readonly version: number }, before = -Infinity) =>
  expectThat(after.version > before, `a version greater than ${before}`, `version ${after.version}`)
