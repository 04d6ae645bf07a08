/**
 * What holds for every store in memory.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as VersionedStore from "../../src/VersionedStore.ts"

// What a random program does to a store of two keys. A write expects the version that it saw, an older one, or none.
const Operation = Schema.Struct({
  key: Schema.Literals([0, 1]),
  act: Schema.Literals(["write", "remove"]),
  expects: Schema.Literals(["current", "first", "none", "unheard-of"])
})

const versionOf = (record: Option.Option<VersionedStore.Versioned<unknown>>) =>
  Option.map(record, ({ version }) => version)

/** Registers the tests. `values` are different from each other. */
export const describeStore = <Key, A, E, R>(
  name: string,
  make: Effect.Effect<VersionedStore.VersionedStore<Key, A>, E, R>,
  provide: <B, E2>(effect: Effect.Effect<B, E2, R>) => Effect.Effect<B, E2 | E>,
  keys: readonly [Key, Key],
  values: readonly [A, A]
) => {
  const test = <B, E2>(f: (store: VersionedStore.VersionedStore<Key, A>) => Effect.Effect<B, E2>) =>
    provide(Effect.flatMap(make, f))
  const [key, otherKey] = keys
  const [value, otherValue] = values
  const { none, some } = Option

  const valueOf = (store: VersionedStore.VersionedStore<Key, A>, key: Key) =>
    Effect.map(store.get(key), (record) => Option.getOrUndefined(record)?.value)

  /** The version of a record that has to be there. */
  const currentOf = (store: VersionedStore.VersionedStore<Key, A>, key: Key) =>
    Effect.map(store.get(key), (record) => Option.getOrThrow(record).version)

  describe(`${name}: compare and set`, () => {
    it.effect("a key has no record until one is written, where none is expected", () =>
      test((store) =>
        Effect.gen(function* () {
          expect(yield* store.get(key)).toEqual(none())
          expect(yield* store.compareAndSet(key, some(1), value)).toBe(false)
          expect(yield* store.get(key)).toEqual(none())
          expect(yield* store.compareAndSet(key, none(), value)).toBe(true)
          expect(yield* valueOf(store, key)).toBe(value)
        })
      )
    )

    it.effect("a record is replaced by whoever knows its version, and by nobody else", () =>
      test((store) =>
        Effect.gen(function* () {
          yield* store.compareAndSet(key, none(), value)
          const version = yield* currentOf(store, key)
          expect(yield* store.compareAndSet(key, none(), otherValue)).toBe(false)
          expect(yield* store.compareAndSet(key, some(version + 1), otherValue)).toBe(false)
          expect(yield* valueOf(store, key)).toBe(value)
          expect(yield* store.compareAndSet(key, some(version), otherValue)).toBe(true)
          expect(yield* valueOf(store, key)).toBe(otherValue)
          expect(yield* store.compareAndSet(key, some(version), value)).toBe(false)
          expect(yield* valueOf(store, key)).toBe(otherValue)
        })
      )
    )

    it.effect("writing the same value again makes a new version", () =>
      test((store) =>
        Effect.gen(function* () {
          yield* store.compareAndSet(key, none(), value)
          const version = yield* currentOf(store, key)
          yield* store.compareAndSet(key, some(version), value)
          expect(yield* currentOf(store, key)).toBeGreaterThan(version)
        })
      )
    )

    it.effect("a removed record is gone, and removing nothing is no error", () =>
      test((store) =>
        Effect.gen(function* () {
          yield* store.compareAndSet(key, none(), value)
          yield* store.compareAndSet(otherKey, none(), otherValue)
          const version = yield* currentOf(store, key)
          yield* store.remove(key)
          yield* store.remove(key)
          expect(yield* store.get(key)).toEqual(none())
          expect(yield* store.compareAndSet(key, some(version), value)).toBe(false)
          expect(yield* valueOf(store, otherKey)).toBe(otherValue)
        })
      )
    )

    it.effect("a record that is made anew is not mistaken for the one before", () =>
      test((store) =>
        Effect.gen(function* () {
          yield* store.compareAndSet(key, none(), value)
          const version = yield* currentOf(store, key)
          yield* store.remove(key)
          expect(yield* store.compareAndSet(key, none(), value)).toBe(true)
          expect(yield* currentOf(store, key)).toBeGreaterThan(version)
          expect(yield* store.compareAndSet(key, some(version), otherValue)).toBe(false)
        })
      )
    )

    it.effect.prop(
      "in any program: a write succeeds exactly if its expectation holds, and versions of a key only grow",
      { program: Schema.Array(Operation) },
      ({ program }) =>
        test((store) =>
          Effect.gen(function* () {
            const first: [number | undefined, number | undefined] = [undefined, undefined]
            const seen: [number, number] = [-Infinity, -Infinity]
            for (const [index, { act, expects, key }] of program.entries()) {
              const before = yield* store.get(keys[key])
              const untouched = yield* store.get(keys[key === 0 ? 1 : 0])
              if (act === "remove") {
                yield* store.remove(keys[key])
                expect(yield* store.get(keys[key])).toEqual(none())
              } else {
                const expected = {
                  current: versionOf(before),
                  first: Option.fromUndefinedOr(first[key]),
                  none: none<number>(),
                  "unheard-of": some(-1)
                }[expects]
                const written = values[index % 2 === 0 ? 0 : 1]
                const holds = Option.getOrUndefined(expected) === Option.getOrUndefined(versionOf(before))
                expect(yield* store.compareAndSet(keys[key], expected, written)).toBe(holds)
                const after = yield* store.get(keys[key])
                if (holds) {
                  const { value, version } = Option.getOrThrow(after)
                  expect(value).toBe(written)
                  expect(version).toBeGreaterThan(seen[key])
                  seen[key] = version
                  first[key] ??= version
                } else {
                  expect(after).toEqual(before)
                }
              }
              expect(yield* store.get(keys[key === 0 ? 1 : 0])).toEqual(untouched)
            }
          })
        )
    )
  })

  describe(`${name}: several writers at once`, () => {
    const Writers = Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 40 }))

    it.effect.prop(
      "of those who expect the same, exactly one succeeds",
      { writers: Writers, isThere: Schema.Boolean },
      ({ isThere, writers }) =>
        test((store) =>
          Effect.gen(function* () {
            if (isThere) yield* store.compareAndSet(key, none(), value)
            const write = Effect.gen(function* () {
              const expected = versionOf(yield* store.get(key))
              // All have looked before anybody writes.
              yield* Effect.yieldNow
              return yield* store.compareAndSet(key, expected, otherValue)
            })
            const results = yield* Effect.replicateEffect(write, writers, { concurrency: "unbounded" })
            expect(results.filter((succeeded) => succeeded)).toHaveLength(1)
          })
        )
    )

    it.effect.prop("who tries until it succeeds loses no write", { writers: Writers }, ({ writers }) =>
      test((store) =>
        Effect.gen(function* () {
          const versions = new Set<number>()
          const write = Effect.gen(function* () {
            while (true) {
              const expected = versionOf(yield* store.get(key))
              yield* Effect.yieldNow
              if (yield* store.compareAndSet(key, expected, value)) {
                versions.add(yield* currentOf(store, key))
                return
              }
            }
          })
          yield* Effect.replicateEffect(write, writers, { concurrency: "unbounded", discard: true })
          expect(versions.size).toBe(writers)
        })
      )
    )
  })
}

