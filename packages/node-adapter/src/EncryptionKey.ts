/**
 * Where the keys that encrypt stored tokens come from, on Node. Each layer is a `KeyRing` for `EncryptedStores`.
 *
 * What encryption protects against depends on where the key is:
 *
 * - in the environment, from a secret manager (`layerConfig`): whoever gets hold of the database, of its folder, or of
 *   a backup of either, cannot use the tokens. It does not protect against whoever runs code as this program or reads its
 *   memory or environment.
 * - in a file somewhere else (`layerFile`): the same, as long as the file is not copied together with the database.
 * - in a file beside the database, made on first use (`layerDefault`): only a copy or a backup of the database file alone is
 *   of no use to others. It does not protect against somebody who reads the whole folder, or runs as this user.
 *
 * Who loses the key loses the tokens: their users have to connect again. Keep a copy of it apart from the database's.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as UserDirectories from "effect/persistence/UserDirectories"
import * as Redacted from "effect/Redacted"
import * as DataDirectory from "./DataDirectory.ts"
import * as KeyFile from "./internal/keyFile.ts"
import * as PrivateFile from "./internal/privateFile.ts"
import { oneLine, quote } from "./internal/terminalText.ts"

/**
 * Where the key is kept.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The folder, which is made if it does not exist. Default: `zapier-workflow-auth` in the user's data directory. */
  readonly directory?: string | undefined
  /** The name of the file. Default: `auth.key`. */
  readonly name?: string | undefined
  /** Whether to make the folder, and a key, if there is none. Default: yes. Without it that is `InvalidConfig`. */
  readonly create?: boolean | undefined
}

/**
 * Nobody has to write it: a key that is brought by other means may be read-only.
 *
 * @internal
 */
export const kind: PrivateFile.Kind = { type: "File", setting: "encryption key file", holds: "keys", needs: 0o400 }

/**
 * @internal
 */
export const crypto = Layer.mergeAll(Aead.layerWebCrypto, Digest.layerWebCrypto).pipe(
  Layer.provideMerge(SecureRandom.layerWebCrypto)
)

const ringOf = Effect.fnUntraced(function* (path: string) {
  const { read } = yield* PrivateFile.make
  return yield* KeyRing.make(KeyFile.keysOf(yield* read(kind, path)), `${kind.setting} ${oneLine(path)}`)
})

/** Makes a file with a new key, unless there is a file. It appears as a whole: nobody ever reads half of it. */
const create = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const key = yield* KeyRing.generate
  const temporary = `${path}.${yield* SecureRandom.SecureRandom.use((random) => random.uuidV4())}.new`
  const write = Effect.gen(function* () {
    const file = yield* fs.open(temporary, { flag: "wx", mode: 0o600 })
    yield* file.writeAll(new TextEncoder().encode(`${Redacted.value(key)}\n`))
    yield* file.sync
  })
  // A link replaces nothing: of several processes that start at once one wins, and the others read its key.
  const publish = Effect.mapError(
    Effect.catchReason(fs.link(temporary, path), "PlatformError", "AlreadyExists", () => Effect.void),
    (error) =>
      PrivateFile.refuse(
        kind,
        `cannot make ${oneLine(path)} (${error.reason._tag}). If its file system has no hard links, run: (umask 077; openssl rand -base64 32 > ${quote(path)})`
      )
  )
  yield* Effect.scoped(write).pipe(
    Effect.mapError(PrivateFile.failed(kind, `make ${oneLine(path)}`)),
    Effect.andThen(publish),
    Effect.ensuring(Effect.ignore(fs.remove(temporary, { force: true })))
  )
})

/**
 * The path of the key file in the data directory. The file exists afterwards, with a new key if there was none, and on the
 * disk: a key that a power failure takes would take with it what was encrypted meanwhile.
 *
 * Several processes may start at once: all get the same key. Fails with `InvalidConfig`, which says what to run, when the
 * folder can be read or written by others, belongs to another user, or cannot be used.
 *
 * @internal
 */
