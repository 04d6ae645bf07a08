/**
 * Where users' grants are kept: the port, and a store in memory.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as UserGrant from "../machine/UserGrant.ts"
import * as VersionedStore from "./VersionedStore.ts"
import type { StoreFailed } from "../ZapierAuthError.ts"

/**
 * There is one grant for each subject (the app's own name for its user) and client application. Both may hold any
 * character. A store takes at least a thousand of them (bytes of UTF-8); one that takes no more fails with `StoreFailed`.
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
export type Grant = VersionedStore.Stored<Exclude<UserGrant.State, { readonly _tag: "Absent" }>>

/**
 * A grant that is there and cannot be read: `get` of its key fails with the same error. With the version it can be
 * removed, after which its user can connect again.
 *
 * @since 0.1.0
 */
export interface Unreadable {
  readonly key: Key
  readonly version: number
  readonly error: VersionedStore.StoreError
}

/**
 * Some grants in the order of the store, which is the same each time.
 *
 * @since 0.1.0
 */
export interface Page {
  readonly entries: ReadonlyArray<{ readonly key: Key; readonly grant: VersionedStore.Versioned<Grant> }>
  /** Grants of this page that cannot be read. They count towards its limit. None if left out. */
  readonly unreadable?: ReadonlyArray<Unreadable> | undefined
  /** Where the next page begins, if there is one: there may be one after a page without entries, too. */
  readonly next: string | undefined
}

/**
 * Which grants of a client application to look at.
 *
 * @since 0.1.0
 */
export interface PageOptions {
  /** Whose grants: those of this client application. */
  readonly clientId: string
  /** Only those whose subject begins with it. */
  readonly prefix?: string | undefined
  /** Only those in this state: `ReconnectRequired` are the ones that only their users can help. */
  readonly state?: Grant["_tag"] | undefined
  /** Only those after this subject: the `next` of the page before. */
  readonly after?: string | undefined
  /** How many at most; at least one. */
  readonly limit: number
}

/**
 * Where users' grants are kept. Whatever has compare-and-set will do.
 *
 * @since 0.1.0
 */
export class GrantStore extends Context.Service<
  GrantStore,
  VersionedStore.VersionedStore<Key, Grant> & {
    /**
     * A page of grants, for operators. Whoever follows `next` to the end sees each grant that is there all the time exactly
     * once, whatever is written meanwhile. Fails with `StoreFailed`.
     */
    readonly page: (options: PageOptions) => Effect.Effect<Page, StoreFailed>
  }
>()("@zapier-workflow-auth/core/store/GrantStore") {}

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
    page: ({ after, clientId, limit, prefix = "", state }) =>
      Effect.sync(() => {
        const found = [...entries.values()]
          .filter(
            ({ key, value }) =>
              key.clientId === clientId &&
              key.subject.startsWith(prefix) &&
              (state === undefined || value._tag === state) &&
              (after === undefined || key.subject > after)
          )
          .sort((a, b) => byCodeUnits(a.key.subject, b.key.subject))
        const page = found.slice(0, Math.max(1, limit))
        return {
          entries: page.map(({ key, value, version }) => ({ key, grant: { value, version } })),
          next: found.length > page.length ? page.at(-1)?.key.subject : undefined
        }
      })
  }
})
