/** What `rateLimits` needs: loaded where it is asked for, and so in no other program. */
import * as RateLimits from "@zapier-workflow-auth/core/zapier/RateLimits"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"

export const { layer, layerTokenRequests } = RateLimits

/** The limits of this process alone. */
export const layerLimiter: Layer.Layer<RateLimiter.RateLimiter> = RateLimiter.layer.pipe(
  Layer.provide(RateLimiter.layerStoreMemory)
)
