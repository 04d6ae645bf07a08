/** The laws of every store with compare-and-set. */
import type * as VersionedStore from "@zapier-workflow-auth/core/store/VersionedStore"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Law } from "../StoreLaw.ts"
import {
  areApart,
  found,
  has,
  isAbsent,
  isLater,
  isNotRemoved,
  isRefused,
  isUnchanged,
  type Kind,
  none,
  removed,
  written
} from "./storeExpectations.ts"
import { values } from "./storeRecords.ts"
import { expectThat, law, type Port, property, type Trial, Unmet, type Watched } from "./storeTrial.ts"

// What a random program does to a store of three keys. It expects the version that is there, one from before, none, or one
// that never was.
const Operation = Schema.Struct({
  key: Schema.Literals([0, 1, 2]),
  act: Schema.Literals(["write", "write", "remove"]),
  expects: Schema.Literals(["current", "current", "first", "previous", "none", "next", "unheard-of"])
})

type Operation = typeof Operation.Type

interface Model<A> {
  readonly record: Option.Option<VersionedStore.Versioned<A>>
  readonly versions: ReadonlyArray<number>
}

const expectedOf = <A>({ record, versions }: Model<A>, expects: Operation["expects"]): Option.Option<number> => {
  switch (expects) {
    case "current":
      return Option.map(record, ({ version }) => version)
    case "first":
      return Option.fromUndefinedOr(versions[0])
    case "previous":
      return Option.fromUndefinedOr(versions.at(-2))
    case "none":
      return none
    case "next":
      return Option.some((versions.at(-1) ?? 0) + 1)
    case "unheard-of":
      return Option.some(-1)
  }
}

const isLike = <Key, A>(store: Watched<Key, A>, key: Key, { record }: Model<A>) =>
  Option.match(record, {
    onNone: () => isAbsent(store, key),
    onSome: (value) => isUnchanged(store, key, value)
  })

const runProgram = <Key, A>(
  { keyOf, record }: Kind<Key, A>,
  { place, store }: Trial<Watched<Key, A>>,
  program: ReadonlyArray<Operation>
) =>
  Effect.gen(function* () {
    const keys = ["a", "b", "c"].map((name) => keyOf(place, name))
    const models = keys.map((): Model<A> => ({ record: Option.none(), versions: [] }))
    for (const [index, { act, expects, key: which }] of program.entries()) {
      const [key, model] = [keys[which], models[which]]
      if (key === undefined || model === undefined) continue
      const expected = expectedOf(model, expects)
      const current = Option.getOrUndefined(model.record)?.version
      if (act === "remove") {
        const version = Option.getOrElse(expected, () => 0)
        if (version === current) {
          yield* removed(store, key, version)
          models[which] = { ...model, record: Option.none() }
        } else {
          yield* isNotRemoved(store, key, version)
        }
      } else {
        const value = record(key, index + 1)
        if (Option.getOrUndefined(expected) === current) {
          const after = yield* written(store, key, expected, value)
          yield* isLater(after, model.versions.at(-1) ?? -Infinity)
          models[which] = { record: Option.some(after), versions: [...model.versions, after.version] }
        } else {
          yield* isRefused(store, key, expected, value)
        }
      }
      for (const [other, like] of models.entries()) {
        const key = keys[other]
        if (key !== undefined) yield* isLike(store, key, like)
      }
    }
  })

/** Counts on with compare-and-set until it succeeds. */
export const countOn = <Key, A>(
  { numberOf, record }: Kind<Key, A>,
  store: Watched<Key, A>,
  key: Key,
  writers: number
): Effect.Effect<void, Unmet> =>
  Effect.gen(function* () {
    for (let attempt = 0; attempt < writers; attempt++) {
      const before = Option.getOrUndefined(yield* store.get(key))
      // Others come between.
      yield* Effect.yieldNow
      const number = before === undefined ? 0 : (numberOf(before.value) ?? 0)
      const expected = Option.map(Option.fromUndefinedOr(before), ({ version }) => version)
      if (yield* store.compareAndSet(key, expected, record(key, number + 1))) return
    }
    const expected = `a writer among ${writers} to succeed at last: it is refused only if another has written meanwhile`
    return yield* new Unmet({ expected, seen: `${writers} refusals` })
  })

