/**
 * Where consent attempts are kept between the authorization URL and the callback: the port, and a store in memory.
 *
 * The key is the digest of the attempt's `state`. A store may forget an attempt at or after its `expiresAt`, and should
 * do so some time later: attempts that nobody comes back for would pile up otherwise.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type { Digest } from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as ConsentAttempt from "../machine/ConsentAttempt.ts"
import { sha256 } from "../internal/sha256.ts"
import * as VersionedStore from "./VersionedStore.ts"

/**
 * Where consents that are under way are kept, by a digest of their `state`.
 *
 * @since 0.1.0
 */
export class AttemptStore extends Context.Service<
  AttemptStore,
  VersionedStore.VersionedStore<string, VersionedStore.Stored<ConsentAttempt.Stored>>
>()("@zapier-workflow-auth/core/store/AttemptStore") {}

/**
 * The key of the attempt that a `state` belongs to: its SHA-256, which tells nothing of it. It is the `attempt` that
 * `ZapierAuth.authorizationUrl` gives.
 *
 * @since 0.1.0
 */
export const keyOf = (state: Redacted.Redacted): Effect.Effect<string, never, Digest> => sha256(state)

/**
 * How often a store should look for what it may forget, in milliseconds.
 *
 * @since 0.1.0
 */
export const sweepInterval = 60_000

/**
 * How long a store should keep attempts that have expired, in milliseconds, so that a late user is told what went wrong.
 *
 * @since 0.1.0
 */
export const retention = 3_600_000

/**
 * Attempts in memory. They end with the process, and are forgotten an hour after they have expired.
 *
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<AttemptStore> = Layer.sync(AttemptStore, () => {
  const { entries, ...store } = VersionedStore.makeMemory<string, VersionedStore.Stored<ConsentAttempt.Stored>>(
    (key) => key
  )
  let sweptAt = 0
  const sweep = Effect.map(Clock.currentTimeMillis, (now) => {
    if (Math.abs(now - sweptAt) < sweepInterval) return
    sweptAt = now
    for (const [key, { value }] of entries) {
      if (value.expiresAt + retention <= now) entries.delete(key)
    }
  })
  return {
    ...store,
    compareAndSet: (key, expected, value) => Effect.andThen(sweep, store.compareAndSet(key, expected, value))
  }
})
