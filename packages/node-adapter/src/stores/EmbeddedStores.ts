/**
 * Stores for programs on one machine, without setup: an encrypted database in the user's data directory.
 *
 * Only the user can read it. Several processes on the machine may use it at once.
 *
 * @since 0.1.0
 */
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import type { KeyRing } from "@zapier-workflow-auth/core/store/KeyRing"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Layer from "effect/Layer"
import * as EncryptionKey from "../EncryptionKey.ts"
import * as SqliteClient from "./SqliteClient.ts"
import * as SqlStores from "./SqlStores.ts"

/**
 * The location of the database and its key. `E` and `R` are those of `keys`.
 *
 * @since 0.1.0
 */
export interface Options<E = ZapierAuthError, R = never> extends SqliteClient.DefaultOptions {
  /**
   * The encryption keys. Default: a key file beside the database, created on first use. It protects a copy of the database
   * file, but not of the whole folder: see `EncryptionKey`.
   */
  readonly keys?: Layer.Layer<KeyRing, E, R> | undefined
}

/**
 * Provides all three stores, encrypted, in a database on this machine.
 *
 * Fails with `InvalidConfig`, which says what to do, if the folder, the database or the key is unsafe or unusable; with
 * `StoreFailed` if a retry may help; and like `keys`, whose requirements it keeps.
 *
 * @example
 * ```ts
 * import * as EmbeddedStores from "@zapier-workflow-auth/node-adapter/stores/EmbeddedStores"
 * import * as EncryptionKey from "@zapier-workflow-auth/node-adapter/EncryptionKey"
 *
 * EmbeddedStores.layer({ directory: "/var/lib/acme/zapier", keys: EncryptionKey.layerConfig })
 * ```
 *
 * @since 0.1.0
 */
export const layer = <E = never, R = never>(
  options: Options<E, R> = {}
): Layer.Layer<GrantStore | AttemptStore | AppCredentialStore, ZapierAuthError | E, R> =>
  EncryptedStores.layer.pipe(
    Layer.provide([
      SqlStores.layer,
      options.keys ?? EncryptionKey.layerDefault({ directory: options.directory, create: options.create })
    ]),
    Layer.provide(SqliteClient.layerDefault(options))
  )
