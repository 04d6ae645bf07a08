/** Runs conformance tests: each run has its own keys, and removes what it wrote at the end. */
import type * as VersionedStore from "@zapier-workflow-auth/core/store/VersionedStore"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as StoreLaw from "../StoreLaw.ts"
import { type Notebook, Unmet, watch, type Watched } from "./watched.ts"

const kept = 20

/** Wraps a service that is a store so that its operations are noted. */
export type Port<S, Key, Store> = (notebook: Notebook<Key>) => Effect.Effect<Store, never, S>

/** The port of a service that is a store and no more. */
export const port =
  <S, Key, A>(service: Effect.Effect<VersionedStore.VersionedStore<Key, A>, never, S>): Port<S, Key, Watched<Key, A>> =>
  (notebook) =>
    Effect.map(service, (store) => watch(store, notebook))

const makeNotebook = <Key>(): Effect.Effect<Notebook<Key>> =>
  Effect.map(Effect.all([Random.nextInt, Random.nextInt]), (numbers) => ({
    place: `law-${numbers.map((number) => Math.abs(number).toString(36)).join("")}-`,
    lines: [],
    written: new Map()
  }))

const broken = <Key>(law: string, { lines }: Notebook<Key>, { expected, actual }: Unmet) => {
  const left = lines.length - kept
  const done = left > 0 ? [`(${left} more before)`, ...lines.slice(left)] : lines
  return new StoreLaw.LawBroken({ law, expected, actual, done })
}

type Tidied = Pick<Watched<never, never>, "tidy">

/** The body of a test, or a part of it. */
export type Body<E = Unmet> = Effect.fn.Return<void, E>

/** One run of a test: a store, and the prefix of its keys. */
export interface Trial<Store> {
  readonly store: Store
  readonly place: string
}

const oneRun = Effect.fnUntraced(function* <S, Key, Store extends Tidied>(
  port: Port<S, Key, Store>,
  name: string,
  body: (trial: Trial<Store>) => Body
): Effect.fn.Return<void, StoreLaw.LawBroken, S> {
  const notebook = yield* makeNotebook<Key>()
  const store = yield* port(notebook)
  yield* Effect.gen(() => body({ store, place: notebook.place })).pipe(
    Effect.mapError((unmet) => broken(name, notebook, unmet)),
    Effect.ensuring(store.tidy)
  )
})

/** A test that runs once. */
export const law = <S, Key, Store extends Tidied>(
  port: Port<S, Key, Store>,
  name: string,
  body: (trial: Trial<Store>, options: StoreLaw.Options) => Body
): StoreLaw.Law<S> => ({
  name,
  check: (layer, options = {}) =>
    Effect.provide(
      oneRun(port, name, (trial) => body(trial, options)),
      layer,
      { local: true }
    )
})

/** A test with generated inputs. */
export const property = <S, Key, Store extends Tidied, Input>(
  port: Port<S, Key, Store>,
  name: string,
  inputs: Arbitrary.Arbitrary<Input>,
  body: (trial: Trial<Store>, input: Input) => Body,
  defaults: { readonly runs: number } = { runs: 100 }
): StoreLaw.Law<S> => ({
  name,
  check: (layer, { replay, runs = defaults.runs, seed = name } = {}) =>
    Effect.gen(function* () {
      const run = Effect.fnUntraced(function* (input: Input) {
        yield* oneRun(port, name, (trial) => body(trial, input))
        return true
      })
      const result = yield* Arbitrary.checkEffect(inputs, run, { runs, seed, replay })
      if (result._tag === "Passed") return
      if (result._tag === "Falsified" && result.failure._tag === "PropertyError") {
        const { done, expected, law, actual } = result.failure.error
        return yield* new StoreLaw.LawBroken({ law, expected, actual, done, replay: result.replay })
      }
      // The test did not fail, but it did not run either.
      const actual = Arbitrary.formatCheckFailure(result) ?? result._tag
      return yield* new StoreLaw.LawBroken({ law: name, expected: "that the test can run", actual, done: [] })
    }).pipe(Effect.provide(layer, { local: true }))
})

/** Opens the store while it is used. */
export type Open<Store, E> = <A, E2>(use: (store: Store) => Effect.fn.Return<A, E2>) => Effect.Effect<A, E | E2>

/** A test that opens the same data several times, run once. */
export const reopening = <S, Key, Store extends Tidied>(
  port: Port<S, Key, Store>,
  name: string,
  body: <E>(open: Open<Store, E>, place: string) => Body<Unmet | E>
): StoreLaw.Law<S> => ({
  name,
  check: <E, R>(layer: Layer.Layer<S, E, R>) =>
    Effect.gen(function* () {
      const context = yield* Effect.context<R>()
      const notebook = yield* makeNotebook<Key>()
      const note = (line: string) => Effect.sync(() => notebook.lines.push(line))
      const open: Open<Store, E> = (use) =>
        Effect.andThen(note("open"), port(notebook)).pipe(
          Effect.flatMap((store) => Effect.gen(() => use(store))),
          Effect.provide(layer, { local: true }),
          Effect.provideContext(context),
          Effect.ensuring(note("close"))
        )
      const tidied = open(function* ({ tidy }) {
        yield* tidy
      })
      yield* Effect.gen(() => body(open, notebook.place)).pipe(
        Effect.mapError((error) => (error instanceof Unmet ? broken(name, notebook, error) : error)),
        Effect.ensuring(Effect.ignore(tidied))
      )
    })
})
