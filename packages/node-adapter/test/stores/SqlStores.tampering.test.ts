/** Somebody who can write to the database, and has no key. */
import { describe, expect, it } from "@effect/vitest"
import * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import type { VersionedStore } from "@zapier-workflow-auth/core/store/VersionedStore"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { StoreError } from "@zapier-workflow-auth/core/store/VersionedStore"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { inspect } from "node:util"
import * as EncryptionKey from "../../src/EncryptionKey.ts"
import * as SqliteClient from "../../src/stores/SqliteClient.ts"
import * as SqlStores from "../../src/stores/SqlStores.ts"
import * as ZapierNode from "../../src/ZapierNode.ts"
import { keyOf } from "../utils/KeyRotation.ts"
import { app } from "../utils/SqlStoreSuite.ts"

const { Active, ReconnectRequired, Refreshing } = UserGrant.State.cases

const database = SqliteClient.layer({ filename: ":memory:" })

const fake = FakeZapier.layer({ apps: [app] })

const stores = EncryptedStores.layer.pipe(
  Layer.provideMerge(KeyRing.layer([keyOf(1)]).pipe(Layer.provide(EncryptionKey.crypto))),
  Layer.provide(SqlStores.layer),
  Layer.provideMerge(database)
)

const columns = {
  zapier_grants: ["client_id", "subject", "version", "state", "record"],
  zapier_consent_attempts: ["state_digest", "version", "expires_at", "subject", "started_at", "record"],
  zapier_app_credentials: ["client_id", "scopes", "version", "record"]
}

const tables = ["zapier_grants", "zapier_consent_attempts", "zapier_app_credentials"] as const

const rowsOfTable = 3

const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))

const place = { table: Schema.Literals(tables), row: Index, column: Index }

/** One change of what is stored. Indexes are taken modulo what there is. */
const Change = Schema.Union([
  // One character of any column, or in its place more of them, or none.
  Schema.TaggedStruct("Text", {
    ...place,
    at: Schema.Union([Index, Schema.Literals([-1, -2, -3, -20])]),
    text: Schema.Union([Schema.String, Schema.Literals(["", "a", "0", " ", '"', "\0", "null"])])
  }),
  Schema.TaggedStruct("Number", {
    ...place,
    number: Schema.Union([Schema.Int, Schema.Literals([0, -1, 2, 2 ** 60])])
  }),
  Schema.TaggedStruct("SwapColumn", { ...place, other: Index }),
  Schema.TaggedStruct("SwapRows", { ...place, other: Index }),
  Schema.TaggedStruct("RecordOfAnotherTable", { ...place, from: Schema.Literals(tables), other: Index }),
  // A record of somebody else, without encryption.
  Schema.TaggedStruct("Plain", { ...place })
])

// Whose each secret is can be read from it.
const withSecrets = (value: unknown, text: string): unknown => {
  if (Redacted.isRedacted(value)) return Tokens.secret(text)
  if (Array.isArray(value)) return value.map((part) => withSecrets(part, text))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withSecrets(part, text)]))
}

const owned = <A>(record: A, owner: string): A => withSecrets(record, `s3cret of ${owner}`) as A

interface Kept<Key, A> {
  readonly codec: RecordCodec.RecordCodec<A>
  readonly records: ReadonlyArray<readonly [Key, A]>
}

const plain = <A>({ encode }: RecordCodec.RecordCodec<A>, record: A): unknown => JSON.parse(encode(record))

const write = <Key, A>(store: VersionedStore<Key, A>, { records }: Kept<Key, A>) =>
  Effect.forEach(records, ([key, record]) =>
    Effect.map(store.compareAndSet(key, Option.none(), record), (isWritten) => expect(isWritten).toBe(true))
  )

const isTyped = ({ _tag }: StoreError) => expect(["DecryptionFailed", "StoreFailed"]).toContain(_tag)

