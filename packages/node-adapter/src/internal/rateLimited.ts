/** The modules that `rateLimits` needs, loaded only if it is set. */
import * as RateLimits from "@zapier-workflow-auth/core/zapier/RateLimits"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"

export const { layer, layerTokenRequests } = RateLimits

/** A limiter for this process alone. */
export const layerLimiter: Layer.Layer<RateLimiter.RateLimiter> = RateLimiter.layer.pipe(
  Layer.provide(RateLimiter.layerStoreMemory)
)
