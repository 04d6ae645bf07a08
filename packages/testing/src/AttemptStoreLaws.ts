/**
 * Conformance suite for a store of consent attempts. Run it against a store of your own:
 *
 * ```
 * for (const { check, name } of AttemptStoreLaws.all) it.effect(name, () => check(MyStore.layer))
 * ```
 *
 * A store may delete expired attempts. The suite's own expire in the year 3000.
 *
 * @since 0.1.0
 */
import type * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import type { Stored } from "@zapier-workflow-auth/core/store/VersionedStore"
import * as Arbitrary from "effect/Arbitrary"
import * as AttemptLists from "./conformance/internal/attemptLists.ts"
import type { Kind } from "./conformance/internal/keys.ts"
import * as StoreKeys from "./conformance/internal/keys.ts"
import * as StoreLaws from "./conformance/internal/laws.ts"
import * as Reopened from "./conformance/internal/reopened.ts"
import type { Law } from "./conformance/StoreLaw.ts"

const attempt = (stateDigest: string, startedAt: number, subject: string, text = subject) =>
  AttemptLists.attemptOf("Pending", { stateDigest, subject, startedAt }, text)

const kind: Kind<string, Stored<ConsentAttempt.Stored>> = {
  ...StoreKeys.digests,
  records: Arbitrary.schema(ConsentAttempt.Stored),
  fit: (stateDigest, drawn) => ({
    ...drawn,
    stateDigest,
    expiresAt: Math.max(AttemptLists.farAway, drawn.expiresAt)
  }),
  record: (key, number) => attempt(key, number, "user"),
  numberOf: ({ startedAt }) => startedAt,
  sealed: (record, seal) => ({ ...record, seal }),
  // The library limits a subject's length, so that a database can index it.
  recordOfText: (key, text) => attempt(key, 0, text.slice(0, 900), text)
}

const { port } = AttemptLists

/**
 * The suite for every store of attempts.
 *
 * @example
 * ```ts
 * import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
 * import * as AttemptStoreLaws from "@zapier-workflow-auth/testing/AttemptStoreLaws"
 * import * as Effect from "effect/Effect"
 *
 * for (const { check } of AttemptStoreLaws.all) {
 *   await Effect.runPromise(check(AttemptStore.layerMemory, { runs: 5 }))
 * }
 * ```
 *
 * @since 0.1.0
 */
export const all: ReadonlyArray<Law<AttemptStore.AttemptStore>> = [...StoreLaws.laws(port, kind), ...AttemptLists.laws]

/**
 * Further checks for a store that keeps its data after it is closed. The layer has to open the same data each time it
 * is built, also several times at once.
 *
 * @since 0.1.0
 */
export const persistent: ReadonlyArray<Law<AttemptStore.AttemptStore>> = [
  ...Reopened.laws(port, kind),
  ...AttemptLists.persistent
]