const Writers = Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 40 }))

const Act = Schema.Literals(["write", "remove"])

/** Somebody who writes or removes. Nothing can be removed where no record is expected: then all write. */
export interface Contestant<Key, A> {
  readonly store: Watched<Key, A>
  readonly act: typeof Act.Type
}

/** Of those who expect the same, exactly one succeeds, and what it did is there then. Writers write numbers from 1. */
export const hasOneWinner = <Key, A>(
  { record }: Kind<Key, A>,
  contestants: ReadonlyArray<Contestant<Key, A>>,
  key: Key,
  expected: Option.Option<number>
) =>
  Effect.gen(function* () {
    const compete = ({ act, store }: Contestant<Key, A>, index: number) =>
      Effect.andThen(
        Effect.yieldNow,
        act === "remove" && Option.isSome(expected)
          ? store.remove(key, expected.value)
          : store.compareAndSet(key, expected, record(key, index + 1))
      )
    const results = yield* Effect.forEach(contestants, compete, { concurrency: "unbounded" })
    const count = results.filter((hasSucceeded) => hasSucceeded).length
    yield* expectThat(count === 1, `one of ${contestants.length} writers and removers to succeed`, `${count} succeeded`)
    const winner = results.indexOf(true)
    const isRemoved = contestants[winner]?.act === "remove" && Option.isSome(expected)
    for (const store of new Set(contestants.map(({ store }) => store))) {
      yield* isRemoved ? isAbsent(store, key) : has(store, key, record(key, winner + 1))
    }
  })

// Either a writer replaces the record, or it is removed and at most one writer makes it anew.
const removeAmongWriters = <Key, A>(
  { keyOf, numberOf, record }: Kind<Key, A>,
  { place, store }: Trial<Watched<Key, A>>,
  writers: number
) =>
  Effect.gen(function* () {
    const key = keyOf(place, "a")
    const { version } = yield* written(store, key, none, record(key, 1))
    const write = (expected: Option.Option<number>, number: number) =>
      Effect.andThen(Effect.yieldNow, store.compareAndSet(key, expected, record(key, number)))
    const numbers = Array.from({ length: writers }, (_, index) => index + 2)
    const { anew, isRemoved, replaced } = yield* Effect.all(
      {
        replaced: Effect.forEach(numbers, (number) => write(Option.some(version), number + writers), {
          concurrency: "unbounded"
        }),
        isRemoved: Effect.andThen(Effect.yieldNow, store.remove(key, version)),
        anew: Effect.forEach(numbers, (number) => write(none, number), { concurrency: "unbounded" })
      },
      { concurrency: "unbounded" }
    )
    const after = Option.getOrUndefined(yield* store.get(key))
    const seen = after === undefined ? undefined : numberOf(after.value)
    const replacements = numbers.filter((_, index) => replaced[index] === true).map((number) => number + writers)
    yield* expectThat(
      replacements.length === (isRemoved ? 0 : 1),
      "either the removal or one of the writers who expect the version to succeed",
      `the removal was ${isRemoved ? "done" : "refused"}, and ${replacements.length} writers succeeded`
    )
    const succeeded = isRemoved ? numbers.filter((_, index) => anew[index] === true) : replacements
    yield* expectThat(
      succeeded.length <= 1 && succeeded[0] === seen && (isRemoved || !anew.includes(true)),
      "the record that was written last, by a writer who expected what was there",
      `${succeeded.length} such writers succeeded, and there is ${after === undefined ? "none" : "a record"}`
    )
    if (after !== undefined) yield* isLater(after, version)
    yield* isRefused(store, key, Option.some(version), record(key, 1))
  })

