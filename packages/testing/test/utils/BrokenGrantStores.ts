/** Grant stores with a mistake each, and the law that has to tell of it. */
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import { StoreFailed } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import {
  empty,
  type GrantData,
  grants,
  hasPrefix,
  hasState,
  isLike,
  isOf,
  kept,
  keyed,
  locked,
  make,
  next,
  pageOf,
  readsLate,
  readsOnce,
  refusedOften,
  withPages,
  withAccess,
  withTokens
} from "./BrokenStore.ts"

type Mistake = readonly [what: string, layer: Layer.Layer<GrantStore.GrantStore>, law: string]

const apart = "keys that look alike have a record each"
const anyKey = "each key has a record of its own, whatever its characters"
const same = "a record is read as it was written, secrets included"
const texts = "a record is preserved whatever the size and characters of its texts"
const first = "a key has no record until one is written that expects none"
const replaced = "a record is replaced only by a write that expects its version"
const removed = "a record is removed only by a removal that expects its version"
const removedNothing = "removing an absent record is rejected without an error"
const oldVersion = "a version is never used again after a removal"
const others = "versions of a key grow, even across removals"
const program =
  "in any program a write or removal succeeds exactly if its expectation holds, and versions of a key only grow"
const oneWinner = "of concurrent writes and removals that expect the same version, exactly one succeeds"
const noneLost = "writers that retry until they succeed lose no write"
const removal = "a removal among writers is rejected, or leaves only later writes"
const allPages = "all pages together are the grants of a client application, each once, in the same order each time"
const oneState = "a page of one state has the grants in that state, and no others"
const prefix = "a prefix finds exactly the subjects that begin with it, whatever its characters"
const after = "a page begins after the subject that is named, whether or not it is there"
const throughout = "a grant that is there all the time is seen exactly once, whatever is written meanwhile"
const reopened = "a reopened store has the same records and versions"
const growing = "a reopened store has no removed records, and its versions go on growing"

