/**
 * How a law of a store is checked: the store is opened, each run of the law has keys of its own, everything that is asked
 * of the store is noted, and what was written is removed in the end.
 */
import type * as VersionedStore from "@zapier-workflow-auth/core/store/VersionedStore"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Arbitrary from "effect/Arbitrary"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as StoreLaw from "../StoreLaw.ts"

/** What a law expected, and what it saw instead. */
export class Unmet extends Data.TaggedError("Unmet")<{ readonly expected: string; readonly seen: string }> {}

export const expectThat = (holds: boolean, expected: string, seen: string): Effect.Effect<void, Unmet> =>
  holds ? Effect.void : Effect.fail(new Unmet({ expected, seen }))

/** A store as the laws see it: that it fails breaks any law. */
export interface Watched<in Key, in out A> {
  readonly get: (key: Key) => Effect.Effect<Option.Option<VersionedStore.Versioned<A>>, Unmet>
  readonly compareAndSet: (key: Key, expected: Option.Option<number>, value: A) => Effect.Effect<boolean, Unmet>
  readonly remove: (key: Key, expected: number) => Effect.Effect<boolean, Unmet>
}

/** What was done in one run, and which keys were written. */
export interface Notebook<Key> {
  /** What makes the keys of this run its own. */
  readonly place: string
  readonly lines: Array<string>
  readonly written: Map<string, Key>
}

const kept = 20
const shown = 80

/** A value as it stands in notes: short, so that texts that look alike can be told apart, and without what is its own. */
export const show = ({ place }: { readonly place: string }, value: unknown): string => {
  const text = (JSON.stringify(value) ?? String(value))
    .replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .replaceAll(place, "…")
  return text.length > shown ? `${text.slice(0, shown)}… (${text.length} characters)` : text
}

/** Notes what came of an operation. */
export const noted = <Key, A>(
  notebook: Notebook<Key>,
  what: string,
  operation: Effect.Effect<A, ZapierAuthError>,
  tell: (result: A) => string
): Effect.Effect<A, Unmet> =>
  operation.pipe(
    Effect.tap((result) => Effect.sync(() => notebook.lines.push(`${what}: ${tell(result)}`))),
    Effect.mapError((error) => new Unmet({ expected: `an answer to ${what}`, seen: error.message }))
  )

/** What a record is, for notes. */
const tell = (record: Option.Option<VersionedStore.Versioned<{ readonly _tag: string }>>): string =>
  Option.match(record, {
    onNone: () => "none",
    onSome: ({ value, version }) => `${value._tag}, version ${version}`
  })

/** Watches what is asked of a store. */
export const watch = <Key, A extends { readonly _tag: string }>(
  store: VersionedStore.VersionedStore<Key, A>,
  notebook: Notebook<Key>
): Watched<Key, A> => ({
  get: (key) => noted(notebook, `get ${show(notebook, key)}`, store.get(key), tell),
  compareAndSet: (key, expected, value) => {
    notebook.written.set(JSON.stringify(key), key)
    const what = `compareAndSet ${show(notebook, key)}, expecting ${Option.getOrElse(expected, () => "none")}`
    return noted(notebook, `${what}, to ${value._tag}`, store.compareAndSet(key, expected, value), String)
  },
  remove: (key, expected) =>
    noted(notebook, `remove ${show(notebook, key)}, expecting ${expected}`, store.remove(key, expected), String)
})

/** What is written can be removed. */
export interface Removes<in Key> extends Pick<Watched<Key, never>, "remove"> {
  readonly get: (key: Key) => Effect.Effect<Option.Option<{ readonly version: number }>, Unmet>
}

/** A service that is a store, and how it is watched. */
export interface Port<S, Key, Raw, Store extends Removes<Key>> {
  readonly service: Effect.Effect<Raw, never, S>
  readonly watch: (store: Raw, notebook: Notebook<Key>) => Store
}

const makeNotebook = <Key>(): Effect.Effect<Notebook<Key>> =>
  Effect.map(Effect.all([Random.nextInt, Random.nextInt]), (numbers) => ({
    place: `law-${numbers.map((number) => Math.abs(number).toString(36)).join("")}-`,
    lines: [],
    written: new Map()
  }))

const broken = <Key>(law: string, { lines }: Notebook<Key>, { expected, seen }: Unmet) => {
  const left = lines.length - kept
  const done = left > 0 ? [`(${left} more before)`, ...lines.slice(left)] : lines
  return new StoreLaw.LawBroken({ law, expected, seen, done })
}

