/**
 * Stores grants, consent attempts and app tokens in Redis, or a compatible server, by any Effect `Redis`.
 *
 * Each change is one script that compares and writes, so that one of several concurrent writers wins. All keys begin with
 * `zapier:`, and those of a client application are on one server of a cluster. Consent attempts are removed automatically an
 * hour after they expire.
 *
 * Configure Redis with `maxmemory-policy noeviction`, `appendonly yes` and `appendfsync always`. These settings are checked
 * when the stores are made: that fails if grants would be evicted, and logs a warning if a crash would lose some of them.
 *
 * Anyone who can read the server can use the tokens in it, unless `EncryptedStores` wraps the stores.
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
import type { Redis } from "effect/persistence/Redis"
import * as EncryptionKey from "../EncryptionKey.ts"
import * as Stores from "../internal/redisStores.ts"
import * as RedisClient from "./RedisClient.ts"

/**
 * Provides all three stores in one Redis.
 *
 * Fails with `InvalidConfig` if the server would evict grants, and with `StoreFailed` if it does not respond.
 *
 * @example
 * ```ts no-run
 * import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
 * import * as RedisClient from "@zapier-workflow-auth/node-adapter/stores/RedisClient"
 * import * as RedisStores from "@zapier-workflow-auth/node-adapter/stores/RedisStores"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const program = Effect.gen(function* () {
 *   const grants = yield* GrantStore
 *   return yield* grants.page({ clientId: "your client id", state: "ReconnectRequired", limit: 100 })
 * })
 *
 * // Needs a server, with its URL in REDIS_URL.
 * const stores = RedisStores.layer.pipe(Layer.provide(RedisClient.layerConfig()))
 *
 * await Effect.runPromise(Effect.provide(program, stores))
 * ```
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<GrantStore | AttemptStore | AppCredentialStore, ZapierAuthError, Redis> = Stores.layer

/**
 * The options of the server and the encryption keys. `E` and `R` are those of `keys`.
 *
 * @since 0.1.0
 */
export interface EncryptedOptions<E = ZapierAuthError, R = never> extends RedisClient.Options {
  /** The encryption keys. Default: `ZAPIER_ENCRYPTION_KEYS` of the environment. */
  readonly keys?: Layer.Layer<KeyRing, E, R> | undefined
}

/**
 * Provides all three stores, encrypted, in the Redis at a URL.
 *
 * Fails like `layer`, `RedisClient.layer` and `keys`, whose requirements it keeps.
 *
 * @example
 * ```ts
 * import * as RedisStores from "@zapier-workflow-auth/node-adapter/stores/RedisStores"
 * import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 *
 * const url = Redacted.make("rediss://app:a-password@redis.example.com:6380")
 *
 * ZapierNode.layerWithoutStores().pipe(Layer.provide(RedisStores.layerEncrypted({ url })))
 * ```
 *
 * @since 0.1.0
 */
export const layerEncrypted = <E = never, R = never>(
  options: EncryptedOptions<E, R>
): Layer.Layer<GrantStore | AttemptStore | AppCredentialStore, ZapierAuthError | E, R> =>
  EncryptedStores.layer.pipe(
    Layer.provide([layer, options.keys ?? EncryptionKey.layerConfig]),
    Layer.provide(RedisClient.layer(options))
  )
