/**
 * The conformance suite for your own `PromiseStores`, for any test runner, without Effect.
 *
 * @example
 * ```ts no-run
 * import type * as PromiseStores from "@zapier-workflow-auth/core/store/PromiseStores"
 * import * as StoreLawsPromise from "@zapier-workflow-auth/testing/StoreLawsPromise"
 *
 * // `it` of Vitest or Jest, and your own store.
 * declare const it: (name: string, test: () => Promise<void>) => void
 * declare const stores: PromiseStores.Stores
 *
 * for (const { check, name } of StoreLawsPromise.all(() => stores)) it(name, check)
 * ```
 *
 * @since 0.1.0
 */
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as PromiseStores from "@zapier-workflow-auth/core/store/PromiseStores"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AppCredentialStoreLaws from "./AppCredentialStoreLaws.ts"
import * as AttemptStoreLaws from "./AttemptStoreLaws.ts"
import type * as StoreLaw from "./conformance/StoreLaw.ts"
import * as GrantStoreLaws from "./GrantStoreLaws.ts"

/**
 * A test: its name, and a function whose promise rejects if the store fails it.
 *
 * The error is a `LawBroken` of `StoreLaw`, with the operations, the expected and the actual result.
 *
 * @since 0.1.0
 */
export interface Check {
  readonly name: string
  readonly check: () => Promise<void>
}

/**
 * Returns opened stores to check. It is called once for each test, and several times at once for those of `persistent`.
 *
 * @since 0.1.0
 */
export type Open = () => PromiseStores.Stores | PromiseLike<PromiseStores.Stores>

type Law = StoreLaw.Law<GrantStore | AttemptStore | AppCredentialStore>

const kinds = [
  ["grants", GrantStoreLaws],
  ["consent attempts", AttemptStoreLaws],
  ["app tokens", AppCredentialStoreLaws]
] as const

const checksOf = (which: "all" | "persistent", open: Open, options: StoreLaw.Options | undefined) => {
  const layer = Layer.unwrap(
    Effect.map(
      Effect.promise(async () => open()),
      (stores) => PromiseStores.layer(stores)
    )
  )
  return kinds.flatMap(([kind, laws]) =>
    laws[which].map(({ check, name }: Law): Check => ({
      name: `${kind}: ${name}`,
      check: () => Effect.runPromise(check(layer, options))
    }))
  )
}

/**
 * The laws for every store.
 *
 * @param options for example fewer `runs` for a slow database
 *
 * @since 0.1.0
 */
export const all = (open: Open, options?: StoreLaw.Options): ReadonlyArray<Check> => checksOf("all", open, options)

/**
 * More laws for a store that keeps its data when it is closed: `open` returns the same data each time.
 *
 * @since 0.1.0
 */
export const persistent = (open: Open, options?: StoreLaw.Options): ReadonlyArray<Check> =>
  checksOf("persistent", open, options)