// What a careless key would mix up: separators, quotes, escapes, and halves of surrogate pairs.
const Awkward = Schema.Union([
  Schema.String,
  Schema.Array(
    Schema.Literals(["a", '"', ",", "[", "]", "\\", "\\u0000", "\0", ":", "/", "|", " ", "-", "\ud800", "😀"])
  ).check(Schema.isMaxLength(6))
])

/** Texts of all kinds of characters. */
export const awkward: Arbitrary.Arbitrary<string> = Arbitrary.map(Arbitrary.schema(Awkward), (text) =>
  typeof text === "string" ? text : text.join("")
)

// All ways to make one text of two, next to each other or with a character of the text itself between them.
const pairsOf = (text: string): ReadonlyArray<readonly [string, string]> => {
  const places = Array.from({ length: text.length + 1 }, (_, place) => place)
  return [
    ...places.map((place) => [text.slice(0, place), text.slice(place)] as const),
    ...places.slice(0, -1).map((place) => [text.slice(0, place), text.slice(place + 1)] as const)
  ]
}

/** Registers the tests of a store whose keys are pairs of texts. `valueOf` gives different values. */
export const describePairs = <Key, A, E, R>(
  name: string,
  make: Effect.Effect<VersionedStore.VersionedStore<Key, A>, E, R>,
  provide: <B, E2>(effect: Effect.Effect<B, E2, R>) => Effect.Effect<B, E2 | E>,
  keyOf: (first: string, second: string) => Key,
  valueOf: (index: number) => A
) => {
  it.effect.prop(
    `${name}: each pair has a record of its own, whatever the characters`,
    { text: awkward },
    ({ text }) =>
      provide(
        Effect.gen(function* () {
          const store = yield* make
          const keys = pairsOf(text).map(([first, second]) => keyOf(first, second))
          const values = keys.map((_, index) => valueOf(index))
          const write = (key: Key, index: number) => store.compareAndSet(key, Option.none(), valueOf(index))
          const written = yield* Effect.forEach(keys, write)
          expect(written).toEqual(keys.map(() => true))
          const read = Effect.forEach(keys, (key) =>
            Effect.map(
              store.get(key),
              Option.map(({ value }) => value)
            )
          )
          expect(yield* read).toEqual(values.map(Option.some))
          yield* Effect.forEach(keys.slice(0, 1), store.remove)
          expect(yield* read).toEqual([Option.none(), ...values.slice(1).map(Option.some)])
        })
      ),
    { arbitrary: { runs: 500 } }
  )
}