/** Each key has its record, none, or a failure with a type that tells no secret. `isNone` says what else counts as none. */
const check = Effect.fnUntraced(function* <Key, A>(
  store: VersionedStore<Key, A>,
  { codec, records }: Kept<Key, A>,
  isNone: (record: A) => boolean = () => false
) {
  for (const [key, record] of records) {
    const exit = yield* Effect.exit(store.get(key))
    if (Exit.isSuccess(exit)) {
      if (Option.isNone(exit.value) || isNone(exit.value.value.value)) continue
      expect(plain(codec, exit.value.value.value)).toEqual(plain(codec, record))
      continue
    }
    isTyped(yield* Effect.flip(Effect.suspend(() => exit)))
    expect(inspect(exit, { depth: 20 }) + JSON.stringify(exit)).not.toMatch(/s3cret|zwa1/)
  }
})

type Cell = string | number | bigint

const apply = Effect.fnUntraced(function* (
  change: typeof Change.Type,
  planted: Record<(typeof tables)[number], string>
) {
  const sql = yield* SqlClient
  const { table } = change
  const of = (row: number) => (row % rowsOfTable) + 1
  const row = of(change.row)
  const names = columns[table]
  const column = names[change.column % names.length] ?? "record"
  const read = (row: number, column: string, from: string = table) =>
    Effect.map(
      sql<{ readonly cell: Cell }>`SELECT ${sql(column)} AS cell FROM ${sql(from)} WHERE rowid = ${row}`,
      ([found]) => found?.cell ?? ""
    )
  const set = (row: number, column: string, cell: Cell) =>
    sql`UPDATE ${sql(table)} SET ${sql(column)} = ${cell} WHERE rowid = ${row}`
  const swap = Effect.fnUntraced(function* (column: string, other: number) {
    const [mine, theirs] = [yield* read(row, column), yield* read(other, column)]
    // Two rows never have the same key.
    yield* set(row, column, typeof mine === "string" ? "aside" : 0)
    yield* set(other, column, mine)
    yield* set(row, column, theirs)
  })
  switch (change._tag) {
    case "Text": {
      const cell = yield* read(row, column)
      if (typeof cell !== "string") return
      const at = change.at < 0 ? cell.length + change.at : change.at % cell.length
      return yield* set(row, column, cell.slice(0, at) + change.text + cell.slice(at + 1))
    }
    case "Number": {
      const numeric = names.filter((name) => name === "version" || name === "expires_at")
      const name = numeric[change.column % numeric.length] ?? "version"
      return yield* set(row, name, name === "version" ? BigInt(change.number) : change.number)
    }
    case "SwapColumn":
      return yield* swap(column, of(change.other))
    case "SwapRows":
      for (const name of names.slice(table === "zapier_consent_attempts" ? 1 : 2)) yield* swap(name, of(change.other))
      return
    case "RecordOfAnotherTable":
      return yield* set(row, "record", yield* read(of(change.other), "record", change.from))
    case "Plain":
      return yield* set(row, "record", planted[table])
  }
})

const Three = <A>(schema: Schema.Schema<A>) => Schema.Tuple([schema, schema, schema])

const zip = <Key, A>(keys: ReadonlyArray<Key>, records: ReadonlyArray<A>) =>
  keys.flatMap((key, index) => {
    const record = records[index]
    return record === undefined ? [] : [[key, owned(record, `number ${index}`)] as const]
  })

// Another database each time.
const library = () =>
  Layer.fresh(
    ZapierNode.layerWithoutStores({
      application: app,
      httpClient: Layer.provide(FakeZapier.layerHttpClient, fake)
    }).pipe(Layer.provide(stores), Layer.provideMerge(Layer.merge(database, fake)))
  )

