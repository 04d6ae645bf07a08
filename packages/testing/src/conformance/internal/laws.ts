/** The conformance suite of every store with compare-and-set. */
import type * as VersionedStore from "@zapier-workflow-auth/core/store/VersionedStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Arbitrary from "effect/Arbitrary"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Law } from "../StoreLaw.ts"
import * as Draw from "../../internal/draw.ts"
import { type Kind, large, megabyte, values } from "./keys.ts"
import { type Body, law, type Port, property, type Trial } from "./trial.ts"
import { expectThat, isLater, none, Unmet, type Watched } from "./watched.ts"

const Act = Schema.Literals(["write", "remove"])

// A step of a random program over three keys. It expects the current version, an earlier one, none, or one that never
// existed.
const Operation = Schema.Struct({
  name: Schema.Literals(["a", "b", "c"]),
  act: Schema.Literals(["write", "write", "remove"]),
  expects: Schema.Literals(["current", "current", "first", "previous", "none", "next", "unheard-of"])
})

interface Model<Key, A> {
  readonly key: Key
  record: VersionedStore.Versioned<A> | undefined
  readonly versions: Array<number>
}

const runProgram = function* <Key, A>(
  { keyOf, record }: Kind<Key, A>,
  { place, store }: Trial<Watched<Key, A>>,
  program: ReadonlyArray<typeof Operation.Type>
): Body {
  const modelOf = (name: string): Model<Key, A> => ({ key: keyOf(place, name), record: undefined, versions: [] })
  const models = { a: modelOf("a"), b: modelOf("b"), c: modelOf("c") }
  for (const [index, { act, expects, name }] of program.entries()) {
    const model = models[name]
    const expected = {
      current: model.record?.version,
      first: model.versions[0],
      previous: model.versions.at(-2),
      none,
      next: (model.versions.at(-1) ?? 0) + 1,
      "unheard-of": -1
    }[expects]
    const value = act === "remove" ? undefined : record(model.key, index + 1)
    if (expected !== model.record?.version || (act === "remove" && expected === none)) {
      yield* store.isRefused(model.key, expected, value)
    } else if (value === undefined) {
      yield* store.removed(model.key, expected)
      model.record = undefined
    } else {
      model.record = yield* store.written(model.key, expected, value)
      yield* isLater(model.record, model.versions.at(-1))
      model.versions.push(model.record.version)
    }
    for (const { key, record } of Object.values(models)) {
      yield* record === undefined ? store.isAbsent(key) : store.isUnchanged(key, record)
    }
  }
}

// Writers that retry their compare-and-set until it succeeds lose no write.
export const losesNone = function* <Key, A>(
  { numberOf, record }: Kind<Key, A>,
  stores: ReadonlyArray<Watched<Key, A>>,
  key: Key
): Body {
  const writers = stores.length
  const countOn = Effect.fnUntraced(function* (store: Watched<Key, A>) {
    for (let attempt = 0; attempt < writers; attempt++) {
      const before = yield* store.get(key)
      // Lets other writers in.
      yield* Effect.yieldNow
      const number = before === undefined ? 0 : (numberOf(before.value) ?? 0)
      if (yield* store.change(key, before?.version, record(key, number + 1))) return
    }
    const expected = `each of ${writers} writers to succeed in the end: a write is rejected only if another one succeeded since its read`
    return yield* new Unmet({ expected, actual: `${writers} rejections` })
  })
  yield* Effect.forEach(stores, countOn, { concurrency: "unbounded" })
  for (const store of new Set(stores)) {
    const number = numberOf((yield* store.found(key)).value)
    yield* expectThat(number === writers, `${writers} writes to count to ${writers}`, `${number}`)
  }
}

export interface Contestant<Key, A> {
  readonly store: Watched<Key, A>
  readonly act: typeof Act.Type
}

// Of several changes that expect the same version, exactly one succeeds and takes effect. Writers write numbers from 1.
// If no record is expected, nothing can be removed, so all of them write.
export const hasOneWinner = function* <Key, A>(
  { record }: Kind<Key, A>,
  contestants: ReadonlyArray<Contestant<Key, A>>,
  key: Key,
  expected: number | undefined
): Body {
  const values = contestants.map(({ act }, index) =>
    act === "remove" && expected !== none ? undefined : record(key, index + 1)
  )
  // All start in the same turn of the event loop: a store may read and write within one.
  const compete = ({ store }: Contestant<Key, A>, index: number) => store.change(key, expected, values[index])
  const results = yield* Effect.forEach(contestants, compete, { concurrency: "unbounded" })
  const count = results.filter((hasSucceeded) => hasSucceeded).length
  yield* expectThat(count === 1, `one of ${contestants.length} writers and removers to succeed`, `${count} succeeded`)
  const value = values[results.indexOf(true)]
  for (const store of new Set(contestants.map(({ store }) => store))) {
    yield* value === undefined ? store.isAbsent(key) : store.has(key, value)
  }
}