// What cannot be removed stays: the law has been checked.
const tidy = <Key>({ written }: Notebook<Key>, { get, remove }: Removes<Key>) =>
  Effect.forEach(
    written.values(),
    (key) =>
      Effect.ignore(
        Effect.flatMap(
          get(key),
          Option.match({ onNone: () => Effect.void, onSome: ({ version }) => remove(key, version) })
        )
      ),
    { discard: true }
  )

/** One run of a law: a store and keys that begin with `place`. */
export interface Trial<Store> {
  readonly store: Store
  readonly place: string
}

const oneRun = <S, Key, Raw, Store extends Removes<Key>>(
  { service, watch }: Port<S, Key, Raw, Store>,
  name: string,
  body: (trial: Trial<Store>) => Effect.Effect<void, Unmet>
): Effect.Effect<void, StoreLaw.LawBroken, S> =>
  Effect.gen(function* () {
    const raw = yield* service
    const notebook = yield* makeNotebook<Key>()
    const store = watch(raw, notebook)
    yield* body({ store, place: notebook.place }).pipe(
      Effect.mapError((unmet) => broken(name, notebook, unmet)),
      Effect.ensuring(tidy(notebook, store))
    )
  })

/** A law that is checked once. */
export const law = <S, Key, Raw, Store extends Removes<Key>>(
  port: Port<S, Key, Raw, Store>,
  name: string,
  body: (trial: Trial<Store>) => Effect.Effect<void, Unmet>
): StoreLaw.Law<S> => ({
  name,
  check: (layer) => Effect.provide(oneRun(port, name, body), layer, { local: true })
})

/** A law that is checked with generated inputs. */
export const property = <S, Key, Raw, Store extends Removes<Key>, Input>(
  port: Port<S, Key, Raw, Store>,
  name: string,
  inputs: Arbitrary.Arbitrary<Input>,
  body: (trial: Trial<Store>, input: Input) => Effect.Effect<void, Unmet>,
  defaults: { readonly runs: number } = { runs: 100 }
): StoreLaw.Law<S> => {
  const checkAll = ({ replay, runs, seed }: StoreLaw.Options) =>
    Effect.gen(function* () {
      const result = yield* Arbitrary.checkEffect(
        inputs,
        (input) =>
          Effect.as(
            oneRun(port, name, (trial) => body(trial, input)),
            true
          ),
        { runs: runs ?? defaults.runs, seed: seed ?? name, replay }
      )
      if (result._tag === "Passed") return
      if (result._tag === "Falsified" && result.failure._tag === "PropertyError") {
        const { done, expected, law, seen } = result.failure.error
        return yield* new StoreLaw.LawBroken({ law, expected, seen, done, replay: result.replay })
      }
      // The law is not broken, nor was it checked.
      const seen = Arbitrary.formatCheckFailure(result) ?? result._tag
      return yield* new StoreLaw.LawBroken({ law: name, expected: "that the law can be checked", seen, done: [] })
    })
  return {
    name,
    check: (layer, options = {}) => Effect.provide(checkAll(options), layer, { local: true })
  }
}

/** Opens the store for as long as it is used. */
export type Open<Store, E> = <A, E2>(use: (store: Store) => Effect.Effect<A, E2>) => Effect.Effect<A, E | E2>

/** A law about opening the same data several times, which is checked once. */
export const reopening = <S, Key, Raw, Store extends Removes<Key>>(
  { service, watch }: Port<S, Key, Raw, Store>,
  name: string,
  body: <E>(open: Open<Store, E>, place: string) => Effect.Effect<void, Unmet | E>
): StoreLaw.Law<S> => ({
  name,
  check: <E, R>(layer: Layer.Layer<S, E, R>) =>
    Effect.gen(function* () {
      const context = yield* Effect.context<R>()
      const notebook = yield* makeNotebook<Key>()
      const note = (line: string) => Effect.sync(() => notebook.lines.push(line))
      const open: Open<Store, E> = (use) =>
        Effect.andThen(note("open"), service).pipe(
          Effect.flatMap((raw) => use(watch(raw, notebook))),
          Effect.provide(layer, { local: true }),
          Effect.provideContext(context),
          Effect.ensuring(note("close"))
        )
      yield* body(open, notebook.place).pipe(
        Effect.mapError((error) => (error instanceof Unmet ? broken(name, notebook, error) : error)),
        Effect.ensuring(Effect.ignore(open((store) => tidy(notebook, store))))
      )
    })
})
