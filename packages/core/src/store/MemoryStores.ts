/**
 * All stores in memory, for tests and experiments.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import * as AppCredentialStore from "./AppCredentialStore.ts"
import * as AttemptStore from "./AttemptStore.ts"
import * as GrantStore from "./GrantStore.ts"

/**
 * Keeps all three stores in memory. Their records are lost with the process.
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<
  GrantStore.GrantStore | AttemptStore.AttemptStore | AppCredentialStore.AppCredentialStore
> = Layer.mergeAll(GrantStore.layerMemory, AttemptStore.layerMemory, AppCredentialStore.layerMemory)