// Either a writer replaces the record, or it is removed and at most one writer creates it again.
const removeAmongWriters = function* <Key, A>(
  { keyOf, numberOf, record }: Kind<Key, A>,
  { place, store }: Trial<Watched<Key, A>>,
  writers: number
): Body {
  const key = keyOf(place, "a")
  const { version } = yield* store.written(key, none, record(key, 1))
  const change = (expected: number | undefined, value?: A) => store.change(key, expected, value)
  const numbers = Array.from({ length: writers }, (_, index) => index + 2)
  // The numbers of the writers that succeeded.
  const write = (expected: number | undefined, numbers: ReadonlyArray<number>) =>
    Effect.filter(numbers, (number) => change(expected, record(key, number)), { concurrency: "unbounded" })
  const higher = numbers.map((number) => number + writers)
  const [replacements, isRemoved, anew] = yield* Effect.all(
    [write(version, higher), change(version), write(none, numbers)],
    { concurrency: "unbounded" }
  )
  const after = yield* store.get(key)
  yield* expectThat(
    replacements.length === (isRemoved ? 0 : 1),
    "either the removal or one of the writers that expect the version to succeed",
    `the removal was ${isRemoved ? "done" : "rejected"}, and ${replacements.length} writers succeeded`
  )
  const succeeded = isRemoved ? anew : replacements
  yield* expectThat(
    succeeded.length <= 1 && succeeded[0] === (after && numberOf(after.value)) && (isRemoved || anew.length === 0),
    "the record of the last successful write",
    `${succeeded.length} writes succeeded, and there is ${after === undefined ? "no record" : "a record"}`
  )
  if (after !== undefined) yield* isLater(after, version)
  yield* store.isRefused(key, version, record(key, 1))
}

// Each key has its own record.
const areApart = function* <Key, A>({ record }: Kind<Key, A>, store: Watched<Key, A>, keys: ReadonlyArray<Key>): Body {
  const records = keys.map((key, index) => ({ key, value: record(key, index + 1), isKept: index % 2 === 1 }))
  for (const { key, value } of records) yield* store.written(key, none, value)
  for (const { isKept, key, value } of records) {
    const { version } = yield* store.has(key, value)
    if (!isKept) yield* store.removed(key, version)
  }
  for (const { isKept, key, value } of records) yield* isKept ? store.has(key, value) : store.isAbsent(key)
}

