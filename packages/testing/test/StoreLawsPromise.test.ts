/** Custom stores without Effect, each with one mistake, and the checks that have to notice it. */
import { describe, expect, it } from "@effect/vitest"
import type * as PromiseStores from "@zapier-workflow-auth/core/store/PromiseStores"
import * as StoreLawsPromise from "../src/StoreLawsPromise.ts"

type Stored<Row> = Row & { readonly key: string; readonly version: number }

interface Database {
  version: number
  readonly tables: Map<string, Map<string, Stored<{ readonly record: string }>>>
}

const empty = (): Database => ({ version: 0, tables: new Map() })

/** A mistake in all three tables. */
interface Mistakes {
  readonly keyText?: (key: unknown) => string
  readonly matches?: (expected: number | undefined, current: number | undefined) => boolean
  /** Other writers may come between the read and the write. */
  readonly isCareless?: boolean
  readonly record?: (record: string) => string
  readonly version?: (before: number | undefined, database: Database) => number
  readonly written?: unknown
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const open = (mistakes: Mistakes = {}, database = empty()) => {
  const {
    isCareless = false,
    keyText = (key) => JSON.stringify(key),
    matches = Object.is,
    record = (text) => text,
    version = () => ++database.version,
    written = true
  } = mistakes
  const rowsOf = <Row extends { readonly record: string }>(name: string) => {
    const rows = database.tables.get(name) ?? new Map()
    database.tables.set(name, rows)
    return rows as Map<string, Stored<Row>>
  }
  const table = <Key, Row extends { readonly record: string }>(name: string): PromiseStores.Table<Key, Row> => {
    const rows = rowsOf<Row>(name)
    return {
      get: async (key) => rows.get(keyText(key)),
      compareAndSet: async (key, expected, row) => {
        const before = rows.get(keyText(key))?.version
        if (!matches(expected, before)) return false
        if (isCareless) await Promise.resolve()
        rows.set(keyText(key), {
          ...row,
          record: record(row.record),
          key: JSON.stringify(key),
          version: version(before, database)
        })
        return written as boolean
      },
      remove: async (key, expected) => {
        if (!matches(expected, rows.get(keyText(key))?.version)) return false
        return rows.delete(keyText(key))
      }
    }
  }
  const stores: PromiseStores.Stores & { readonly appTokens: NonNullable<PromiseStores.Stores["appTokens"]> } = {
    grants: {
      ...table("grants"),
      page: async ({ after, clientId, limit, prefix = "", state }) =>
        [...rowsOf<PromiseStores.GrantRow>("grants").values()]
          .map((row) => ({ ...row, ...(JSON.parse(row.key) as { clientId: string; subject: string }) }))
          .filter((row) => row.clientId === clientId && row.subject.startsWith(prefix))
          .filter((row) => (state === undefined || row.state === state) && (after === undefined || row.subject > after))
          .sort((a, b) => byText(a.subject, b.subject))
          .slice(0, limit)
    },
    attempts: {
      ...table("attempts"),
      bySubject: async ({ limit, skip, subject }) =>
        [...rowsOf<PromiseStores.AttemptRow>("attempts").values()]
          .filter((row) => row.subject === subject)
          .sort((a, b) => b.startedAt - a.startedAt)
          .slice(skip, skip + limit)
          .map((row) => ({ ...row, key: JSON.parse(row.key) as string }))
    },
    appTokens: table("appTokens")
  }
  return stores
}

type Grants = PromiseStores.Grants
type Attempts = PromiseStores.Attempts

const grants = (edit: (store: Grants) => Partial<Grants>) => () => {
  const stores = open()
  return { ...stores, grants: { ...stores.grants, ...edit(stores.grants) } }
}

const attempts = (edit: (store: Attempts) => Partial<Attempts>) => () => {
  const stores = open()
  return { ...stores, attempts: { ...stores.attempts, ...edit(stores.attempts) } }
}

/** Each is noticed by the checks whose names begin so. */
const mutants: ReadonlyArray<
  readonly [what: string, open: () => PromiseStores.Stores, noticed: ReadonlyArray<string>]
> = [
  [
    "writes with any version",
    () => open({ matches: () => true }),
    [
      "grants: a key has no record until",
      "consent attempts: a key has no record until",
      "app tokens: a key has no record until"
    ]
  ],
  [
    "reads, and then writes",
    () => open({ isCareless: true }),
    ["grants: of concurrent writes", "consent attempts: of concurrent writes", "app tokens: of concurrent writes"]
  ],
  [
    "begins the versions of a key again after a removal",
    () => open({ version: (before = 0) => before + 1 }),
    [
      "grants: a version is never used again",
      "consent attempts: a version is never used again",
      "app tokens: a version is never used again"
    ]
  ],
  [
    "ignores the case of keys",
    () => open({ keyText: (key) => JSON.stringify(key).toLowerCase() }),
    ["grants: keys that look alike", "consent attempts: keys that look alike", "app tokens: keys that look alike"]
  ],
  [
    "cuts a record after four kilobytes",
    () => open({ record: (text) => text.slice(0, 4_096) }),
    [
      "grants: a record is preserved whatever the size",
      "consent attempts: a record is preserved whatever the size",
      "app tokens: a record is preserved whatever the size"
    ]
  ],
  [
    "returns the number of written rows",
    () => open({ written: 1 }),
    [
      "grants: a record is read as it was written",
      "consent attempts: a record is read as it was written",
      "app tokens: a record is read as it was written"
    ]
  ],
  [
    "says that it removed nothing",
    grants(({ remove }) => ({ remove: async (key, expected) => !(await remove(key, expected)) })),
    ["grants: a record is removed only"]
  ],
  [
    "includes the grant after which the page begins",
    grants(({ page }) => ({
      page: async ({ after, ...options }) => {
        const all = await page({ ...options, limit: 10_000 })
        return all.filter(({ subject }) => after === undefined || subject >= after).slice(0, options.limit)
      }
    })),
    ["grants: a page begins after the subject"]
  ],
  [
    "ignores the state that a page asks for",
    grants(({ page }) => ({ page: (options) => page({ ...options, state: undefined }) })),
    ["grants: a page of one state"]
  ],
  [
    "ignores the prefix that a page asks for",
    grants(({ page }) => ({ page: (options) => page({ ...options, prefix: undefined }) })),
    ["grants: a prefix finds exactly"]
  ],
  [
    "gives a page one grant less than it asks for",
    grants(({ page }) => ({ page: (options) => page({ ...options, limit: options.limit - 1 }) })),
    ["grants: all pages together"]
  ],
  [
    "lists the oldest attempts first",
    attempts(({ bySubject }) => ({
      bySubject: async ({ limit, skip, subject }) =>
        (await bySubject({ subject, skip: 0, limit: 10_000 })).toReversed().slice(skip, skip + limit)
    })),
    ["consent attempts: the attempts of a subject are listed"]
  ],
  [
    "skips no attempts",
    attempts(({ bySubject }) => ({ bySubject: (options) => bySubject({ ...options, skip: 0 }) })),
    ["consent attempts: the attempts of a subject are listed"]
  ],
  [
    "has one app token for all scopes",
    () => {
      const stores = open()
      const of = <Key extends { readonly scopes: string }>(key: Key): Key => ({ ...key, scopes: "" })
      const { compareAndSet, get, remove } = stores.appTokens
      return {
        ...stores,
        appTokens: {
          get: (key) => get(of(key)),
          compareAndSet: (key, expected, row) => compareAndSet(of(key), expected, row),
          remove: (key, expected) => remove(of(key), expected)
        }
      }
    },
    ["app tokens: keys that look alike"]
  ]
]

const checkOf = (checks: ReadonlyArray<StoreLawsPromise.Check>, beginning: string) => {
  const found = checks.find(({ name }) => name.startsWith(beginning))
  if (found === undefined) throw new Error(`no check begins with "${beginning}"`)
  return found
}

describe("StoreLawsPromise notices a store that", () => {
  it.each(mutants)("%s", async (_, open, noticed) => {
    for (const beginning of noticed) {
      const { check, name } = checkOf(StoreLawsPromise.all(open), beginning)
      const error: unknown = await check().then(
        () => `passed: ${name}`,
        (error) => error
      )
      expect(error).toMatchObject({ _tag: "LawBroken", law: name.slice(name.indexOf(": ") + 2) })
    }
  })

  it("forgets its data when it is closed", async () => {
    const checks = StoreLawsPromise.persistent(() => open())
    for (const beginning of ["grants: a reopened", "consent attempts: a reopened", "app tokens: a reopened"]) {
      await expect(checkOf(checks, beginning).check()).rejects.toMatchObject({ _tag: "LawBroken" })
    }
  })

  it("cannot be opened", async () => {
    for (const { check } of StoreLawsPromise.all(() => Promise.reject(new Error("no database"))).slice(0, 1)) {
      await expect(check()).rejects.toThrow("no database")
    }
  })
})

it("StoreLawsPromise passes a store without a mistake, under names that differ", async () => {
  const database = empty()
  const checks = [
    ...StoreLawsPromise.all(() => open(), { runs: 5 }),
    ...StoreLawsPromise.persistent(() => open({}, database), { runs: 5 })
  ]
  expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length)
  for (const { check } of checks) await check()
  expect([...database.tables.values()].map((rows) => rows.size)).toEqual([0, 0, 0])
})
