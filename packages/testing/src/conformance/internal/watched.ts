/** Wraps a store for the conformance suite: notes each operation, and compares its result with the required one. */
import type * as VersionedStore from "@zapier-workflow-auth/core/store/VersionedStore"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"

/** An expectation that was not met. */
export class Unmet extends Data.TaggedError("Unmet")<{ readonly expected: string; readonly actual: string }> {}

export const expectThat = (holds: boolean, expected: string, actual: string): Effect.Effect<void, Unmet> =>
  holds ? Effect.void : Effect.fail(new Unmet({ expected, actual }))

/** The operations of one run, and the keys it wrote. */
export interface Notebook<Key> {
  /** The unique prefix of this run's keys. */
  readonly place: string
  readonly lines: Array<string>
  readonly written: Map<string, Key>
}

const shown = 80

/** Formats a value for the notes: short, unambiguous, and without the unique prefix. */
export const show = ({ place }: { readonly place: string }, value: unknown): string => {
  const text = (JSON.stringify(value) ?? String(value))
    .replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .replaceAll(place, "…")
  return text.length > shown ? `${text.slice(0, shown)}… (${text.length} characters)` : text
}

/** Notes an operation and its result. */
export const noted = <Key, A>(
  notebook: Notebook<Key>,
  what: string,
  operation: Effect.Effect<A, VersionedStore.StoreError>,
  tell: (result: A) => string
): Effect.Effect<A, Unmet> =>
  operation.pipe(
    Effect.tap((result) => Effect.sync(() => notebook.lines.push(`${what}: ${tell(result)}`))),
    Effect.mapError((error) => new Unmet({ expected: `${what} to succeed`, actual: error.message }))
  )

/** Expects no record. */
export const none = undefined

const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null

/**
 * Where two records first differ, secrets included, which other comparisons of `Redacted` values cannot see. The result
 * contains no value.
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

/** Wraps a store. If one of its operations fails, so does the test. */
export const watch = <Key, A>(store: VersionedStore.VersionedStore<Key, A>, notebook: Notebook<Key>) => {
  const tagOf = (value: A) => (Predicate.hasProperty(value, "_tag") ? String(value._tag) : "a record")
  const get = (key: Key) =>
    noted(notebook, `get ${show(notebook, key)}`, Effect.map(store.get(key), Option.getOrUndefined), (record) =>
      record === undefined ? "none" : `${tagOf(record.value)}, version ${record.version}`
    )
  /**
   * Writes the value if the record has the expected version, or removes the record if there is no value; returns
   * whether it did.
   */
  const change = (key: Key, expected: number | undefined, value?: A) => {
    const what = `${show(notebook, key)}, expecting ${expected ?? "none"}`
    // No record has version 0, so the removal must be rejected.
    if (value === undefined) return noted(notebook, `remove ${what}`, store.remove(key, expected ?? 0), String)
    notebook.written.set(JSON.stringify(key), key)
    const write = store.compareAndSet(key, Option.fromUndefinedOr(expected), value)
    return noted(notebook, `compareAndSet ${what}, to ${tagOf(value)}`, write, String)
  }
  /** The record of a key, which has to exist. */
  const found = Effect.fnUntraced(function* (key: Key) {
    return (yield* get(key)) ?? (yield* new Unmet({ expected: "the record that was written", actual: "none" }))
  })
  /** Expects no record. */
  const isAbsent = (key: Key) =>
    Effect.flatMap(get(key), (record) => expectThat(record === undefined, "no record", "a record"))
  /** Expects this record. */
  const has = Effect.fnUntraced(function* (key: Key, value: A) {
    const record = yield* found(key)
    const place = difference(value, record.value)
    yield* expectThat(place === undefined, "the record as it was written last", `one that differs in ${place}`)
    return record
  })
  /** Expects this record in this version. */
  const isUnchanged = Effect.fnUntraced(function* (key: Key, before: VersionedStore.Versioned<A>) {
    const { version } = yield* has(key, before.value)
    yield* expectThat(version === before.version, `version ${before.version}, unchanged`, `version ${version}`)
  })
  /** Writes, which has to succeed, and returns the new record. */
  const written = Effect.fnUntraced(function* (key: Key, expected: number | undefined, value: A) {
    const isWritten = yield* change(key, expected, value)
    yield* expectThat(isWritten, "a write that expects the current version to succeed", "it was rejected")
    return yield* has(key, value)
  })
  /** Writes a record with a meaningless seal. An encrypting store rejects it, because it never gets one. */
  const writtenOrRefused = Effect.fnUntraced(function* (key: Key, value: A) {
    notebook.written.set(JSON.stringify(key), key)
    const write = Effect.catchTag(store.compareAndSet(key, Option.none(), value), "DecryptionFailed", () =>
      Effect.succeed("refused" as const)
    )
    if ((yield* noted(notebook, `compareAndSet ${show(notebook, key)}, with a seal`, write, String)) !== "refused") {
      yield* has(key, value)
    }
  })
  /** Writes a record that may be too large: it must be stored whole or not at all. */
  const writtenOrAbsent = Effect.fnUntraced(function* (key: Key, value: A) {
    notebook.written.set(JSON.stringify(key), key)
    const write = Effect.orElseSucceed(store.compareAndSet(key, Option.none(), value), () => "refused" as const)
    const outcome = yield* noted(notebook, `compareAndSet ${show(notebook, key)}, too large`, write, String)
    yield* outcome === "refused" ? isAbsent(key) : has(key, value)
  })
  /** Removes the record of a key, which has to succeed. */
  const removed = Effect.fnUntraced(function* (key: Key, expected: number | undefined) {
    const isRemoved = yield* change(key, expected)
    yield* expectThat(isRemoved, "a removal that expects the current version to succeed", "it was rejected")
    yield* isAbsent(key)
  })
  /** Writes, or removes if there is no value, which has to be rejected. */
  const isRefused = Effect.fnUntraced(function* (key: Key, expected: number | undefined, value?: A) {
    const act = value === undefined ? "removal" : "write"
    const isChanged = yield* change(key, expected, value)
    yield* expectThat(!isChanged, `a ${act} that expects another version to be rejected`, "it succeeded")
  })
  // Removes everything that this run wrote. Failures are ignored: the test is over.
  const remove = (key: Key) =>
    store.get(key).pipe(
      Effect.flatMap(Effect.fromOption),
      Effect.flatMap(({ version }) => store.remove(key, version)),
      Effect.ignore
    )
  const tidy = Effect.suspend(() => Effect.forEach(notebook.written.values(), remove, { discard: true }))
  return {
    get,
    change,
    found,
    isAbsent,
    has,
    isUnchanged,
    written,
    writtenOrAbsent,
    writtenOrRefused,
    removed,
    isRefused,
    tidy
  }
}

/** A store whose operations are noted. */
export type Watched<Key, A> = ReturnType<typeof watch<Key, A>>

/** Expects a greater version. */
export const isLater = (after: { readonly version: number }, before = -Infinity) =>
  expectThat(after.version > before, `a version greater than ${before}`, `version ${after.version}`)