/** The suite for a store of this kind. */
export const laws = <S, Key, A>(port: Port<S, Key, Watched<Key, A>>, kind: Kind<Key, A>): ReadonlyArray<Law<S>> => {
  const { fit, keyOf, long, record } = kind
  // A test of two keys, run once.
  const simple = (name: string, body: (store: Watched<Key, A>, key: Key, other: Key) => Body) =>
    law(port, name, ({ place, store }) => body(store, keyOf(place, "a"), keyOf(place, "b")))
  return [
    simple("a key has no record until one is written that expects none", function* (store, key, other) {
      yield* store.isAbsent(key)
      for (const version of [0, 1, -1]) yield* store.isRefused(key, version, record(key, 1))
      yield* store.isAbsent(key)
      yield* store.written(key, none, record(key, 2))
      yield* store.isAbsent(other)
    }),
    property(
      port,
      "a record is read as it was written, secrets included",
      kind.records,
      function* ({ place, store }, drawn) {
        const key = keyOf(place, "a")
        const { version } = yield* store.written(key, none, record(key, 1))
        yield* store.isUnchanged(key, yield* store.written(key, version, fit(key, drawn)))
      }
    ),
    simple("a record keeps its seal, which encryption needs to read it", function* (store, key) {
      yield* store.writtenOrRefused(key, kind.sealed(record(key, 1), Tokens.secret("a seal")))
    }),
    law(port, "a record is preserved whatever the size and characters of its texts", function* (trial, options) {
      const { place, store } = trial
      const key = keyOf(place, "a")
      for (const [name, text] of [...values, large(options.largestText ?? megabyte)]) {
        yield* store.written(key, none, kind.recordOfText(key, text)).pipe(
          Effect.flatMap(({ version }) => store.removed(key, version)),
          Effect.mapError(({ expected, actual }) => new Unmet({ expected: `${expected}, with ${name}`, actual }))
        )
      }
      // A truncated token would be noticed only when it is used, too late.
      if (options.largestText !== undefined) {
        const [, text] = large(Math.max(options.largestText, megabyte) * 4)
        yield* store.writtenOrAbsent(key, kind.recordOfText(key, text))
      }
    }),
    simple("a record is replaced only by a write that expects its version", function* (store, key) {
      const first = yield* store.written(key, none, record(key, 1))
      const wrong = [none, first.version + 1, first.version - 1, -1]
      for (const expected of wrong) yield* store.isRefused(key, expected, record(key, 2))
      yield* store.isUnchanged(key, first)
      const second = yield* store.written(key, first.version, record(key, 3))
      yield* store.isRefused(key, first.version, record(key, 4))
      yield* store.isUnchanged(key, second)
    }),
    simple("writing the same value again makes a new version", function* (store, key) {
      const first = yield* store.written(key, none, record(key, 1))
      yield* isLater(yield* store.written(key, first.version, record(key, 1)), first.version)
      yield* store.isRefused(key, first.version, record(key, 1))
    }),
    simple("a record is removed only by a removal that expects its version", function* (store, key, other) {
      const first = yield* store.written(key, none, record(key, 1))
      const second = yield* store.written(key, first.version, record(key, 2))
      const kept = yield* store.written(other, none, record(other, 3))
      const wrong = [first.version, second.version + 1, second.version - 1, kept.version, 0, -1]
      for (const version of wrong) {
        if (version === second.version) continue
        yield* store.isRefused(key, version)
        yield* store.isUnchanged(key, second)
      }
      yield* store.removed(key, second.version)
      yield* store.isUnchanged(other, kept)
    }),
    simple("removing an absent record is rejected without an error", function* (store, key, other) {
      const kept = yield* store.written(other, none, record(other, 1))
      for (const version of [0, 1, -1, kept.version]) yield* store.isRefused(key, version)
      const { version } = yield* store.written(key, none, record(key, 2))
      yield* store.removed(key, version)
      yield* store.isRefused(key, version)
      yield* store.isAbsent(key)
      yield* store.isUnchanged(other, kept)
    }),
    simple("a version is never used again after a removal", function* (store, key) {
      const earlier: Array<number> = []
      for (let round = 1; round <= 5; round++) {
        const first = yield* store.written(key, none, record(key, round))
        yield* isLater(first, earlier.at(-1))
        for (const version of earlier) yield* store.isRefused(key, version, record(key, 9))
        const second = yield* store.written(key, first.version, record(key, round))
        yield* isLater(second, first.version)
        for (const version of earlier) yield* store.isRefused(key, version)
        earlier.push(first.version, second.version)
        yield* store.removed(key, second.version)
        for (const version of earlier) yield* store.isRefused(key, version, record(key, 9))
        yield* store.isAbsent(key)
      }
    }),
    simple("versions of a key grow, even across removals", function* (store, key, other) {
      const low = yield* store.written(other, none, record(other, 1))
      let high = yield* store.written(key, none, record(key, 2))
      for (const number of [3, 4, 5]) high = yield* store.written(key, high.version, record(key, number))
      yield* store.removed(key, high.version)
      // Remembering only the version of the last removal would be too low here.
      yield* store.removed(other, low.version)
      yield* isLater(yield* store.written(key, none, record(key, 6)), high.version)
      yield* isLater(yield* store.written(other, none, record(other, 7)), low.version)
    }),
    property(
      port,
      "in any program a write or removal succeeds exactly if its expectation holds, and versions of a key only grow",
      Arbitrary.array(Arbitrary.schema(Operation), { maxLength: 20 }),
      (trial, program) => runProgram(kind, trial, program)
    ),
    property(
      port,
      "of concurrent writes and removals that expect the same version, exactly one succeeds",
      Arbitrary.array(Arbitrary.schema(Act), { minLength: 2, maxLength: 40 }),
      function* ({ place, store }, acts) {
        const contestants = acts.map((act) => ({ act, store }))
        const [absent, present] = [keyOf(place, "a"), keyOf(place, "b")]
        yield* hasOneWinner(kind, contestants, absent, none)
        const { version } = yield* store.written(present, none, record(present, 99))
        yield* hasOneWinner(kind, contestants, present, version)
      },
      { runs: 20 }
    ),
    property(
      port,
      "writers that retry until they succeed lose no write",
      Draw.int(2, 40),
      ({ place, store }, writers) => losesNone(kind, Arr.replicate(store, writers), keyOf(place, "a")),
      { runs: 20 }
    ),
    property(
      port,
      "a removal among writers is rejected, or leaves only later writes",
      Draw.int(2, 40),
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
    ),
    ...(long === undefined
      ? []
      : [
          law(port, "keys of a thousand characters have a record each", ({ place, store }) =>
            areApart(kind, store, long(place))
          )
        ])
  ]
}
