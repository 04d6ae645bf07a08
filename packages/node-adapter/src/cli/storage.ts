/**
 * Where a command finds grants, and the keys that encrypt them.
 *
 * The database is the folder of `--data-directory`; else the Postgres of `ZAPIER_DATABASE_URL`, the Redis of
 * `ZAPIER_REDIS_URL`, or the folder of `ZAPIER_DATA_DIRECTORY`; else the user's data directory. The keys are in the file of `--key-file`; else in
 * `ZAPIER_ENCRYPTION_KEYS`, or in the file of `ZAPIER_KEY_FILE`; else beside the embedded database. A flag is meant, whatever
 * the environment says; of two variables that contradict each other, nobody knows which is.
 *
 * What a fake gives out is kept apart, in another database and with another key beside it in that folder, never in a
 * Postgres or Redis and never by a key that is configured: no real grant is ever sent to a fake, or lost to it, and no key that one
 * needs is replaced because the fake's database does not.
 *
 * Only a command that stores something new makes a database. For the others, one that is not there was meant to be another.
 */
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import type { KeyRing } from "@zapier-workflow-auth/core/store/KeyRing"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as UserDirectories from "effect/persistence/UserDirectories"
import type { SqlClient } from "effect/sql/SqlClient"
import * as DataDirectory from "../DataDirectory.ts"
import * as EncryptionKey from "../EncryptionKey.ts"
import * as RedisStores from "../internal/redisStores.ts"
import * as PostgresClient from "../stores/PostgresClient.ts"
import * as RedisClient from "../stores/RedisClient.ts"
import * as SqliteClient from "../stores/SqliteClient.ts"
import * as SqlStores from "../stores/SqlStores.ts"
import type * as Flags from "./flags.ts"
import * as Inventory from "./inventory.ts"
import * as Server from "./server.ts"
import * as Environment from "../internal/environment.ts"

/** The names of the files of an embedded database. */
interface Files {
  readonly directory: string | undefined
  readonly database: string
  readonly key: string
}

type Database = { readonly _tag: "Embedded"; readonly files: Files } | Environment.Server

export type Keys = { readonly _tag: "File"; readonly path: string } | { readonly _tag: "Environment" }

const isFake = (flags: Flags.Place) => Effect.map(Server.fake(flags), Option.isSome)

const databaseOf = Effect.fnUntraced(function* (flags: Flags.Place) {
  const { directory } = yield* Environment.storage
  const apart = yield* isFake(flags)
  if (Option.isNone(flags.dataDirectory) && !apart) {
    const server = yield* Environment.server
    if (Option.isSome(server)) return server.value satisfies Database
  }
  const found = Option.orElse(flags.dataDirectory, () => directory)
  const name = apart ? "fake" : "auth"
  const files = { directory: Option.getOrUndefined(found), database: `${name}.sqlite`, key: `${name}.key` }
  return { _tag: "Embedded", files } satisfies Database
})

/** The database that is meant: the file that it is in, whether that is there or not; or what a server is called. */
export const place = Effect.fnUntraced(
  function* (flags: Flags.Place) {
    const paths = yield* Path.Path
    const database = yield* databaseOf(flags)
    if (database._tag !== "Embedded") {
      return { file: undefined, server: `the ${database._tag} of ${database.variable}` }
    }
    const folder = yield* DataDirectory.folderOf(database.files.directory)
    return { file: paths.join(folder, database.files.database), server: undefined }
  },
  (effect) => Effect.provide(effect, UserDirectories.layer)
)

const besideDatabase = Effect.fnUntraced(function* (database: Database, makeKey: boolean) {
  if (database._tag !== "Embedded") {
    return yield* ZapierAuthError.make(
      new InvalidConfig({
        setting: "encryption keys",
        problem: `set ZAPIER_ENCRYPTION_KEYS, or give --key-file: a ${database._tag} has none beside it`
      })
    )
  }
  const { directory, key } = database.files
  const path = yield* EncryptionKey.file({ directory, name: key, create: makeKey }).pipe(
    Effect.provide([UserDirectories.layer, EncryptionKey.crypto])
  )
  return { _tag: "File", path } satisfies Keys
})

