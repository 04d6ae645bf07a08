/** The laws of going through grants by page. */
import type * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Law } from "../StoreLaw.ts"
import { found, isUnchanged, none, removed, written } from "./storeExpectations.ts"
import { awkward, lookalikes } from "./storeRecords.ts"
import {
  expectThat,
  law,
  noted,
  type Notebook,
  type Port,
  property,
  show,
  type Unmet,
  watch,
  type Watched
} from "./storeTrial.ts"

/** A grant store as the laws see it. */
export interface WatchedGrants extends Watched<GrantStore.Key, GrantStore.Grant> {
  readonly page: (options: GrantStore.PageOptions) => Effect.Effect<GrantStore.Page, Unmet>
}

type GrantOf = (state: GrantStore.Grant["_tag"], number: number) => GrantStore.Grant

/** Watches what is asked of a grant store. */
export const watchGrants = (
  store: GrantStore.GrantStore["Service"],
  notebook: Notebook<GrantStore.Key>
): WatchedGrants => ({
  ...watch(store, notebook),
  page: (options) =>
    noted(notebook, `page ${show(notebook, options)}`, store.page(options), ({ entries, next }) => {
      const subjects = show(
        notebook,
        entries.map(({ key }) => key.subject)
      )
      return `${subjects}, next ${show(notebook, next)}`
    })
})

const states = ["Active", "Refreshing", "ReconnectRequired"] as const
const State = Schema.Literals(states)
const stateOf = (index: number) => states[index % states.length] ?? "Active"

const Limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 7 }))

type Search = Omit<GrantStore.PageOptions, "after">

// More pages than any of these searches can have.
const enough = 1_000

/** Goes through all pages, and does something between them. */
const pagesOf = Effect.fnUntraced(function* (
  store: WatchedGrants,
  search: Search,
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

/** These subjects, each once, in any order. */
const areExactly = Effect.fnUntraced(function* (
  seen: ReadonlyArray<string>,
  expected: ReadonlyArray<string>,
  what: string
) {
  const missing = expected.filter((subject) => !seen.includes(subject))
  yield* expectThat(missing.length === 0, `all ${what}`, `none for ${list(missing)}`)
  const others = seen.filter((subject) => !expected.includes(subject))
  yield* expectThat(others.length === 0, `only ${what}`, `also ${list(others)}`)
  const twice = seen.filter((subject, index) => seen.indexOf(subject) !== index)
  yield* expectThat(twice.length === 0, `each of ${what} once`, `${list(twice)} more than once`)
})

const fill = (store: WatchedGrants, clientId: string, subjects: ReadonlyArray<string>, grantOf: GrantOf) =>
  Effect.forEach(subjects, (subject, index) =>
    written(store, { clientId, subject }, none, grantOf(stateOf(index), index + 1))
  )

// A grant under a new name, one under a name that may be in use, or one that is removed.
const Change = Schema.Struct({
  act: Schema.Literals(["insert", "write", "write", "remove"]),
  index: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 19 })),
  state: State
})

const Changing = Schema.Struct({
  limit: Limit,
  size: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })),
  state: Schema.optionalKey(State),
  changes: Schema.Array(Schema.Array(Change).check(Schema.isMaxLength(4))).check(Schema.isMaxLength(20))
})

const goThroughWhileChanging = (
  store: WatchedGrants,
  clientId: string,
  { changes, limit, size, state }: typeof Changing.Type,
  grantOf: GrantOf
) =>
  Effect.gen(function* () {
    const nameOf = (index: number) => `subject ${(index * 7) % 20}`
    const all = Array.from({ length: size }, (_, index) => nameOf(index))
    yield* fill(store, clientId, all, grantOf)
    const first = states.flatMap((tag, index) => (state === undefined || tag === state ? [index] : []))
    // Those that are there all the time, and are looked for all the time.
    const steady = new Set(all.filter((_, index) => first.includes(index % states.length)))
    let number = 100
    const change = ({ act, index, state: to }: typeof Change.Type) =>
      Effect.gen(function* () {
        number++
        const subject = act === "insert" ? `${nameOf(index)} ${number}` : nameOf(index)
        const key = { clientId, subject }
        const before = yield* store.get(key)
        if (act === "remove") {
          steady.delete(subject)
          return Option.isNone(before) ? undefined : yield* removed(store, key, before.value.version)
        }
        if (state !== undefined && to !== state) steady.delete(subject)
        yield* written(
          store,
          key,
          Option.map(before, ({ version }) => version),
          grantOf(to, number)
        )
      })
    const pages = yield* pagesOf(store, { clientId, limit, state }, (page) =>
      Effect.forEach(changes[page - 1] ?? [], change, { discard: true })
    )
    const seen = subjectsOf(pages).filter((subject) => steady.has(subject))
    yield* areExactly(seen, [...steady], "the grants that were there all the time")
  })

