/**
 * Conformance suite for a grant store: everything that the library relies on. Run it against a store of your own before
 * you trust it with users' tokens:
 *
 * ```
 * for (const { check, name } of GrantStoreLaws.all) it.effect(name, () => check(MyStore.layer))
 * ```
 *
 * @since 0.1.0
 */
import type * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as GrantPages from "./conformance/internal/grantPages.ts"
import type { Kind } from "./conformance/internal/keys.ts"
import * as StoreKeys from "./conformance/internal/keys.ts"
import * as StoreLaws from "./conformance/internal/laws.ts"
import * as Reopened from "./conformance/internal/reopened.ts"
import type { Law } from "./conformance/StoreLaw.ts"

const { Active, ReconnectRequired, Refreshing } = UserGrant.State.cases

const kind: Kind<GrantStore.Key, GrantStore.Grant> = {
  ...StoreKeys.pairs((clientId, subject) => ({ clientId, subject })),
  records: Arbitrary.schema(Schema.Union([Active, Refreshing, ReconnectRequired])),
  fit: (_, grant) => grant,
  record: (_, number) => GrantPages.grantOf("Active", number),
  numberOf: ({ generation }) => generation,
  sealed: (record, seal) => ({ ...record, seal }),
  recordOfText: (_, text) => GrantPages.grantOf("Refreshing", 1, text)
}

/**
 * The suite for every grant store.
 *
 * For a real database use `it.live`, so that its timeouts run in real time, and fewer `runs` if it is slow.
 *
 * @example
 * ```ts
 * import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
 * import * as GrantStoreLaws from "@zapier-workflow-auth/testing/GrantStoreLaws"
 * import * as Effect from "effect/Effect"
 *
 * // With any test runner: the promise rejects if a check fails.
 * for (const { check } of GrantStoreLaws.all) {
 *   await Effect.runPromise(check(GrantStore.layerMemory, { runs: 5 }))
 * }
 * ```
 *
 * @since 0.1.0
 */
export const all: ReadonlyArray<Law<GrantStore.GrantStore>> = [
  ...StoreLaws.laws(GrantPages.port, kind),
  ...GrantPages.laws
]

/**
 * Further checks for a grant store that keeps its data after it is closed. The layer has to open the same data each
 * time it is built, also several times at once.
 *
 * @example
 * ```ts
 * import type * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
 * import * as GrantStoreLaws from "@zapier-workflow-auth/testing/GrantStoreLaws"
 * import type * as Layer from "effect/Layer"
 *
 * export const checks = (layer: Layer.Layer<GrantStore.GrantStore>) =>
 *   [...GrantStoreLaws.all, ...GrantStoreLaws.persistent].map(({ check, name }) => ({ name, check: check(layer) }))
 * ```
 *
 * @since 0.1.0
 */
export const persistent: ReadonlyArray<Law<GrantStore.GrantStore>> = Reopened.laws(GrantPages.port, kind)