describe("SqlStores, encrypted", () => {
  it.effect("an attempt that was renamed gives nobody the grant of another user", () =>
    Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const fake = yield* FakeZapier.FakeZapier
      const sql = yield* SqlClient
      const { url } = yield* auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })
      const callback = yield* fake.approve(Redacted.value(url))
      yield* sql`UPDATE zapier_consent_attempts SET record = replace(record, '"ada"', '"eve"')`
      for (const subject of ["eve", "ada"]) {
        const { reason } = yield* Effect.flip(auth.handleCallback(callback, { subject }))
        expect(reason).toMatchObject({ _tag: "DecryptionFailed", store: "attempt store", problem: "Altered" })
        expect((yield* auth.status(subject))._tag).toBe("Absent")
      }
      expect(yield* fake.issued).toEqual([])
    }).pipe(Effect.provide(library()))
  )

  it.effect("an attempt whose column says another user is still only for the one who began it", () =>
    Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const fake = yield* FakeZapier.FakeZapier
      const sql = yield* SqlClient
      const { url } = yield* auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })
      const callback = yield* fake.approve(Redacted.value(url))
      yield* sql`UPDATE zapier_consent_attempts SET subject = 'eve'`
      const { reason } = yield* Effect.flip(auth.handleCallback(callback, { subject: "eve" }))
      expect(reason).toMatchObject({ _tag: "StateMismatch", why: "OtherSubject" })
      expect((yield* auth.status("eve"))._tag).toBe("Absent")
      expect((yield* auth.handleCallback(callback, { subject: "ada" }))._tag).toBe("Active")
    }).pipe(Effect.provide(library()))
  )

  it.effect.prop(
    "whatever somebody without a key changes: a key has its record, none, or a failure with a type",
    {
      grants: Three(Schema.Union([Active, Refreshing, ReconnectRequired])),
      attempts: Three(ConsentAttempt.Stored),
      credentials: Three(AppCredential.State),
      change: Change
    },
    (given) =>
      Effect.gen(function* () {
        const all = {
          grants: {
            codec: RecordCodec.grant,
            records: zip(
              [
                { clientId: "client-1", subject: "ada" },
                { clientId: "client-1", subject: "eve" },
                { clientId: "client-2", subject: "ada" }
              ],
              given.grants
            )
          },
          attempts: { codec: RecordCodec.attempt, records: zip(["digest-1", "digest-2", "digest-3"], given.attempts) },
          credentials: {
            codec: RecordCodec.appCredential,
            records: zip(
              ["", "zap", "zap:all"].map((scopes) => ({ clientId: "client-1", scopes })),
              given.credentials
            )
          }
        }
        const [grants, attempts, credentials] = [yield* GrantStore, yield* AttemptStore, yield* AppCredentialStore]
        yield* write(grants, all.grants)
        yield* write(attempts, all.attempts)
        yield* write(credentials, all.credentials)
        // The database may refuse it.
        yield* Effect.ignore(
          apply(given.change, {
            zapier_grants: RecordCodec.grant.encode(owned(given.grants[2], "eve")),
            zapier_consent_attempts: RecordCodec.attempt.encode(owned(given.attempts[2], "eve")),
            zapier_app_credentials: RecordCodec.appCredential.encode(owned(given.credentials[2], "eve"))
          })
        )
        yield* check(grants, all.grants)
        yield* check(attempts, all.attempts)
        yield* check(credentials, all.credentials, ({ _tag, ...rest }) => _tag === "Absent" && !("pause" in rest))

        const pages = yield* Effect.forEach(["client-1", "client-2"], (clientId) => grants.page({ clientId, limit: 9 }))
        const entries = pages.flatMap((page) => page.entries)
        for (const { grant, key } of entries) {
          const [, record] =
            all.grants.records.find(
              ([{ clientId, subject }]) => clientId === key.clientId && subject === key.subject
            ) ?? expect.unreachable(`a record for ${JSON.stringify(key)}`)
          expect(plain(RecordCodec.grant, grant.value)).toEqual(plain(RecordCodec.grant, record))
        }
        for (const { error } of pages.flatMap((page) => page.unreadable ?? [])) isTyped(error)
        // One change is of two rows at most.
        expect(entries.length).toBeGreaterThanOrEqual(1)
      }).pipe(Effect.provide(Layer.fresh(stores))),
    { arbitrary: { runs: 150 } }
  )
})
