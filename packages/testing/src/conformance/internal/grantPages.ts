/** Grants for the conformance suite of a grant store, and its checks of paging. */
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { Law } from "../StoreLaw.ts"
import * as Draw from "../../internal/draw.ts"
import { awkward, lookalikes } from "./keys.ts"
import { law, type Port, property } from "./trial.ts"
import { expectThat, none, noted, show, type Unmet, watch, type Watched } from "./watched.ts"

type Options = Omit<GrantStore.PageOptions, "clientId">

/** A grant store that notes each operation for the report, with a client application of this run's own. */
interface WatchedGrants extends Watched<GrantStore.Key, GrantStore.Grant> {
  readonly clientId: string
  readonly keyOf: (subject: string) => GrantStore.Key
  readonly page: (options: Options) => Effect.Effect<GrantStore.Page, Unmet>
}

/** Wraps a grant store so that its operations are noted. */
export const port: Port<GrantStore.GrantStore, GrantStore.Key, WatchedGrants> = (notebook) =>
  Effect.map(GrantStore.GrantStore, (store) => {
    const clientId = `${notebook.place}client`
    return {
      ...watch(store, notebook),
      clientId,
      keyOf: (subject) => ({ clientId, subject }),
      page: (search) => {
        const options = { clientId, ...search }
        return noted(notebook, `page ${show(notebook, options)}`, store.page(options), ({ entries, next }) => {
          const subjects = entries.map(({ key }) => key.subject)
          return `${show(notebook, subjects)}, next ${show(notebook, next)}`
        })
      }
    }
  })

/** A grant in a state, with a generation; `text` fills every field that takes any text. */
export const grantOf = (tag: GrantStore.Grant["_tag"], number: number, text = "consent"): GrantStore.Grant => {
  const access = { accessToken: Tokens.secret(`access ${text}`), scopes: ["zap"], obtainedAt: 0, expiresAt: 36_000_000 }
  const tokens = { ...access, refreshToken: Tokens.secret(`refresh ${text}`) }
  const held = { family: text, generation: number, tokens }
  const pause = { until: 0, failures: 2, cause: { _tag: "NotSent", code: text } } as const
  const lease = { owner: text, deadline: 45_000 }
  switch (tag) {
    case "Active":
      return { _tag: tag, ...held, responseLost: false }
    case "Refreshing":
      return { _tag: tag, ...held, responseLost: true, pause, lease, attempt: 1 }
    case "ReconnectRequired":
      return { _tag: tag, ...held, why: "Revoked", since: 0 }
  }
}

const states = ["Active", "Refreshing", "ReconnectRequired"] as const
const state = Draw.oneOf(states)
const stateOf = (index: number) => states[index % states.length] ?? "Active"

const limit = Draw.int(1, 7)

// More pages than any of these searches can have.
const enough = 1_000

/** Reads all pages, and runs `between` after each. */
const pagesOf = Effect.fnUntraced(function* (
  store: WatchedGrants,
  search: Omit<Options, "after">,
  between: (page: number) => Effect.Effect<void, Unmet> = () => Effect.void
) {
  const pages: Array<GrantStore.Page> = []
  const limit = Math.max(1, search.limit)
  let after: string | undefined
  do {
    const page: GrantStore.Page = yield* store.page({ ...search, after })
    const count = page.entries.length
    yield* expectThat(count <= limit, `at most ${limit} entries on a page`, `${count}`)
    const isEnd = page.next === undefined
    yield* expectThat(isEnd || count === limit, `${limit} entries on each page but the last`, `${count}`)
    pages.push(page)
    yield* between(pages.length)
    after = page.next
  } while (after !== undefined && pages.length < enough)
  yield* expectThat(after === undefined, "the pages to end", `more than ${enough} pages`)
  return pages
})

const entriesOf = (pages: ReadonlyArray<GrantStore.Page>) => pages.flatMap(({ entries }) => entries)

const subjectsOf = (pages: ReadonlyArray<GrantStore.Page>) => entriesOf(pages).map(({ key }) => key.subject)

const list = (subjects: ReadonlyArray<string>) =>
  subjects.map((subject) => show({ place: "\0law" }, subject)).join(", ")

