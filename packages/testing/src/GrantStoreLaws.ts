/**
 * The laws of a grant store: what the library relies on, whoever keeps the grants. Check them against a store of your
 * own before you trust it with users' tokens:
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
 * What holds of every grant store.
 *
 * Where a database is waited for, use `it.live`, so that its timeouts are real; and ask for fewer `runs` where it is slow.
 *
 * @example
 * ```ts
 * import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
 * import * as GrantStoreLaws from "@zapier-workflow-auth/testing/GrantStoreLaws"
 * import * as Effect from "effect/Effect"
 *
 * // With any test runner: the promise is rejected if a law is broken.
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
 * What holds besides of a grant store that keeps its data when it is closed. Their layer opens the same data each time
 * that it is built, several times at once, too.
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