/** What is wrong with each, and the law that it breaks. */
export const brokenGrantStores: ReadonlyArray<Mistake> = [
  ["writes without a look", grants({ matches: () => true }), first],
  [
    "writes where it should have refused, and says that it refused",
    grants({}, (store) => ({
      ...store,
      compareAndSet: (key, expected, value) =>
        Effect.gen(function* () {
          const isWritten = yield* store.compareAndSet(key, expected, value)
          if (isWritten) return true
          const found = yield* store.get(key)
          if (Option.isNone(found)) return false
          yield* store.compareAndSet(key, Option.some(found.value.version), value)
          return false
        })
    })),
    replaced
  ],
  [
    "takes any version up to the current one",
    grants({ matches: (a, b) => Object.is(a, b) || (a ?? 9) < (b ?? 0) }),
    program
  ],
  ["looks, and then writes", grants({ isCareless: true }), oneWinner],
  ["loses writes", grants({ isCareless: true }), noneLost],
  ["refuses for no reason", grants({}, refusedOften), noneLost],
  ["brings back what was removed meanwhile", grants({ isCareless: true }), removal],
  [
    "keeps the version of a record that stays the same",
    grants({
      version: (before, value, data) =>
        before !== undefined && JSON.stringify(before.value) === JSON.stringify(value) ? before.version : next(data)
    }),
    "writing the same value again makes a new version"
  ],
  [
    "begins anew with the versions after a removal",
    grants({ version: (before) => (before?.version ?? 0) + 1 }),
    oldVersion
  ],
  [
    "begins above the version that was removed last",
    grants({ version: (before, _, data) => (before?.version ?? data.version) + 1 }, (store, data) => ({
      ...store,
      remove: (key, expected) =>
        Effect.tap(store.remove(key, expected), (isRemoved) =>
          Effect.sync(() => {
            if (isRemoved) data.version = expected
          })
        )
    })),
    others
  ],
  ["goes back with the versions", grants({ version: (_, __, data) => -next(data) }), program],
  [
    "removes others, too",
    grants({}, (store, { entries }) => ({
      ...store,
      remove: (key, expected) =>
        Effect.tap(store.remove(key, expected), (isRemoved) => Effect.sync(() => isRemoved && entries.clear()))
    })),
    removed
  ],
  ["removes whatever the version is", grants({ removes: () => true }), removed],
  ["removes any version from the expected one on", grants({ removes: (a, b) => a <= (b ?? 0) }), removed],
  ["removes any version up to the expected one", grants({ removes: (a, b) => a >= (b ?? Infinity) }), removed],
  [
    "removes where it should have refused, and says that it refused",
    grants({ removes: () => true }, (store) => ({
      ...store,
      remove: (key, expected) =>
        Effect.gen(function* () {
          const found = yield* store.get(key)
          yield* store.remove(key, expected)
          return Option.isSome(found) && found.value.version === expected
        })
    })),
    removed
  ],
  [
    "says that it has removed nothing",
    grants({}, (store) => ({
      ...store,
      remove: (key, expected) => Effect.as(store.remove(key, expected), false)
    })),
    removed
  ],
  [
    "says that it has removed what is not there",
    grants({ removes: (expected, current) => current === undefined || expected === current }),
    removedNothing
  ],
  ["looks, and then removes", grants({ isCarelessToRemove: true }), oneWinner],
  [
    "fails to remove what is not there",
    grants({}, (store) => ({
      ...store,
      remove: (key, expected) =>
        Effect.flatMap(store.get(key), (found) =>
          Option.isSome(found)
            ? store.remove(key, expected)
            : new StoreFailed({ store: "grant store", operation: "remove a grant", problem: "there is none" })
        )
    })),
    removedNothing
  ],
  ["reads what was there a moment ago", grants({}, readsLate), replaced],
  ["hides the tokens where it keeps them", grants({ kept: (grant) => withTokens(grant, () => "<redacted>") }), same],
  [
    "keeps whole milliseconds",
    grants({
      kept: (grant) => withAccess(grant, ({ obtainedAt }) => ({ obtainedAt: Math.trunc(obtainedAt) }))
    }),
    same
  ],
  [
    "keeps what it knows of a grant",
    grants({
      kept: (grant) => {
        const { seal: _, ...known } = grant
        return known
      }
    }),
    "a record keeps its seal, which encryption needs to read it"
  ],
  ["loses NUL", grants({ kept: (grant) => withTokens(grant, (token) => token.replaceAll("\0", "")) }), texts],
  ["keeps well-formed text", grants({ kept: (grant) => withTokens(grant, (token) => token.toWellFormed()) }), texts],
  ["cuts what is long", grants({ kept: (grant) => withTokens(grant, (token) => token.slice(0, 65_535)) }), texts],
  ["joins keys with a colon", grants({ keyText: ({ clientId, subject }) => `${clientId}:${subject}` }), anyKey],
  ["joins keys with NUL", grants({ keyText: ({ clientId, subject }) => `${clientId}\0${subject}` }), anyKey],
  ["ignores case", keyed((text) => text.toLowerCase()), apart],
  ["ignores white space at the end", keyed((text) => text.trimEnd()), apart],
  ["ignores how accents are written", keyed((text) => text.normalize("NFC")), apart],
  ["ends texts at NUL", keyed((text) => text.split("\0")[0] ?? ""), apart],
  ["knows well-formed keys only", keyed((text) => text.toWellFormed()), apart],
  ["cuts long keys", keyed((text) => text.slice(0, 255)), "keys of a thousand characters have a record each"],
  [
    "leaves out the last of a page",
    withPages({ finish: (page) => ({ ...page, entries: page.entries.slice(0, -1) }) }),
    allPages
  ],
  [
    "passes over one between two pages",
    withPages({ finish: (page, found) => ({ ...page, next: page.next && found[page.entries.length]?.key.subject }) }),
    allPages
  ],
  [
    "says that there is more when there is not",
    withPages({ finish: (page) => ({ ...page, next: page.entries.at(-1)?.key.subject }) }),
    allPages
  ],
  [
    "shows the grants of all client applications",
    withPages({ isWanted: (entry, options) => hasPrefix(entry, options) && hasState(entry, options) }),
    allPages
  ],
  [
    "finds client applications by how they begin",
    withPages({ isWanted: (entry, options) => entry.key.clientId.startsWith(options.clientId) }),
    allPages
  ],
  ["ignores the limit", withPages({ limit: () => 1_000 }), allPages],
  [
    "takes a limit of none at its word",
    withPages({ limit: (limit) => Math.max(0, limit) }),
    "a limit of less than one counts as one"
  ],
  [
    "shows versions that nobody can use",
    withPages({
      finish: (page) => ({
        ...page,
        entries: page.entries.map(({ grant, key }) => ({ key, grant: { ...grant, version: grant.version + 1 } }))
      })
    }),
    "an entry has the record and the version that are there"
  ],
  [
    "ignores the state",
    withPages({ isWanted: (entry, options) => isOf(entry, options) && hasPrefix(entry, options) }),
    oneState
  ],
  [
    "finds grants by the state that they had first",
    Layer.sync(GrantStore.GrantStore, () => {
      const data: GrantData = empty()
      const states = new Map<string, string>()
      const store = make(data)
      return {
        ...store,
        compareAndSet: (key, expected, value) => {
          const text = JSON.stringify(key)
          if (!states.has(text)) states.set(text, value._tag)
          return store.compareAndSet(key, expected, value)
        },
        page: pageOf(data, {
          isWanted: (entry, options) =>
            isOf(entry, options) &&
            (options.state === undefined || states.get(JSON.stringify(entry.key)) === options.state)
        })
      }
    }),
    oneState
  ],
  [
    "ignores the prefix",
    withPages({ isWanted: (entry, options) => isOf(entry, options) && hasState(entry, options) }),
    prefix
  ],
  [
    "takes the prefix for a pattern",
    withPages({
      isWanted: (entry, options) => isOf(entry, options) && isLike(entry.key.subject, options.prefix ?? "")
    }),
    prefix
  ],
  [
    "ignores the case of the prefix",
    withPages({
      isWanted: (entry, options) =>
        isOf(entry, options) && entry.key.subject.toLowerCase().startsWith((options.prefix ?? "").toLowerCase())
    }),
    prefix
  ],
  [
    "ends the prefix's range with U+FFFF",
    withPages({
      isWanted: ({ key }, { clientId, prefix = "" }) =>
        key.clientId === clientId && key.subject >= prefix && key.subject < `${prefix}\uffff`
    }),
    prefix
  ],
  [
    "takes a prefix or a state",
    withPages({
      isWanted: (entry, options) =>
        isOf(entry, options) && (hasPrefix(entry, options) || (options.state !== undefined && hasState(entry, options)))
    }),
    "a prefix and a state together find exactly what has both"
  ],
  ["begins with the subject that is named", withPages({ isAfter: (subject, after) => subject >= after }), after],
  [
    "looks for the subject that is named",
    grants({}, (store, data) => ({
      ...store,
      page: (options) => {
        const isThere = [...data.entries.values()].some(({ key }) => key.subject === options.after)
        return pageOf(data)(isThere ? options : { ...options, after: undefined })
      }
    })),
    after
  ],
  [
    "counts how many to pass over",
    grants({}, (store, data) => ({
      ...store,
      page: ({ after, ...options }) =>
        Effect.map(pageOf(data)({ ...options, limit: 1_000 }), ({ entries }) => {
          const begin = Number(after ?? 0)
          const end = begin + Math.max(1, options.limit)
          return { entries: entries.slice(begin, end), next: end < entries.length ? `${end}` : undefined }
        })
    })),
    throughout
  ],
  [
    "shows first what was written last",
    grants({}, (store, data) => ({
      ...store,
      page: (options) => {
        const last = data.entries.get(JSON.stringify({ clientId: options.clientId, subject: options.after }))
        return pageOf(data, {
          compare: (a, b) => b.version - a.version,
          isAfter: (subject) => {
            const entry = data.entries.get(JSON.stringify({ clientId: options.clientId, subject }))
            return last === undefined || entry === undefined || entry.version < last.version
          }
        })(options)
      }
    })),
    throughout
  ],
  ["forgets all when it is closed", GrantStore.layerMemory, reopened],
  [
    "makes new versions when it is opened",
    kept((data) => {
      for (const [text, entry] of data.entries) data.entries.set(text, { ...entry, version: next(data) })
      return { ...make(data), page: pageOf(data) }
    }),
    reopened
  ],
  [
    "counts versions anew when it is opened",
    kept((data) => {
      data.version = Math.max(0, ...[...data.entries.values()].map(({ version }) => version))
      return { ...make(data), page: pageOf(data) }
    }),
    growing
  ],
  [
    "remembers what it has read",
    kept((data) => readsOnce({ ...make(data), page: pageOf(data) })),
    "a write through one connection is visible at once through another"
  ],
  [
    "locks for itself alone",
    kept((data) => locked({ ...make(data, { isCareless: true }), page: pageOf(data) })),
    "of changes through two connections exactly one succeeds, and no retried write is lost"
  ]
]

/** Stores like these, without a mistake. */
export const rightGrantStores: ReadonlyArray<readonly [what: string, layer: Layer.Layer<GrantStore.GrantStore>]> = [
  ["keeps its data in memory", grants({})],
  ["keeps its data when it is closed", kept((data) => ({ ...make(data), page: pageOf(data) }))]
]
