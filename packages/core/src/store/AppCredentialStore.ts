/**
 * The store of the app's own tokens: the port, and a store in memory.
 *
 * Processes that share a store share the tokens. With a store in memory, each process requests its own, which Zapier allows.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type * as AppCredential from "../machine/AppCredential.ts"
import * as VersionedStore from "./VersionedStore.ts"

/**
 * Identifies an app token: one for each client application and set of scopes.
 *
 * @since 0.1.0
 */
export interface Key {
  readonly clientId: string
  /** Sorted, and separated by spaces. For a White Label user's token: user and tenant, as a JSON array. */
  readonly scopes: string
}

/**
 * Stores the app's own tokens, one for each client id and set of scopes.
 *
 * @since 0.1.0
 */
export class AppCredentialStore extends Context.Service<
  AppCredentialStore,
  VersionedStore.VersionedStore<Key, VersionedStore.Stored<AppCredential.State>>
>()("@zapier-workflow-auth/core/store/AppCredentialStore") {}

/**
 * Keeps app tokens in memory.
 *
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<AppCredentialStore> = Layer.sync(AppCredentialStore, () => {
  const { compareAndSet, get, remove } = VersionedStore.makeMemory<Key, VersionedStore.Stored<AppCredential.State>>(
    (key) => JSON.stringify([key.clientId, key.scopes])
  )
  return { compareAndSet, get, remove }
})