export const file = Effect.fn("EncryptionKey.file")(function* (options: Options = {}) {
  const fs = yield* FileSystem.FileSystem
  const { checked, syncFolderOf } = yield* PrivateFile.make
  const isMade = options.create ?? true
  const path = yield* DataDirectory.pathOf(kind, options.name ?? "auth.key", options.directory, isMade)
  if (!isMade) {
    yield* checked(kind, path)
    return path
  }
  if (!(yield* Effect.mapError(fs.exists(path), PrivateFile.failed(kind, `look at ${oneLine(path)}`))))
    yield* create(path)
  // Also by who did not make it: who did may not have come this far.
  yield* syncFolderOf(path)
  return path
})

/**
 * Keys from the environment: `ZAPIER_ENCRYPTION_KEYS`, separated by commas, the first of which encrypts. Make one with
 * `openssl rand -base64 32`.
 *
 * Fails with `InvalidConfig`.
 *
 * @example
 * ```ts
 * import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
 * import * as EncryptionKey from "@zapier-workflow-auth/node-adapter/EncryptionKey"
 * import * as SqliteClient from "@zapier-workflow-auth/node-adapter/stores/SqliteClient"
 * import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
 * import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
 * import * as Layer from "effect/Layer"
 *
 * const stores = EncryptedStores.layer.pipe(
 *   Layer.provide([SqlStores.layer, EncryptionKey.layerConfig]),
 *   Layer.provide(SqliteClient.layerDefault())
 * )
 *
 * ZapierNode.layerWithoutStores().pipe(Layer.provide(stores))
 * ```
 *
 * @since 0.1.0
 */
export const layerConfig: Layer.Layer<KeyRing.KeyRing, ZapierAuthError> = Layer.fresh(
  Layer.provide(KeyRing.layerConfig, crypto)
)

/**
 * Keys from a file, one a line, the first of which encrypts. What comes behind a `#` is a comment. It is read once.
 *
 * Fails with `InvalidConfig` when it does not exist, can be read or written by others, belongs to another user, or holds
 * something else.
 *
 * @example
 * ```ts
 * import * as EncryptionKey from "@zapier-workflow-auth/node-adapter/EncryptionKey"
 *
 * EncryptionKey.layerFile("/etc/acme/zapier.key")
 * ```
 *
 * @since 0.1.0
 */
export const layerFile = (path: string): Layer.Layer<KeyRing.KeyRing, ZapierAuthError> =>
  Layer.effect(
    KeyRing.KeyRing,
    Effect.flatMap(Path.Path, (paths) => ringOf(paths.resolve(path)))
  ).pipe(Layer.provide([crypto, NodeFileSystem.layer, NodePath.layer]))

/**
 * Keys from a file beside the embedded database, which is made on first use: see `file`, and what it protects against at the
 * top of this module.
 *
 * Fails with `InvalidConfig`.
 *
 * @example
 * ```ts
 * import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
 * import * as EncryptionKey from "@zapier-workflow-auth/node-adapter/EncryptionKey"
 * import * as SqliteClient from "@zapier-workflow-auth/node-adapter/stores/SqliteClient"
 * import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
 * import * as Layer from "effect/Layer"
 *
 * const directory = "/var/lib/acme/zapier"
 *
 * EncryptedStores.layer.pipe(
 *   Layer.provide([SqlStores.layer, EncryptionKey.layerDefault({ directory })]),
 *   Layer.provide(SqliteClient.layerDefault({ directory }))
 * )
 * ```
 *
 * @since 0.1.0
 */
export const layerDefault = (options: Options = {}): Layer.Layer<KeyRing.KeyRing, ZapierAuthError> =>
  Layer.effect(KeyRing.KeyRing, Effect.flatMap(file(options), ringOf)).pipe(
    Layer.provide([crypto, NodeFileSystem.layer, NodePath.layer, UserDirectories.layer])
  )