/** Expects these subjects, each once, in any order. */
const areExactly = Effect.fnUntraced(function* (
  actual: ReadonlyArray<string>,
  expected: ReadonlyArray<string>,
  what: string
) {
  const missing = expected.filter((subject) => !actual.includes(subject))
  yield* expectThat(missing.length === 0, `all ${what}`, `none for ${list(missing)}`)
  const others = actual.filter((subject) => !expected.includes(subject))
  yield* expectThat(others.length === 0, `only ${what}`, `also ${list(others)}`)
  const twice = actual.filter((subject, index) => actual.indexOf(subject) !== index)
  yield* expectThat(twice.length === 0, `each of ${what} once`, `${list(twice)} more than once`)
})

const fill = (store: WatchedGrants, subjects: ReadonlyArray<string>, clientId = store.clientId) =>
  Effect.forEach(subjects, (subject, index) =>
    store.written({ clientId, subject }, none, grantOf(stateOf(index), index + 1))
  )

/** Reads all pages, which must hold exactly these subjects, and returns them. */
const finds = Effect.fnUntraced(function* (
  store: WatchedGrants,
  search: Omit<Options, "after">,
  expected: ReadonlyArray<string>,
  what = "the grants of the client application"
) {
  const pages = yield* pagesOf(store, search)
  // Half a surrogate pair may match anything, but must not fail.
  if (search.prefix?.isWellFormed() !== false) yield* areExactly(subjectsOf(pages), expected, what)
  return pages
})

const beginWith = (prefix: string) => `the subjects that begin with ${list([prefix])}`

// The prefixes to search for. Most of the patterns match no subject.
const prefixes = [...lookalikes, ...lookalikes.map((subject) => `${subject}%`), "us", "U", "\\u", "\\u00"]

// Inserts a grant under a new name, writes one under a name that may be in use, or removes one.
const change = Arbitrary.all({
  act: Draw.oneOf(["insert", "write", "write", "remove"]),
  index: Draw.int(0, 19),
  to: state
})

