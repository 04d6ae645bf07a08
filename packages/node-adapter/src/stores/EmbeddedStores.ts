/**
 * The stores of a program on one machine, with nothing to set up: a database in the user's data directory that nobody else
 * can read, with the secrets in it encrypted. Several processes of that machine may use it at a time.
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
 * Where the database and its key are kept. `E` and `R` are those of `keys`.
 *
 * @since 0.1.0
 */
export interface Options<E = ZapierAuthError, R = never> extends SqliteClient.DefaultOptions {
  /**
   * Which keys encrypt. Default: one beside the database, made on first use. It protects a copy of the database file, not
   * one of the whole folder: see `EncryptionKey`.
   */
  readonly keys?: Layer.Layer<KeyRing, E, R> | undefined
}

/**
 * All three stores, encrypted, in a database of this machine.
 *
 * Fails with `InvalidConfig`, which says what to do, when the folder, the database or the key is not as it must be; and
 * with `StoreFailed` when trying again may help. Also fails as `keys` does, and needs what `keys` needs.
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
