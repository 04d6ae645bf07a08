/** The laws of every store that keeps its data when it is closed. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Law } from "../StoreLaw.ts"
import {
  found,
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
import { type Contestant, countOn, hasOneWinner } from "./storeLaws.ts"
import { expectThat, type Port, reopening, type Watched } from "./storeTrial.ts"

const writers = 20

/** The laws of opening the same data again, and several times at once. */
export const laws = <S, Key, A, Raw, Store extends Watched<Key, A>>(
  port: Port<S, Key, Raw, Store>,
  kind: Kind<Key, A>
): ReadonlyArray<Law<S>> => {
  const { fit, keyOf, record } = kind
  return [
    reopening(port, "when it is opened again everything is as it was, versions included", (open, place) =>
      Effect.gen(function* () {
        const drawn = yield* Effect.orDie(Arbitrary.sampleEffect(kind.records, { count: 20, seed: "reopened" }))
        const keys = drawn.map((_, index) => keyOf(place, `${index}`))
        const records = drawn.flatMap((record, index) => {
          const key = keys[index]
          return key === undefined ? [] : [{ key, value: fit(key, record) }]
        })
        const before = yield* open((store) =>
          Effect.forEach(records, ({ key, value }) =>
            Effect.gen(function* () {
              const { version } = yield* written(store, key, none, record(key, 1))
              return { key, record: yield* written(store, key, Option.some(version), value) }
            })
          )
        )
        yield* open((store) => Effect.forEach(before, ({ key, record }) => isUnchanged(store, key, record)))
        yield* open((store) =>
          Effect.forEach(before, ({ key, record: { value, version } }) =>
            Effect.andThen(
              isRefused(store, key, none, value),
              Effect.flatMap(written(store, key, Option.some(version), value), (after) => isLater(after, version))
            )
          )
        )
      })
    ),
    reopening(port, "when it is opened again removed records are gone, and versions go on growing", (open, place) =>
      Effect.gen(function* () {
        const key = keyOf(place, "a")
        const seen: Array<number> = []
        for (let round = 1; round <= 3; round++) {
          const { version } = yield* open((store) => written(store, key, none, record(key, round)))
          yield* isLater({ version }, seen.at(-1) ?? -Infinity)
          seen.push(version)
          yield* open((store) => removed(store, key, version))
          yield* open((store) =>
            Effect.gen(function* () {
              yield* isAbsent(store, key)
              yield* isNotRemoved(store, key, version)
              for (const version of seen) yield* isRefused(store, key, Option.some(version), record(key, 9))
            })
          )
        }
        yield* open((store) =>
          Effect.gen(function* () {
            yield* written(store, key, none, record(key, 8))
            for (const version of seen) yield* isRefused(store, key, Option.some(version), record(key, 9))
          })
        )
      })
    ),
    reopening(port, "what is written through one opening is there at once in another", (open, place) =>
      open((one) =>
        open((other) =>
          Effect.gen(function* () {
            const key = keyOf(place, "a")
            yield* isAbsent(other, key)
            const first = yield* written(one, key, none, record(key, 1))
            yield* isUnchanged(other, key, first)
            const second = yield* written(other, key, Option.some(first.version), record(key, 2))
            yield* isUnchanged(one, key, second)
            yield* isRefused(one, key, Option.some(first.version), record(key, 3))
            yield* isNotRemoved(one, key, first.version)
            yield* removed(one, key, second.version)
            yield* isNotRemoved(other, key, second.version)
            yield* isAbsent(other, key)
            const third = yield* written(other, key, none, record(key, 4))
            yield* isLater(third, second.version)
            yield* isRefused(one, key, Option.some(second.version), record(key, 5))
          })
        )
      )
    ),
    reopening(
      port,
      "of writers and removers through two openings exactly one succeeds, and none of those who try again is lost",
      (open, place) =>
        open((one) =>
          open((other) =>
            Effect.gen(function* () {
              const stores = Array.from({ length: writers }, (_, index) => (index % 2 === 0 ? one : other))
              const contested = keyOf(place, "a")
              const compete = (expected: Option.Option<number>, acts: ReadonlyArray<Contestant<Key, A>["act"]>) =>
                hasOneWinner(
                  kind,
                  stores.flatMap((store) => acts.map((act) => ({ act, store }))),
                  contested,
                  expected
                )
              yield* compete(none, ["write"])
              const { version } = yield* found(other, contested)
              yield* compete(Option.some(version), ["write"])
              const last = yield* found(one, contested)
              yield* compete(Option.some(last.version), ["remove", "write"])
              const counted = keyOf(place, "b")
              yield* Effect.forEach(stores, (store) => countOn(kind, store, counted, writers), {
                concurrency: "unbounded",
                discard: true
              })
              const number = kind.numberOf((yield* found(one, counted)).value)
              yield* expectThat(number === writers, `${writers} writes to count to ${writers}`, `${number}`)
            })
          )
        )
    )
  ]
}
