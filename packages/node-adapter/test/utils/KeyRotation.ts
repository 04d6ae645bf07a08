/** A database with encrypted grants, and the key file beside it, as an app leaves them. */
import * as NodeFs from "node:fs"
import { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import { type Grant, GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import type { KeyRing } from "@zapier-workflow-auth/core/store/KeyRing"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import * as EncryptionKey from "../../src/EncryptionKey.ts"
import { keysOf } from "../../src/internal/keyFile.ts"
import * as SqlStores from "../../src/stores/SqlStores.ts"

/** No key of these ever appears in what a command says. */
export const keyOf = (number: number) => Buffer.alloc(32, number).toString("base64")

const tokenOf = (subject: string, part: "access" | "refresh") => `${part}-of-${subject}`

const grantOf = (subject: string): Grant => ({
  _tag: "Active",
  family: "consent-1",
  generation: 1,
  tokens: {
    accessToken: Tokens.secret(tokenOf(subject, "access")),
    refreshToken: Tokens.secret(tokenOf(subject, "refresh")),
    scopes: ["zap"],
    obtainedAt: 0,
    expiresAt: 36_000_000
  },
  responseLost: false
})

type Database = Layer.Layer<SqlClient, ZapierAuthError>

/** The stores of a process of the app: it has the keys that were given when it started. */
const processWith = (database: Database, keys: ReadonlyArray<string>) => {
  const env = { ZAPIER_ENCRYPTION_KEYS: keys.join(",") }
  const layerKeys: Layer.Layer<KeyRing, ZapierAuthError> = EncryptionKey.layerConfig.pipe(
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
  )
  return EncryptedStores.layer.pipe(Layer.provide([SqlStores.layer, layerKeys]), Layer.provideMerge(database))
}

export const keysIn = (path: string) => keysOf(NodeFs.readFileSync(path, "utf8"))

/** Stores grants as such a process does, all in one transaction. */
export const write = (
  database: Database,
  keys: ReadonlyArray<string>,
  subjects: ReadonlyArray<string>,
  clientId = "client-1"
) =>
  Effect.gen(function* () {
    const grants = yield* GrantStore
    const sql = yield* SqlClient
    const all = Effect.forEach(subjects, (subject) =>
      grants.compareAndSet({ clientId, subject }, Option.none(), grantOf(subject))
    )
    yield* sql.withTransaction(all)
  }).pipe(Effect.provide(processWith(database, keys)))

/** Stores grants as a process does that does not encrypt. */
export const writePlain = (database: Database, subjects: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const grants = yield* GrantStore
    for (const subject of subjects) {
      yield* grants.compareAndSet({ clientId: "client-1", subject }, Option.none(), grantOf(subject))
    }
  }).pipe(Effect.provide(Layer.provide(SqlStores.layer, database)))

/** Those of the subjects whose tokens such a process can read, and has right. */
export const readable = (
  database: Database,
  keys: ReadonlyArray<string>,
  subjects: ReadonlyArray<string>,
  clientId = "client-1"
) =>
  Effect.gen(function* () {
    const grants = yield* GrantStore
    return yield* Effect.filter(subjects, (subject) =>
      Effect.match(grants.get({ clientId, subject }), {
        onFailure: () => false,
        onSuccess: Option.exists(({ value }) => Redacted.value(value.tokens.accessToken) === tokenOf(subject, "access"))
      })
    )
  }).pipe(Effect.provide(processWith(database, keys)))

/** Begins a consent with a code verifier, as such a process does. `endsAt` is in milliseconds since the epoch. */
export const beginConsent = (database: Database, keys: ReadonlyArray<string>, endsAt: number) =>
  Effect.gen(function* () {
    const attempts = yield* AttemptStore
    yield* attempts.compareAndSet(`digest-${endsAt}`, Option.none(), {
      _tag: "Pending",
      stateDigest: `digest-${endsAt}`,
      subject: "ada",
      redirectUri: "https://acme.example/callback",
      scopes: ["zap"],
      startedAt: 0,
      expiresAt: endsAt,
      codeVerifier: Tokens.secret("the-verifier")
    })
  }).pipe(Effect.provide(processWith(database, keys)))

/** The records as they are stored, by subject. */
export const stored = (database: Database) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const rows = yield* sql<{ readonly subject: string; readonly record: string }>`
      SELECT subject, record FROM zapier_grants ORDER BY subject
    `
    return new Map(rows.map(({ record, subject }) => [subject, record]))
  }).pipe(Effect.provide(database))
