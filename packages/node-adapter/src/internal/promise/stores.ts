/** Chooses the stores and keys of a client without Effect. Only the chosen ones are loaded. */
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import type * as PromiseStores from "@zapier-workflow-auth/core/store/PromiseStores"
import type { KeyRing } from "@zapier-workflow-auth/core/store/KeyRing"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as PostgresClient from "../../stores/PostgresClient.ts"
import type * as RedisClient from "../../stores/RedisClient.ts"
import type { DefaultOptions } from "../../stores/SqliteClient.ts"
import * as Environment from "../environment.ts"
import type { CustomStores, Encryption, Options, PostgresStores, RedisStores, Stores } from "./options.ts"

type Layers = Layer.Layer<GrantStore | AttemptStore | AppCredentialStore, ZapierAuthError>

type Database =
  | { readonly _tag: "Memory" }
  | { readonly _tag: "Embedded"; readonly options: DefaultOptions }
  | { readonly _tag: "Postgres"; readonly options: PostgresClient.Options }
  | { readonly _tag: "Redis"; readonly options: RedisClient.Options }
  | { readonly _tag: "Custom"; readonly stores: PromiseStores.Stores }

type Keys =
  | { readonly _tag: "Given"; readonly keys: ReadonlyArray<string> }
  | { readonly _tag: "File"; readonly path: string }
  | { readonly _tag: "Environment" }
  | { readonly _tag: "None" }

// Tokens of a fake are kept in separate files, as the command line does.
const fileOf = (isFake: boolean, ending: string) => `${isFake ? "fake" : "auth"}.${ending}`

const isPostgres = (stores: Exclude<Stores, "memory">): stores is PostgresStores =>
  "postgres" in stores && stores.postgres !== undefined

const isRedis = (stores: Exclude<Stores, "memory">): stores is RedisStores =>
  "redis" in stores && stores.redis !== undefined

const isCustom = (stores: Exclude<Stores, "memory">): stores is CustomStores =>
  "custom" in stores && stores.custom !== undefined

const databaseOf = Effect.fnUntraced(function* (stores: Stores | undefined, isFake: boolean) {
  if (stores === "memory") return { _tag: "Memory" } satisfies Database
  if (stores !== undefined && isPostgres(stores)) {
    const { postgres, ...options } = stores
    const url = Redacted.make(postgres)
    return { _tag: "Postgres", options: { ...options, url, urlName: "stores.postgres" } } satisfies Database
  }
  if (stores !== undefined && isRedis(stores)) {
    const { redis, ...options } = stores
    const url = Redacted.make(redis)
    return { _tag: "Redis", options: { ...options, url, urlName: "stores.redis" } } satisfies Database
  }
  if (stores !== undefined && isCustom(stores)) return { _tag: "Custom", stores: stores.custom } satisfies Database
  const { directory } = yield* Environment.storage
  if (stores !== undefined) {
    const options = { ...stores, directory: stores.directory ?? Option.getOrUndefined(directory) }
    return { _tag: "Embedded", options } satisfies Database
  }
  const server = yield* Environment.server
  if (Option.isSome(server)) {
    const { _tag, url, variable } = server.value
    if (isFake) return yield* Environment.both(variable, "ZAPIER_FAKE")
    return { _tag, options: { url, urlName: variable } } satisfies Database
  }
  return { _tag: "Embedded", options: { directory: Option.getOrUndefined(directory) } } satisfies Database
})

const keysOf = Effect.fnUntraced(function* (encryption: Encryption | undefined, isFake: boolean) {
  if (typeof encryption === "string") return { _tag: "Given", keys: [encryption] } satisfies Keys
  if (encryption !== undefined) {
    return "file" in encryption
      ? ({ _tag: "File", path: encryption.file } satisfies Keys)
      : ({ _tag: "Given", keys: encryption } satisfies Keys)
  }
  const { keyFile, keys } = yield* Environment.storage
  if (isFake) return { _tag: "None" } satisfies Keys
  if (Option.isSome(keys)) {
    if (Option.isSome(keyFile)) return yield* Environment.both("ZAPIER_ENCRYPTION_KEYS", "ZAPIER_KEY_FILE")
    return { _tag: "Environment" } satisfies Keys
  }
  return Option.isSome(keyFile)
    ? ({ _tag: "File", path: keyFile.value } satisfies Keys)
    : ({ _tag: "None" } satisfies Keys)
})

