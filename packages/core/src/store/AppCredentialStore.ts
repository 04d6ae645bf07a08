/**
 * Where the app's own tokens are kept: the port, and a store in memory. Processes that share a store share the tokens;
 * with a store in memory each process asks for its own, which Zapier allows.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type * as AppCredential from "../machine/AppCredential.ts"
import * as VersionedStore from "./VersionedStore.ts"

/**
 * There is one token for each client application and set of scopes.
 *
 * @since 0.1.0
 */
export interface Key {
  readonly clientId: string
  /** Sorted, and separated by spaces. For a White Label user's token: user and tenant, as a JSON array. */
  readonly scopes: string
}

/**
 * Where the app's own tokens are kept, one for each client id and set of scopes.
 *
 * @since 0.1.0
 */
export class AppCredentialStore extends Context.Service<
  AppCredentialStore,
  VersionedStore.VersionedStore<Key, VersionedStore.Stored<AppCredential.State>>
>()("@zapier-workflow-auth/core/store/AppCredentialStore") {}

/**
 * App tokens in memory.
 *
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<AppCredentialStore> = Layer.sync(AppCredentialStore, () => {
  const { compareAndSet, get, remove } = VersionedStore.makeMemory<Key, VersionedStore.Stored<AppCredential.State>>(
    (key) => JSON.stringify([key.clientId, key.scopes])
  )
  return { compareAndSet, get, remove }
})
