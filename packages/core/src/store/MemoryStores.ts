/**
 * All stores in memory. Everything ends with the process: for tests, and for trying things out.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import * as AppCredentialStore from "./AppCredentialStore.ts"
import * as AttemptStore from "./AttemptStore.ts"
import * as GrantStore from "./GrantStore.ts"

/**
 * The three stores in memory, which end with the process.
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<
  GrantStore.GrantStore | AttemptStore.AttemptStore | AppCredentialStore.AppCredentialStore
> = Layer.mergeAll(GrantStore.layerMemory, AttemptStore.layerMemory, AppCredentialStore.layerMemory)