/** The laws of a store whose keys and records are of a kind. */
export const laws = <S, Key, A, Raw, Store extends Watched<Key, A>>(
  port: Port<S, Key, Raw, Store>,
  kind: Kind<Key, A>
): ReadonlyArray<Law<S>> => {
  const { fit, keyOf, record } = kind
  return [
    law(port, "a key has no record until one is written where none is expected", ({ place, store }) =>
      Effect.gen(function* () {
        const key = keyOf(place, "a")
        yield* isAbsent(store, key)
        yield* Effect.forEach([0, 1, -1], (version) => isRefused(store, key, Option.some(version), record(key, 1)))
        yield* isAbsent(store, key)
        yield* written(store, key, none, record(key, 2))
        yield* isAbsent(store, keyOf(place, "b"))
      })
    ),
    property(port, "a record comes back as it was written, secrets included", kind.records, ({ place, store }, drawn) =>
      Effect.gen(function* () {
        const key = keyOf(place, "a")
        const { version } = yield* written(store, key, none, record(key, 1))
        const value = fit(key, drawn)
        yield* Effect.flatMap(written(store, key, Option.some(version), value), (after) =>
          isUnchanged(store, key, after)
        )
      })
    ),
    law(port, "a record comes back whatever the size and the characters of its texts", ({ place, store }) =>
      Effect.forEach(
        values,
        ([name, text]) => {
          const key = keyOf(place, "a")
          const write = written(store, key, none, kind.recordOfText(key, text))
          return Effect.mapError(
            Effect.flatMap(write, ({ version }) => removed(store, key, version)),
            ({ expected, seen }) => new Unmet({ expected: `${expected}, with ${name}`, seen })
          )
        },
        { discard: true }
      )
    ),
    law(port, "a record is replaced by whoever knows its version, and by nobody else", ({ place, store }) =>
      Effect.gen(function* () {
        const key = keyOf(place, "a")
        const first = yield* written(store, key, none, record(key, 1))
        const wrong = [none, ...[first.version + 1, first.version - 1, -1].map(Option.some)]
        for (const expected of wrong) yield* isRefused(store, key, expected, record(key, 2))
        yield* isUnchanged(store, key, first)
        const second = yield* written(store, key, Option.some(first.version), record(key, 3))
        yield* isRefused(store, key, Option.some(first.version), record(key, 4))
        yield* isUnchanged(store, key, second)
      })
    ),
    law(port, "writing the same value again makes a new version", ({ place, store }) =>
      Effect.gen(function* () {
        const key = keyOf(place, "a")
        const first = yield* written(store, key, none, record(key, 1))
        const second = yield* written(store, key, Option.some(first.version), record(key, 1))
        yield* isLater(second, first.version)
        yield* isRefused(store, key, Option.some(first.version), record(key, 1))
      })
    ),
    law(port, "a record is removed by whoever knows its version, and by nobody else", ({ place, store }) =>
      Effect.gen(function* () {
        const [key, other] = [keyOf(place, "a"), keyOf(place, "b")]
        const first = yield* written(store, key, none, record(key, 1))
        const second = yield* written(store, key, Option.some(first.version), record(key, 2))
        const kept = yield* written(store, other, none, record(other, 3))
        const wrong = [first.version, second.version + 1, second.version - 1, kept.version, 0, -1]
        for (const version of wrong) {
          if (version === second.version) continue
          yield* isNotRemoved(store, key, version)
          yield* isUnchanged(store, key, second)
        }
        yield* removed(store, key, second.version)
        yield* isUnchanged(store, other, kept)
      })
    ),
    law(port, "removing what is not there is refused, and is no error", ({ place, store }) =>
      Effect.gen(function* () {
        const [key, other] = [keyOf(place, "a"), keyOf(place, "b")]
        const kept = yield* written(store, other, none, record(other, 1))
        for (const version of [0, 1, -1, kept.version]) yield* isNotRemoved(store, key, version)
        const { version } = yield* written(store, key, none, record(key, 2))
        yield* removed(store, key, version)
        yield* isNotRemoved(store, key, version)
        yield* isAbsent(store, key)
        yield* isUnchanged(store, other, kept)
      })
    ),
    law(port, "a version from before a removal is never that of another record", ({ place, store }) =>
      Effect.gen(function* () {
        const key = keyOf(place, "a")
        const seen: Array<number> = []
        for (let round = 1; round <= 5; round++) {
          const first = yield* written(store, key, none, record(key, round))
          yield* isLater(first, seen.at(-1) ?? -Infinity)
          for (const version of seen) yield* isRefused(store, key, Option.some(version), record(key, 9))
          const second = yield* written(store, key, Option.some(first.version), record(key, round))
          yield* isLater(second, first.version)
          for (const version of seen) yield* isNotRemoved(store, key, version)
          seen.push(first.version, second.version)
          yield* removed(store, key, second.version)
          for (const version of seen) yield* isRefused(store, key, Option.some(version), record(key, 9))
          yield* isAbsent(store, key)
        }
      })
    ),
    law(port, "versions of a key grow, whatever was removed meanwhile", ({ place, store }) =>
      Effect.gen(function* () {
        const [key, other] = [keyOf(place, "a"), keyOf(place, "b")]
        const low = yield* written(store, other, none, record(other, 1))
        let high = yield* written(store, key, none, record(key, 2))
        for (const number of [3, 4, 5]) {
          high = yield* written(store, key, Option.some(high.version), record(key, number))
        }
        yield* removed(store, key, high.version)
        // A store that begins above what was removed last would begin too low.
        yield* removed(store, other, low.version)
        yield* Effect.flatMap(written(store, key, none, record(key, 6)), (after) => isLater(after, high.version))
        yield* Effect.flatMap(written(store, other, none, record(other, 7)), (after) => isLater(after, low.version))
      })
    ),
    property(
      port,
      "in any program a write or removal succeeds exactly if its expectation holds, and versions of a key only grow",
      Arbitrary.array(Arbitrary.schema(Operation), { maxLength: 20 }),
      (trial, program) => runProgram(kind, trial, program)
    ),
    property(
      port,
      "of several writers and removers at once who expect the same, exactly one succeeds",
      Arbitrary.all({
        isThere: Arbitrary.schema(Schema.Boolean),
        acts: Arbitrary.array(Arbitrary.schema(Act), { minLength: 2, maxLength: 40 })
      }),
      ({ place, store }, { acts, isThere }) =>
        Effect.gen(function* () {
          const key = keyOf(place, "a")
          const before = isThere ? yield* written(store, key, none, record(key, 99)) : undefined
          const expected = Option.map(Option.fromUndefinedOr(before), ({ version }) => version)
          const contestants = acts.map((act) => ({ act, store }))
          yield* hasOneWinner(kind, contestants, key, expected)
        }),
      { runs: 20 }
    ),
    property(
      port,
      "whoever tries until it succeeds loses no write",
      Arbitrary.schema(Writers),
      ({ place, store }, writers) =>
        Effect.gen(function* () {
          const key = keyOf(place, "a")
          const write = countOn(kind, store, key, writers)
          yield* Effect.replicateEffect(write, writers, { concurrency: "unbounded", discard: true })
          const number = kind.numberOf((yield* found(store, key)).value)
          yield* expectThat(number === writers, `${writers} writes to count to ${writers}`, `${number}`)
        }),
      { runs: 20 }
    ),
    property(
      port,
      "a removal among writers is refused, or leaves nothing but what was written after it",
      Arbitrary.schema(Writers),
      (trial, writers) => removeAmongWriters(kind, trial, writers),
      { runs: 20 }
    ),
    law(port, "keys that look alike have a record each", ({ place, store }) =>
      areApart(kind, store, kind.lookalikes(place))
    ),
    property(
      port,
      "each key has a record of its own, whatever its characters",
      kind.awkward,
      ({ place, store }, keysOf) => areApart(kind, store, keysOf(place))
    )
  ]
}
