/** What stores with a mistake are made of. */
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import type * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type { Stored, Versioned, VersionedStore } from "@zapier-workflow-auth/core/store/VersionedStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"

interface Entry<Key, A> extends Versioned<A> {
  readonly key: Key
}

interface Data<Key, A> {
  readonly entries: Map<string, Entry<Key, A>>
  version: number
}

/** What may be wrong with compare-and-set. Without any of it the store is right. */
export interface Mistakes<Key, A> {
  readonly keyText?: (key: Key) => string
  readonly matches?: (expected: number | undefined, current: number | undefined) => boolean
  readonly version?: (before: Entry<Key, A> | undefined, value: A, data: Data<Key, A>) => number
  readonly kept?: (value: A) => A
  /** Between the look and the write others may come. */
  readonly isCareless?: boolean
  readonly removes?: (expected: number, current: number | undefined) => boolean
  /** Between the look and the removal others may come. */
  readonly isCarelessToRemove?: boolean
}

export const empty = <Key, A>(): Data<Key, A> => ({ entries: new Map(), version: 0 })

export const next = <Key, A>(data: Data<Key, A>) => ++data.version

export const make = <Key, A>(data: Data<Key, A>, mistakes: Mistakes<Key, A> = {}): VersionedStore<Key, A> => {
  const {
    isCareless = false,
    isCarelessToRemove = false,
    kept = (value) => value,
    keyText = (key) => JSON.stringify(key),
    matches = Object.is,
    removes = Object.is,
    version = (_, __, data) => next(data)
  } = mistakes
  return {
    get: (key) => Effect.sync(() => Option.fromUndefinedOr(data.entries.get(keyText(key)))),
    compareAndSet: (key, expected, value) =>
      Effect.gen(function* () {
        const before = data.entries.get(keyText(key))
        if (!matches(Option.getOrUndefined(expected), before?.version)) return false
        if (isCareless) yield* Effect.yieldNow
        data.entries.set(keyText(key), { key, version: version(before, value, data), value: kept(value) })
        return true
      }),
    remove: (key, expected) =>
      Effect.gen(function* () {
        const before = data.entries.get(keyText(key))
        if (!removes(expected, before?.version)) return false
        if (isCarelessToRemove) yield* Effect.yieldNow
        data.entries.delete(keyText(key))
        return true
      })
  }
}

export type Attempts = AttemptStore.AttemptStore["Service"]
type AttemptEntry = Entry<string, Stored<ConsentAttempt.Stored>>

/** What may be wrong with lists of attempts. */
export interface ListMistakes {
  readonly isOf?: (subject: string, asked: string) => boolean
  readonly compare?: (a: AttemptEntry, b: AttemptEntry) => number
  readonly shown?: (entry: AttemptEntry) => AttemptStore.Listed
  readonly cut?: (
    listed: ReadonlyArray<AttemptStore.Listed>,
    options: AttemptStore.SubjectOptions
  ) => ReadonlyArray<AttemptStore.Listed>
}

export const shown = ({ key, value, version }: AttemptEntry): AttemptStore.Listed => ({
  key,
  version,
  state: value._tag
})

/** An attempt store with mistakes. */
export const attempts = (
  mistakes: Mistakes<string, Stored<ConsentAttempt.Stored>>,
  list: ListMistakes = {},
  data: Data<string, Stored<ConsentAttempt.Stored>> = empty()
): Attempts => {
  const {
    compare = (a, b) => b.value.startedAt - a.value.startedAt,
    cut = (listed, { limit, skip }) => listed.slice(Math.max(0, skip)).slice(0, Math.max(1, limit)),
    isOf = Object.is
  } = list
  return {
    ...make(data, mistakes),
    bySubject: (options) =>
      Effect.sync(() =>
        cut(
          [...data.entries.values()]
            .filter(({ value }) => isOf(value.subject, options.subject))
            .sort(compare)
            .map(list.shown ?? shown),
          options
        )
      )
  }
}

export type Grants = GrantStore.GrantStore["Service"]
export type Grant = GrantStore.Grant
export type GrantData = Data<GrantStore.Key, Grant>
type GrantEntry = Entry<GrantStore.Key, Grant>

