/**
 * Sources of the keys that encrypt stored tokens, on Node. Each layer is a `KeyRing` for `EncryptedStores`.
 *
 * The protection depends on where the key is kept:
 *
 * - in the environment, from a secret manager (`layerConfig`): a stolen database, folder or backup is useless. It does not
 *   protect against someone who runs code as this program, or reads its memory or environment.
 * - in a file elsewhere (`layerFile`): the same, as long as the file is not copied together with the database.
 * - in a file beside the database, created on first use (`layerDefault`): only a copy or backup of the database file alone is
 *   useless to others. It does not protect against someone who reads the whole folder, or runs code as this user.
 *
 * If the key is lost, all tokens are lost and users must reconnect. Keep a copy of the key, apart from the database's.
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
 * The location of the key file.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The folder. It is created if missing. Default: `zapier-workflow-auth` in the user's data directory. */
  readonly directory?: string | undefined
  /** The name of the file. Default: `auth.key`. */
  readonly name?: string | undefined
  /** True to create a missing folder or key; false to fail with `InvalidConfig`. Default: true. */
  readonly create?: boolean | undefined
}

/**
 * Read access is enough: a key from elsewhere may be read-only.
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

/** Creates the key file, unless it exists. It appears as a whole, so that it is never read half written. */
const create = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const key = yield* KeyRing.generate
  const temporary = `${path}.${yield* SecureRandom.SecureRandom.use((random) => random.uuidV4())}.new`
  const write = Effect.gen(function* () {
    const file = yield* fs.open(temporary, { flag: "wx", mode: 0o600 })
    yield* file.writeAll(new TextEncoder().encode(`${Redacted.value(key)}\n`))
    yield* file.sync
  })
  // A link never replaces a file: of several processes that start at once one wins, and the others read its key.
  const publish = Effect.mapError(
    Effect.catchReason(fs.link(temporary, path), "PlatformError", "AlreadyExists", () => Effect.void),
    (error) =>
      PrivateFile.refuse(
        kind,
        `cannot create ${oneLine(path)} (${error.reason._tag}). If its file system has no hard links, run: (umask 077; openssl rand -base64 32 > ${quote(path)})`
      )
  )
  yield* Effect.scoped(write).pipe(
    Effect.mapError(PrivateFile.failed(kind, `make ${oneLine(path)}`)),
    Effect.andThen(publish),
    Effect.ensuring(Effect.ignore(fs.remove(temporary, { force: true })))
  )
})

/**
 * Returns the path of the key file in the data directory. Creates it with a new key if missing.
 *
 * The file is on disk before the path is returned, because losing the key in a power failure would lose everything that it
 * encrypted. Processes that start at once get the same key. Fails with `InvalidConfig`, which names the command to run, if
 * the folder is accessible to others, belongs to another user, or cannot be used.
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
  // Even if another process created the file, because it may not have synced it yet.
  yield* syncFolderOf(path)
  return path
})

/**
 * Reads keys from `ZAPIER_ENCRYPTION_KEYS`, separated by commas. The first one encrypts.
 *
 * Create a key with `openssl rand -base64 32`.
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
 * Reads keys from a file, one per line, once. The first one encrypts. Text after a `#` is a comment.
 *
 * Fails with `InvalidConfig` if the file is missing, is accessible to others, belongs to another user, or has other content.
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
 * Reads keys from a file beside the embedded database, which is created on first use.
 *
 * See `file`, and the top of this module for what it protects against.
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
