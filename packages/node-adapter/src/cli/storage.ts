/**
 * The database of a command, and the keys that encrypt it.
 *
 * The database is in the folder of `--data-directory`; else in the Postgres of `ZAPIER_DATABASE_URL`, the Redis of
 * `ZAPIER_REDIS_URL`, or the folder of `ZAPIER_DATA_DIRECTORY`; else in the user's data directory. The keys are in the file of
 * `--key-file`; else in `ZAPIER_ENCRYPTION_KEYS`, or the file of `ZAPIER_KEY_FILE`; else beside the embedded database. A flag
 * overrides the environment. Two variables that contradict each other are refused.
 *
 * Connections of a fake are stored apart: in another database of that folder, with another key beside it, never in a Postgres
 * or Redis and never with a configured key. So no real token is sent to a fake, and no key that a real connection needs is
 * replaced.
 *
 * A command makes the database only if it stores something new.
 */
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import type { KeyRing } from "@zapier-workflow-auth/core/store/KeyRing"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
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
import { oneLine } from "../internal/terminalText.ts"
import * as Flags from "./flags.ts"
import * as Inventory from "./inventory.ts"
import { Refused } from "./refused.ts"
import { command } from "./shown.ts"
import * as Server from "./server.ts"
import * as Environment from "../internal/environment.ts"

/** The files of an embedded database. */
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

/** The file of the embedded database, which need not exist; or the name of a server. */
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

/** True if a file does not exist. A file that cannot be looked at is not missing. */
const isMissing = (path: string) =>
  Effect.match(
    FileSystem.FileSystem.use((fs) => fs.stat(path)),
    { onFailure: ({ reason }) => reason._tag === "NotFound", onSuccess: () => false }
  )

/** The message that nobody is connected, if the embedded database does not exist yet. */
export const nothingStored = Effect.fnUntraced(
  function* (flags: Flags.Place, subject: Option.Option<string>) {
    const { file } = yield* place(flags)
    if (file === undefined || !(yield* isMissing(file))) return Option.none<Refused>()
    const { directory } = yield* Environment.storage
    const paths = yield* Path.Path
    const folder = paths.dirname(file)
    // A folder that is not the library's may have been mistyped.
    if (!(yield* isMissing(folder)))
      yield* DataDirectory.pathOf(EncryptionKey.kind, paths.basename(file), folder, false)
    const isChosen = Option.isSome(flags.dataDirectory) || Option.isSome(directory)
    return Option.some(
      new Refused({
        why: "ReconnectRequired",
        problem: isChosen ? `nobody is connected: ${oneLine(file)} does not exist.` : "nobody is connected.",
        run: command("login", { subject: Option.getOrUndefined(subject), ...Flags.typed(flags) })
      })
    )
  },
  (effect) => Effect.provide(effect, UserDirectories.layer)
)

/** Fails if the key beside the embedded database is needed, and no login has made it yet. */
export const requireKey = Effect.fnUntraced(function* (flags: Flags.Place) {
  const paths = yield* Path.Path
  const set = yield* Environment.storage
  const apart = yield* isFake(flags)
  const isConfigured = Option.isSome(Option.orElse(flags.keyFile, () => set.keyFile)) || Option.isSome(set.keys)
  if (isConfigured && !apart) return
  const { file } = yield* place(flags)
  if (file === undefined) return
  const key = paths.join(paths.dirname(file), apart ? "fake.key" : "auth.key")
  if (!(yield* isMissing(key))) return
  return yield* new Refused({
    why: "NothingStored",
    problem: `there is no encryption key yet: ${oneLine(key)} does not exist. The first login creates it.`,
    run: command("login", Flags.typed(flags))
  })
})

const besideDatabase = Effect.fnUntraced(function* (database: Database, makeKey: boolean) {
  if (database._tag !== "Embedded") {
    return yield* ZapierAuthError.make(
      new InvalidConfig({
        setting: "encryption keys",
        problem: `missing. ${database._tag} has no key file beside it: set ZAPIER_ENCRYPTION_KEYS, or give --key-file. "openssl rand -base64 32" makes a key`
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
 * The place of the keys.
 *
 * @param makeKey makes the key beside the embedded database if there is none
 */
export const keys = Effect.fnUntraced(function* (flags: Flags.Place, makeKey = false) {
  const paths = yield* Path.Path
  const set = yield* Environment.storage
  if (yield* isFake(flags)) {
    if (Option.isSome(flags.keyFile)) {
      return yield* ZapierAuthError.make(
        new InvalidConfig({
          setting: "--key-file",
          problem: "a fake has its own key, beside its database. Leave out --key-file, or unset ZAPIER_FAKE"
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
  // A command that reads all grants may take longer than a request may.
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
 * The stores with their records still encrypted, and the database's inventory. `layerKeys` decrypts the records.
 *
 * @param create makes the embedded database if there is none
 */
export const layerStores = (flags: Flags.Place, create = false) => layerOf(flags, { create, reading: false })

/**
 * `layerStores` for a command that only reads: it makes no database and no tables, and migrates none. Ask `Inventory.isUsed`
 * before the stores.
 */
export const layerReading = (flags: Flags.Place) => layerOf(flags, { create: false, reading: true })

/** The stores with their records decrypted. */
export const layer = (
  flags: Flags.Place,
  create: boolean
): Layer.Layer<GrantStore | AttemptStore | AppCredentialStore, ZapierAuthError, FileSystem.FileSystem | Path.Path> =>
  EncryptedStores.layer.pipe(
    Layer.provide([layerStores(flags, create), Layer.unwrap(Effect.map(keys(flags, create), layerKeys))])
  )
