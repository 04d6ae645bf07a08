/**
 * The store of users' grants: the port, and a store in memory.
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
 * Identifies a grant: one for each subject (the app's own id of its user) and client application.
 *
 * Both may contain any character. A store accepts at least a thousand bytes of UTF-8 for each; one that accepts no more
 * fails with `StoreFailed`.
 *
 * @since 0.1.0
 */
export interface Key {
  readonly clientId: string
  readonly subject: string
}

/**
 * A stored grant: any state but `Absent`, which is never stored.
 *
 * @since 0.1.0
 */
export type Grant = VersionedStore.Stored<Exclude<UserGrant.State, { readonly _tag: "Absent" }>>

/**
 * A grant that exists but cannot be read: `get` fails with the same error.
 *
 * The version is enough to remove it, after which its user can connect again.
 *
 * @since 0.1.0
 */
export interface Unreadable {
  readonly key: Key
  readonly version: number
  readonly error: VersionedStore.StoreError
}

/**
 * A page of grants, in the store's own stable order.
 *
 * @since 0.1.0
 */
export interface Page {
  readonly entries: ReadonlyArray<{ readonly key: Key; readonly grant: VersionedStore.Versioned<Grant> }>
  /** Grants of this page that cannot be read. They count towards its limit. Default: none. */
  readonly unreadable?: ReadonlyArray<Unreadable> | undefined
  /** The start of the next page, if any. A page without entries may have one too. */
  readonly next: string | undefined
}

/**
 * Selects grants of a client application.
 *
 * @since 0.1.0
 */
export interface PageOptions {
  /** The client application. */
  readonly clientId: string
  /** Only subjects that begin with this text. */
  readonly prefix?: string | undefined
  /** Only grants in this state. Those in `ReconnectRequired` need their users. */
  readonly state?: Grant["_tag"] | undefined
  /** Only subjects after this one: the `next` of the previous page. */
  readonly after?: string | undefined
  /** How many to return at most; at least one. */
  readonly limit: number
}

/**
 * Stores users' grants. Anything with compare-and-set can implement it.
 *
 * @since 0.1.0
 */
export class GrantStore extends Context.Service<
  GrantStore,
  VersionedStore.VersionedStore<Key, Grant> & {
    /**
     * Returns a page of grants, for operators. Following `next` to the end returns each grant that exists throughout exactly
     * once, despite concurrent writes. Fails with `StoreFailed`.
     */
    readonly page: (options: PageOptions) => Effect.Effect<Page, StoreFailed>
  }
>()("@zapier-workflow-auth/core/store/GrantStore") {}

const byCodeUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/**
 * Keeps grants in memory, for tests and experiments. They are lost with the process.
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