/** What may be wrong with pages. */
interface PageMistakes {
  readonly isWanted?: (entry: GrantEntry, options: GrantStore.PageOptions) => boolean
  readonly compare?: (a: GrantEntry, b: GrantEntry) => number
  readonly isAfter?: (subject: string, after: string) => boolean
  readonly limit?: (limit: number) => number
  readonly finish?: (page: GrantStore.Page, found: ReadonlyArray<GrantEntry>) => GrantStore.Page
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

export const isOf = ({ key }: GrantEntry, { clientId }: GrantStore.PageOptions) => key.clientId === clientId

export const hasPrefix = ({ key }: GrantEntry, { prefix = "" }: GrantStore.PageOptions) =>
  key.subject.startsWith(prefix)

export const hasState = ({ value }: GrantEntry, { state }: GrantStore.PageOptions) =>
  state === undefined || value._tag === state

export const pageOf =
  (data: GrantData, mistakes: PageMistakes = {}): Grants["page"] =>
  (options) =>
    Effect.sync(() => {
      const {
        compare = (a, b) => byText(a.key.subject, b.key.subject),
        finish = (page) => page,
        isAfter = (subject, after) => subject > after,
        isWanted = (entry) => isOf(entry, options) && hasPrefix(entry, options) && hasState(entry, options),
        limit = (limit) => Math.max(1, limit)
      } = mistakes
      const found = [...data.entries.values()]
        .filter((entry) => isWanted(entry, options))
        .sort(compare)
        .filter(({ key }) => options.after === undefined || isAfter(key.subject, options.after))
      const page = found.slice(0, limit(options.limit))
      return finish(
        {
          entries: page.map(({ key, value, version }) => ({ key, grant: { value, version } })),
          next: found.length > page.length ? page.at(-1)?.key.subject : undefined
        },
        found
      )
    })

/** A grant store with mistakes in compare-and-set, which lives as long as its layer. */
export const grants = (
  mistakes: Mistakes<GrantStore.Key, Grant>,
  edit: (store: Grants, data: GrantData) => Grants = (s) => s
) =>
  Layer.sync(GrantStore.GrantStore, () => {
    const data: GrantData = empty()
    return edit({ ...make(data, mistakes), page: pageOf(data) }, data)
  })

export const withPages = (mistakes: PageMistakes) =>
  Layer.sync(GrantStore.GrantStore, () => {
    const data: GrantData = empty()
    return { ...make(data), page: pageOf(data, mistakes) }
  })

/** A grant store whose data outlives its layer. */
export const kept = (open: (data: GrantData) => Grants) => {
  const data: GrantData = empty()
  return Layer.sync(GrantStore.GrantStore, () => open(data))
}

export const keyed = (change: (text: string) => string) =>
  grants({ keyText: ({ clientId, subject }) => JSON.stringify([change(clientId), change(subject)]) })

// Whatever it may be besides its tokens.
export const withAccess = (grant: Grant, change: (access: Tokens.Access) => Partial<Tokens.Access>): Grant =>
  grant._tag === "Refreshing"
    ? { ...grant, tokens: { ...grant.tokens, ...change(grant.tokens) } }
    : { ...grant, tokens: { ...grant.tokens, ...change(grant.tokens) } }

export const withTokens = (grant: Grant, change: (token: string) => string): Grant =>
  withAccess(grant, ({ accessToken }) => ({
    accessToken: Tokens.secret(change(Redacted.value(accessToken)) || "none")
  }))

// `LIKE` in SQL, where nobody has escaped the pattern.
export const isLike = (text: string, pattern: string) =>
  new RegExp(
    `^${pattern
      .replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
      .replaceAll("%", ".*")
      .replaceAll("_", ".")}`,
    "su"
  ).test(text)

export const refusedOften = (store: Grants): Grants => {
  let count = 0
  return {
    ...store,
    compareAndSet: (key, expected, value) =>
      Effect.suspend(() => (++count % 3 === 0 ? Effect.succeed(false) : store.compareAndSet(key, expected, value)))
  }
}

export const readsLate = (store: Grants): Grants => {
  const read = new Map<string, Option.Option<Versioned<Grant>>>()
  return {
    ...store,
    get: (key) =>
      Effect.map(store.get(key), (now) => {
        const before = read.get(JSON.stringify(key)) ?? now
        read.set(JSON.stringify(key), now)
        return before
      })
  }
}

export const readsOnce = (store: Grants): Grants => {
  const read = new Map<string, Versioned<Grant>>()
  const forget = (key: GrantStore.Key) => Effect.sync(() => read.delete(JSON.stringify(key)))
  return {
    ...store,
    get: (key) =>
      Effect.suspend(() => {
        const known = read.get(JSON.stringify(key))
        if (known !== undefined) return Effect.succeedSome(known)
        return Effect.tap(store.get(key), (found) =>
          Effect.sync(() => Option.map(found, (record) => read.set(JSON.stringify(key), record)))
        )
      }),
    compareAndSet: (key, expected, value) => Effect.tap(store.compareAndSet(key, expected, value), () => forget(key)),
    remove: (key, expected) => Effect.tap(store.remove(key, expected), () => forget(key))
  }
}

// Each opening has a lock of its own.
export const locked = (store: Grants): Grants => {
  const lock = Semaphore.makeUnsafe(1)
  return {
    ...store,
    compareAndSet: (key, expected, value) => lock.withPermits(1)(store.compareAndSet(key, expected, value)),
    remove: (key, expected) => lock.withPermits(1)(store.remove(key, expected))
  }
}
