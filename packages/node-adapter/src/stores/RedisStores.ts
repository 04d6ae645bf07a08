/**
 * Grants, consent attempts and app tokens in Redis, or what speaks its protocol, through any `Redis` of Effect.
 *
 * Each change is one script, which compares and writes: of several writers at a time one wins. All keys begin with
 * `zapier:`, and those of a client application are on one server of a cluster. Consent attempts are forgotten by
 * themselves, an hour after they have expired.
 *
 * Redis is fit for tokens with `maxmemory-policy noeviction`, `appendonly yes` and `appendfsync always`. The settings are
 * read when the stores are made. Where grants would be evicted that fails, and where a crash loses some of them a warning
 * is logged.
 *
 * Everyone who can read the server can use the tokens in it, unless `EncryptedStores` wraps the stores.
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
 * All three stores in one Redis.
 *
 * Fails with `InvalidConfig` when the server would evict grants, and with `StoreFailed` when it does not respond.
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
 * // Needs a server: REDIS_URL says where it is.
 * const stores = RedisStores.layer.pipe(Layer.provide(RedisClient.layerConfig()))
 *
 * await Effect.runPromise(Effect.provide(program, stores))
 * ```
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<GrantStore | AttemptStore | AppCredentialStore, ZapierAuthError, Redis> = Stores.layer

/**
 * Which server, and which keys encrypt. `E` and `R` are those of `keys`.
 *
 * @since 0.1.0
 */
export interface EncryptedOptions<E = ZapierAuthError, R = never> extends RedisClient.Options {
  /** Which keys encrypt. Default: those of the environment, `ZAPIER_ENCRYPTION_KEYS`. */
  readonly keys?: Layer.Layer<KeyRing, E, R> | undefined
}

/**
 * All three stores, encrypted, in the Redis of a URL.
 *
 * Fails as `layer` and `RedisClient.layer` do, and as `keys` does, and needs what `keys` needs.
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
