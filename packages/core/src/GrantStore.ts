/**
 * Where users' grants are kept: the port, and a store in memory.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as UserGrant from "./UserGrant.ts"
import * as VersionedStore from "./VersionedStore.ts"
import type { ZapierAuthError } from "./ZapierAuthError.ts"

/**
 * There is one grant for each subject (the app's own name for its user) and client application.
 *
 * @since 0.1.0
 */
export interface Key {
  readonly clientId: string
  readonly subject: string
}

/**
 * What is stored of a grant: any state but `Absent`, which is no record at all.
 *
 * @since 0.1.0
 */
export type Grant = Exclude<UserGrant.State, { readonly _tag: "Absent" }>

/**
 * Some grants in the order of their subjects' UTF-16 code units. `next` is where the next page begins, if there is one.
 *
 * @since 0.1.0
 */
export interface Page {
  readonly entries: ReadonlyArray<{ readonly key: Key; readonly grant: VersionedStore.Versioned<Grant> }>
  readonly next: string | undefined
}

/**
 * @since 0.1.0
 */
export class GrantStore extends Context.Service<
  GrantStore,
  VersionedStore.VersionedStore<Key, Grant> & {
    /**
     * At most `limit` grants (at least one) of a client application, for operators: those whose subject comes after `after`, or from
     * the beginning. Fails with `StoreFailed`.
     */
    readonly page: (options: {
      readonly clientId: string
      readonly after?: string | undefined
      readonly limit: number
    }) => Effect.Effect<Page, ZapierAuthError>
  }
>()("@zapier-workflow-auth/core/GrantStore") {}

const byCodeUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/**
 * Grants in memory. They end with the process: for tests, and for trying things out.
 *
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<GrantStore> = Layer.sync(GrantStore, () => {
  const { entries, ...store } = VersionedStore.makeMemory<Key, Grant>((key) =>
    JSON.stringify([key.clientId, key.subject])
  )
  return {
    ...store,
    page: ({ after, clientId, limit }) =>
      Effect.sync(() => {
        const found = [...entries.values()]
          .filter(({ key }) => key.clientId === clientId && (after === undefined || key.subject > after))
          .sort((a, b) => byCodeUnits(a.key.subject, b.key.subject))
        const page = found.slice(0, Math.max(1, limit))
        return {
          entries: page.map(({ key, value, version }) => ({ key, grant: { value, version } })),
          next: found.length > page.length ? page.at(-1)?.key.subject : undefined
        }
      })
  }
})