/** The checks of paging. */
export const laws: ReadonlyArray<Law<GrantStore.GrantStore>> = [
  property(
    port,
    "all pages together are the grants of a client application, each once, in the same order each time",
    Arbitrary.all({
      subjects: Arbitrary.array(awkward, { maxLength: 20 }),
      limit
    }),
    function* ({ place, store }, { limit, subjects }) {
      const own = [...new Set(subjects)]
      yield* fill(store, own)
      const others = [place, `${place}CLIENT`, ...["2", " ", "%", "\0"].map((end) => `${store.clientId}${end}`)]
      yield* Effect.forEach(others, (other) => fill(store, own.slice(0, 3), other))
      const pages = yield* finds(store, { limit }, own)
      const strangers = entriesOf(pages).filter(({ key }) => key.clientId !== store.clientId)
      yield* expectThat(strangers.length === 0, "grants of the client application", "grants of another")
      const count = Math.max(1, Math.ceil(own.length / limit))
      yield* expectThat(pages.length === count, `${count} pages, the last of which has no next`, `${pages.length}`)
      const again = subjectsOf(yield* pagesOf(store, { limit: limit + 1 }))
      const isSame = subjectsOf(pages).every((subject, index) => again[index] === subject)
      yield* expectThat(isSame, "the same order each time", "another")
    }
  ),
  law(port, "an entry has the record and the version that are there", function* ({ store }) {
    yield* fill(store, ["a", "b", "c"])
    for (const { grant, key } of entriesOf(yield* pagesOf(store, { limit: 2 }))) {
      yield* store.isUnchanged(key, grant)
      yield* store.written(key, grant.version, grantOf("Active", 9))
    }
  }),
  law(port, "a limit of less than one counts as one", function* ({ store }) {
    yield* fill(store, ["a", "b", "c"])
    for (const limit of [0, -1, -100]) yield* finds(store, { limit }, ["a", "b", "c"])
  }),
  law(port, "a page of one state has the grants in that state, and no others", function* ({ store }) {
    const subjects = Array.from({ length: 10 }, (_, index) => `subject ${index}`)
    const filled = yield* fill(store, subjects)
    const search = Effect.fnUntraced(function* (shift: number) {
      for (const state of states) {
        const matching = subjects.filter((_, index) => stateOf(index + shift) === state)
        for (const limit of [1, 2, 4, 100]) {
          yield* finds(store, { limit, state }, matching, `the grants that are ${state}`)
        }
      }
    })
    yield* search(0)
    // Each grant changes its state.
    for (const [index, subject] of subjects.entries()) {
      yield* store.written(store.keyOf(subject), filled[index]?.version, grantOf(stateOf(index + 1), 99))
    }
    yield* search(1)
  }),
  law(port, "a prefix finds exactly the subjects that begin with it, whatever its characters", function* ({ store }) {
    yield* fill(store, lookalikes)
    for (const prefix of prefixes) {
      const matching = lookalikes.filter((subject) => subject.startsWith(prefix))
      yield* finds(store, { prefix, limit: 60 }, matching, beginWith(prefix))
    }
  }),
  property(
    port,
    "a prefix and a state together find exactly what has both",
    Arbitrary.all({
      subjects: Arbitrary.array(awkward, { maxLength: 12 }),
      prefix: awkward,
      length: Draw.int(0, 3),
      state,
      limit
    }),
    function* ({ store }, { length, limit, prefix, state, subjects }) {
      const own = [...new Set([...subjects, prefix, `${prefix}a`, `${prefix}\u{10ffff}`])]
      yield* fill(store, own)
      const start = prefix.slice(0, length)
      const matching = own.filter((subject, index) => subject.startsWith(start) && stateOf(index) === state)
      const search = { prefix: start, state, limit }
      yield* finds(store, search, matching, `${beginWith(start)} and are ${state}`)
    }
  ),
  property(
    port,
    "a page begins after the subject that is named, whether or not it is there",
    Arbitrary.all({
      subjects: Arbitrary.array(awkward, { minLength: 1, maxLength: 12 }),
      limit
    }),
    function* ({ store }, { limit, subjects }) {
      const own = [...new Set(subjects)]
      yield* fill(store, own)
      const order = subjectsOf(yield* pagesOf(store, { limit: 100 }))
      for (const [index, after] of order.entries()) {
        const rest = order.slice(index + 1)
        const isRest = ({ entries, next }: GrantStore.Page) => {
          const page = rest.slice(0, limit)
          const isSame = entries.length === page.length && entries.every(({ key }, at) => key.subject === page[at])
          const hasNext = rest.length > page.length
          return expectThat(
            isSame && (next !== undefined) === hasNext,
            `the subjects after ${list([after])}, and a next if there are more`,
            `${list(entries.map(({ key }) => key.subject))}, and ${next === undefined ? "no next" : "a next"}`
          )
        }
        yield* Effect.flatMap(store.page({ after, limit }), isRest)
        const key = store.keyOf(after)
        yield* store.removed(key, (yield* store.found(key)).version)
        yield* Effect.flatMap(store.page({ after, limit }), isRest)
        yield* store.written(key, none, grantOf("Active", 1))
      }
    },
    { runs: 50 }
  ),
  property(
    port,
    "a grant that is there all the time is seen exactly once, whatever is written meanwhile",
    Arbitrary.all({
      limit,
      size: Draw.int(1, 20),
      state: Draw.optional(state),
      changes: Arbitrary.array(Arbitrary.array(change, { maxLength: 4 }), { maxLength: 20 })
    }),
    function* ({ store }, { changes, limit, size, state }) {
      const nameOf = (index: number) => `subject ${(index * 7) % 20}`
      const all = Array.from({ length: size }, (_, index) => nameOf(index))
      yield* fill(store, all)
      // The subjects that exist and match throughout.
      const steady = new Set(all.filter((_, index) => state === undefined || state === stateOf(index)))
      let number = 100
      const changeSome = Effect.fnUntraced(function* (page: number) {
        for (const { act, index, to } of changes[page - 1] ?? []) {
          number++
          const subject = act === "insert" ? `${nameOf(index)} ${number}` : nameOf(index)
          const key = store.keyOf(subject)
          const before = yield* store.get(key)
          if (act === "remove" || (state !== undefined && to !== state)) steady.delete(subject)
          if (act !== "remove") yield* store.written(key, before?.version, grantOf(to, number))
          else if (before !== undefined) yield* store.removed(key, before.version)
        }
      })
      const pages = yield* pagesOf(store, { limit, state }, changeSome)
      const actual = subjectsOf(pages).filter((subject) => steady.has(subject))
      yield* areExactly(actual, [...steady], "the grants that were there all the time")
    }
  )
]
