/** Conformance tests of stores that keep their data after they are closed. */
import type * as VersionedStore from "@zapier-workflow-auth/core/store/VersionedStore"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { Law } from "../StoreLaw.ts"
import type { Kind } from "./keys.ts"
import { type Contestant, hasOneWinner, losesNone } from "./laws.ts"
import { type Body, type Port, reopening } from "./trial.ts"
import { isLater, none, type Watched } from "./watched.ts"

/** The tests of opening the same data again, and several times at once. */
export const laws = <S, Key, A>(port: Port<S, Key, Watched<Key, A>>, kind: Kind<Key, A>): ReadonlyArray<Law<S>> => {
  const { fit, keyOf, record } = kind
  const twoOpenings = (
    name: string,
    body: (one: Watched<Key, A>, other: Watched<Key, A>, place: string) => Body
  ): Law<S> =>
    reopening(port, name, function* (open, place) {
      yield* open(function* (one) {
        yield* open((other) => body(one, other, place))
      })
    })
  return [
    reopening(port, "a reopened store has the same records and versions", function* (open, place) {
      const drawn = yield* Effect.orDie(Arbitrary.sampleEffect(kind.records, { count: 20, seed: "reopened" }))
      const before: Array<readonly [Key, VersionedStore.Versioned<A>]> = []
      yield* open(function* (store) {
        for (const [index, value] of drawn.entries()) {
          const key = keyOf(place, `${index}`)
          const { version } = yield* store.written(key, none, record(key, 1))
          before.push([key, yield* store.written(key, version, fit(key, value))])
        }
      })
      yield* open(function* (store) {
        for (const [key, record] of before) yield* store.isUnchanged(key, record)
      })
      yield* open(function* (store) {
        for (const [key, { value, version }] of before) {
          yield* store.isRefused(key, none, value)
          yield* isLater(yield* store.written(key, version, value), version)
        }
      })
    }),
    reopening(port, "a reopened store has no removed records, and its versions go on growing", function* (open, place) {
      const key = keyOf(place, "a")
      const earlier: Array<number> = []
      const areRefused = function* (store: Watched<Key, A>): Body {
        for (const version of earlier) yield* store.isRefused(key, version, record(key, 9))
      }
      for (let round = 1; round <= 3; round++) {
        const { version } = yield* open(function* (store) {
          return yield* store.written(key, none, record(key, round))
        })
        yield* isLater({ version }, earlier.at(-1))
        earlier.push(version)
        yield* open(function* (store) {
          yield* store.removed(key, version)
        })
        yield* open(function* (store) {
          yield* store.isAbsent(key)
          yield* store.isRefused(key, version)
          yield* areRefused(store)
        })
      }
      yield* open(function* (store) {
        yield* store.written(key, none, record(key, 8))
        yield* areRefused(store)
      })
    }),
    twoOpenings("a write through one connection is visible at once through another", function* (one, other, place) {
      const key = keyOf(place, "a")
      yield* other.isAbsent(key)
      const first = yield* one.written(key, none, record(key, 1))
      yield* other.isUnchanged(key, first)
      const second = yield* other.written(key, first.version, record(key, 2))
      yield* one.isUnchanged(key, second)
      yield* one.isRefused(key, first.version, record(key, 3))
      yield* one.isRefused(key, first.version)
      yield* one.removed(key, second.version)
      yield* other.isRefused(key, second.version)
      yield* other.isAbsent(key)
      yield* isLater(yield* other.written(key, none, record(key, 4)), second.version)
      yield* one.isRefused(key, second.version, record(key, 5))
    }),
    twoOpenings(
      "of changes through two connections exactly one succeeds, and no retried write is lost",
      function* (one, other, place) {
        const key = keyOf(place, "a")
        const stores = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : other))
        const compete = (expected: number | undefined, acts: ReadonlyArray<Contestant<Key, A>["act"]>) => {
          const contestants = stores.flatMap((store) => acts.map((act) => ({ act, store })))
          return hasOneWinner(kind, contestants, key, expected)
        }
        yield* compete(none, ["write"])
        yield* compete((yield* other.found(key)).version, ["write"])
        yield* compete((yield* one.found(key)).version, ["remove", "write"])
        yield* losesNone(kind, stores, keyOf(place, "b"))
      }
    )
  ]
}