/**
 * Where the keys are.
 *
 * @param makeKey whether to make the key beside the embedded database if there is none
 */
export const keys = Effect.fnUntraced(function* (flags: Flags.Place, makeKey = false) {
  const paths = yield* Path.Path
  const set = yield* Environment.storage
  if (yield* isFake(flags)) {
    if (Option.isSome(flags.keyFile)) {
      return yield* ZapierAuthError.make(
        new InvalidConfig({
          setting: "--key-file",
          problem: "the key of a fake is beside its database. Leave --key-file out, or unset ZAPIER_FAKE"
        })
      )
    }
    return yield* besideDatabase(yield* databaseOf(flags), makeKey)
  }
  if (Option.isNone(flags.keyFile) && Option.isSome(set.keys)) {
    if (Option.isSome(set.keyFile)) return yield* Environment.both("ZAPIER_ENCRYPTION_KEYS", "ZAPIER_KEY_FILE")
    return { _tag: "Environment" } satisfies Keys
  }
  const keyFile = Option.orElse(flags.keyFile, () => set.keyFile)
  if (Option.isSome(keyFile)) return { _tag: "File", path: paths.resolve(keyFile.value) } satisfies Keys
  return yield* besideDatabase(yield* databaseOf(flags), makeKey)
})

export const layerKeys = (keys: Keys): Layer.Layer<KeyRing, ZapierAuthError> =>
  keys._tag === "File" ? EncryptionKey.layerFile(keys.path) : EncryptionKey.layerConfig

type Stores = GrantStore | AttemptStore | AppCredentialStore

const layerRedis = ({ url, variable }: Environment.Server) => RedisClient.layer({ url, urlName: variable })

const layerDatabase = (database: Database, create: boolean): Layer.Layer<SqlClient, ZapierAuthError> => {
  if (database._tag === "Embedded") {
    const { database: name, directory } = database.files
    return SqliteClient.layerDefault({ directory, name, create })
  }
  const { url, variable } = database
  // Whoever looks at all grants takes longer than a request may.
  return PostgresClient.layer({ url, urlName: variable, statementTimeout: Duration.infinity })
}

const layerOf = (
  flags: Flags.Place,
  { create, reading }: { readonly create: boolean; readonly reading: boolean }
): Layer.Layer<Stores | Inventory.Inventory, ZapierAuthError> =>
  Layer.unwrap(
    Effect.map(databaseOf(flags), (database) => {
      if (database._tag === "Redis") {
        const stores = reading ? RedisStores.layerUnchecked : RedisStores.layerQuiet
        return Layer.merge(stores, Inventory.layerRedis).pipe(Layer.provide(layerRedis(database)))
      }
      const stores = reading ? SqlStores.layerExisting : SqlStores.layer
      return Layer.merge(stores, Inventory.layerSql).pipe(Layer.provide(layerDatabase(database, create)))
    })
  )

/**
 * The stores as they are, which is encrypted, and what else is known of the database: `layerKeys` opens what they hold.
 *
 * @param create whether to make the embedded database if there is none
 */
export const layerStores = (flags: Flags.Place, create = false) => layerOf(flags, { create, reading: false })

/**
 * As `layerStores`, for a command that only looks: it makes no database and no tables, and brings none up to date. Ask
 * `Inventory` whether it is used before the stores.
 */
export const layerReading = (flags: Flags.Place) => layerOf(flags, { create: false, reading: true })

/** The stores, with what they hold opened. */
export const layer = (
  flags: Flags.Place,
  create: boolean
): Layer.Layer<GrantStore | AttemptStore | AppCredentialStore, ZapierAuthError, FileSystem.FileSystem | Path.Path> =>
  EncryptedStores.layer.pipe(
    Layer.provide([layerStores(flags, create), Layer.unwrap(Effect.map(keys(flags, create), layerKeys))])
  )