// What is looked for. No subject begins with most of the patterns.
const prefixes = (subjects: ReadonlyArray<string>) => [
  ...subjects,
  ...subjects.map((subject) => `${subject}%`),
  "us",
  "U",
  "\\u",
  "\\u00"
]

/** The laws of pages. `grantOf` is a grant in a state, with a number in it. */
export const laws = <S>(
  port: Port<S, GrantStore.Key, GrantStore.GrantStore["Service"], WatchedGrants>,
  grantOf: GrantOf
): ReadonlyArray<Law<S>> => [
  property(
    port,
    "all pages together are the grants of a client application, each once, in the same order each time",
    Arbitrary.all({
      subjects: Arbitrary.array(awkward, { maxLength: 20 }),
      limit: Arbitrary.schema(Limit)
    }),
    ({ place, store }, { limit, subjects }) =>
      Effect.gen(function* () {
        const own = [...new Set(subjects)]
        const clientId = `${place}client`
        yield* fill(store, clientId, own, grantOf)
        const others = [place, `${place}CLIENT`, ...["2", " ", "%", "\0"].map((end) => `${clientId}${end}`)]
        yield* Effect.forEach(others, (other) => fill(store, other, own.slice(0, 3), grantOf))
        const pages = yield* pagesOf(store, { clientId, limit })
        yield* areExactly(subjectsOf(pages), own, "the grants of the client application")
        const strangers = entriesOf(pages).filter(({ key }) => key.clientId !== clientId)
        yield* expectThat(strangers.length === 0, "grants of the client application", "grants of another")
        const count = Math.max(1, Math.ceil(own.length / limit))
        yield* expectThat(pages.length === count, `${count} pages, the last of which has no next`, `${pages.length}`)
        const again = subjectsOf(yield* pagesOf(store, { clientId, limit: limit + 1 }))
        const isSame = subjectsOf(pages).every((subject, index) => again[index] === subject)
        yield* expectThat(isSame, "the same order each time", "another")
      })
  ),
  law(port, "an entry has the record and the version that are there", ({ place, store }) =>
    Effect.gen(function* () {
      const clientId = `${place}client`
      yield* fill(store, clientId, ["a", "b", "c"], grantOf)
      for (const { grant, key } of entriesOf(yield* pagesOf(store, { clientId, limit: 2 }))) {
        yield* isUnchanged(store, key, grant)
        yield* written(store, key, Option.some(grant.version), grantOf("Active", 9))
      }
    })
  ),
  law(port, "a limit of less than one counts as one", ({ place, store }) =>
    Effect.gen(function* () {
      const clientId = `${place}client`
      yield* fill(store, clientId, ["a", "b", "c"], grantOf)
      for (const limit of [0, -1, -100]) {
        const pages = yield* pagesOf(store, { clientId, limit })
        yield* areExactly(subjectsOf(pages), ["a", "b", "c"], "the grants of the client application")
      }
    })
  ),
  law(port, "a page of one state has the grants in that state, and no others", ({ place, store }) =>
    Effect.gen(function* () {
      const clientId = `${place}client`
      const subjects = Array.from({ length: 10 }, (_, index) => `subject ${index}`)
      const filled = yield* fill(store, clientId, subjects, grantOf)
      const search = (state: GrantStore.Grant["_tag"], expected: (index: number) => boolean) =>
        Effect.forEach([1, 2, 4, 100], (limit) =>
          Effect.flatMap(pagesOf(store, { clientId, limit, state }), (pages) =>
            areExactly(
              subjectsOf(pages),
              subjects.filter((_, index) => expected(index)),
              `the grants that are ${state}`
            )
          )
        )
      for (const state of states) yield* search(state, (index) => stateOf(index) === state)
      // All of them change.
      for (const [index, subject] of subjects.entries()) {
        const version = Option.map(Option.fromUndefinedOr(filled[index]), ({ version }) => version)
        yield* written(store, { clientId, subject }, version, grantOf(stateOf(index + 1), 99))
      }
      for (const state of states) yield* search(state, (index) => stateOf(index + 1) === state)
    })
  ),
  law(port, "a prefix finds exactly the subjects that begin with it, whatever its characters", ({ place, store }) =>
    Effect.gen(function* () {
      const clientId = `${place}client`
      yield* fill(store, clientId, lookalikes, grantOf)
      for (const prefix of prefixes(lookalikes)) {
        const pages = yield* pagesOf(store, { clientId, prefix, limit: 60 })
        // Half of a character finds what it finds, but it is no failure.
        if (!prefix.isWellFormed()) continue
        const matching = lookalikes.filter((subject) => subject.startsWith(prefix))
        yield* areExactly(subjectsOf(pages), matching, `the subjects that begin with ${list([prefix])}`)
      }
    })
  ),
  property(
    port,
    "a prefix and a state together find exactly what has both",
    Arbitrary.all({
      subjects: Arbitrary.array(awkward, { maxLength: 12 }),
      prefix: awkward,
      length: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))),
      state: Arbitrary.schema(State),
      limit: Arbitrary.schema(Limit)
    }),
    ({ place, store }, { length, limit, prefix, state, subjects }) =>
      Effect.gen(function* () {
        const clientId = `${place}client`
        const own = [...new Set([...subjects, prefix, `${prefix}a`, `${prefix}\u{10ffff}`])]
        yield* fill(store, clientId, own, grantOf)
        const start = prefix.slice(0, length)
        const pages = yield* pagesOf(store, { clientId, prefix: start, state, limit })
        if (!start.isWellFormed()) return
        const matching = own.filter((subject, index) => subject.startsWith(start) && stateOf(index) === state)
        yield* areExactly(subjectsOf(pages), matching, `the subjects that begin with ${list([start])} and are ${state}`)
      })
  ),
  property(
    port,
    "a page begins after the subject that is named, whether or not it is there",
    Arbitrary.all({
      subjects: Arbitrary.array(awkward, { minLength: 1, maxLength: 12 }),
      limit: Arbitrary.schema(Limit)
    }),
    ({ place, store }, { limit, subjects }) =>
      Effect.gen(function* () {
        const clientId = `${place}client`
        const own = [...new Set(subjects)]
        yield* fill(store, clientId, own, grantOf)
        const order = subjectsOf(yield* pagesOf(store, { clientId, limit: 100 }))
        for (const [index, after] of order.entries()) {
          const rest = order.slice(index + 1)
          const isRest = ({ entries, next }: GrantStore.Page) => {
            const page = rest.slice(0, limit)
            const isSame = entries.length === page.length && entries.every(({ key }, at) => key.subject === page[at])
            const hasNext = rest.length > page.length
            return expectThat(
              isSame && (next !== undefined) === hasNext,
              `what comes after ${list([after])}, and a next if there is more`,
              `${list(entries.map(({ key }) => key.subject))}, and ${next === undefined ? "no next" : "a next"}`
            )
          }
          yield* Effect.flatMap(store.page({ clientId, after, limit }), isRest)
          const key = { clientId, subject: after }
          yield* removed(store, key, (yield* found(store, key)).version)
          yield* Effect.flatMap(store.page({ clientId, after, limit }), isRest)
          yield* written(store, key, none, grantOf("Active", 1))
        }
      }),
    { runs: 50 }
  ),
  property(
    port,
    "a grant that is there all the time is seen exactly once, whatever is written meanwhile",
    Arbitrary.schema(Changing),
    ({ place, store }, input) => goThroughWhileChanging(store, `${place}client`, input, grantOf)
  )
]