const layerKeys = (keys: Exclude<Keys, { readonly _tag: "None" }>): Layer.Layer<KeyRing, ZapierAuthError> =>
  loaded(async () => {
    const EncryptionKey = await import("../../EncryptionKey.ts")
    if (keys._tag === "Environment") return EncryptionKey.layerConfig
    if (keys._tag === "File") return EncryptionKey.layerFile(keys.path)
    const { KeyRing, make } = await import("@zapier-workflow-auth/core/store/KeyRing")
    return Layer.effect(KeyRing, make(keys.keys, "encryption")).pipe(Layer.provide(EncryptionKey.crypto))
  })

const loaded = <A, E>(load: () => Promise<Layer.Layer<A, E>>): Layer.Layer<A, E> => Layer.unwrap(Effect.promise(load))

const encrypted = (stores: Layers, keys: Layer.Layer<KeyRing, ZapierAuthError>): Layers =>
  loaded(async () => {
    const EncryptedStores = await import("@zapier-workflow-auth/core/store/EncryptedStores")
    return EncryptedStores.layer.pipe(Layer.provide([stores, keys]))
  })

const layerMemory: Layers = loaded(async () => (await import("@zapier-workflow-auth/core/store/MemoryStores")).layer)

const layerPostgres = (options: PostgresClient.Options): Layers =>
  loaded(async () => {
    const [PostgresClient, SqlStores] = await Promise.all([
      import("../../stores/PostgresClient.ts"),
      import("../../stores/SqlStores.ts")
    ])
    return SqlStores.layer.pipe(Layer.provide(PostgresClient.layer(options)))
  })

const layerRedis = (options: RedisClient.Options): Layers =>
  loaded(async () => {
    const [RedisClient, RedisStores] = await Promise.all([
      import("../../stores/RedisClient.ts"),
      import("../../stores/RedisStores.ts")
    ])
    return RedisStores.layer.pipe(Layer.provide(RedisClient.layer(options)))
  })

const layerCustom = (stores: PromiseStores.Stores): Layers =>
  loaded(async () => {
    const PromiseStores = await import("@zapier-workflow-auth/core/store/PromiseStores")
    return PromiseStores.layer(stores, "stores.custom")
  })

const layerEmbedded = (options: DefaultOptions, keys: Keys, isFake: boolean): Layers =>
  loaded(async () => {
    const [EmbeddedStores, EncryptionKey] = await Promise.all([
      import("../../stores/EmbeddedStores.ts"),
      import("../../EncryptionKey.ts")
    ])
    const { create, directory } = options
    return EmbeddedStores.layer({
      name: fileOf(isFake, "sqlite"),
      ...options,
      keys:
        keys._tag === "None"
          ? EncryptionKey.layerDefault({ directory, create, name: fileOf(isFake, "key") })
          : layerKeys(keys)
    })
  })

const names = { Postgres: "a Postgres", Redis: "a Redis", Custom: "a store of your own" }

const noKeys = (database: keyof typeof names) =>
  ZapierAuthError.make(
    new InvalidConfig({
      setting: "encryption",
      problem: `set it, or ZAPIER_ENCRYPTION_KEYS or ZAPIER_KEY_FILE: ${names[database]} has no default key. Make one with: openssl rand -base64 32`
    })
  )

const plainOf = (database: Extract<Database, { readonly _tag: keyof typeof names }>): Layers => {
  switch (database._tag) {
    case "Postgres":
      return layerPostgres(database.options)
    case "Redis":
      return layerRedis(database.options)
    case "Custom":
      return layerCustom(database.stores)
  }
}

/** Provides the stores for the options and the environment. */
export const layer = ({ encryption, stores }: Pick<Options, "encryption" | "stores">, isFake: boolean): Layers =>
  Layer.unwrap(
    Effect.gen(function* () {
      const database = yield* databaseOf(stores, isFake)
      switch (database._tag) {
        case "Memory": {
          // Records in memory need no keys, but are encrypted if some are given.
          const keys = encryption === undefined ? undefined : yield* keysOf(encryption, isFake)
          return keys === undefined || keys._tag === "None" ? layerMemory : encrypted(layerMemory, layerKeys(keys))
        }
        case "Embedded":
          return layerEmbedded(database.options, yield* keysOf(encryption, isFake), isFake)
        default: {
          const keys = yield* keysOf(encryption, isFake)
          if (keys._tag === "None") return yield* noKeys(database._tag)
          return encrypted(plainOf(database), layerKeys(keys))
        }
      }
    })
  )
