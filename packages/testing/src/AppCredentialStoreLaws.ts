/**
 * Conformance suite for a store of the app's own tokens. Run it against a store of your own:
 *
 * ```
 * for (const { check, name } of AppCredentialStoreLaws.all) it.effect(name, () => check(MyStore.layer))
 * ```
 *
 * @since 0.1.0
 */
import * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import * as AppCredentialStore from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { Stored } from "@zapier-workflow-auth/core/store/VersionedStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Arbitrary from "effect/Arbitrary"
import type { Kind } from "./conformance/internal/keys.ts"
import * as StoreKeys from "./conformance/internal/keys.ts"
import * as StoreLaws from "./conformance/internal/laws.ts"
import * as Reopened from "./conformance/internal/reopened.ts"
import * as StoreTrial from "./conformance/internal/trial.ts"
import type { Law } from "./conformance/StoreLaw.ts"

const kind: Kind<AppCredentialStore.Key, Stored<AppCredential.State>> = {
  ...StoreKeys.pairs((clientId, scopes) => ({ clientId, scopes })),
  records: Arbitrary.schema(AppCredential.State),
  fit: (_, drawn) => drawn,
  record: (_, number) => ({ _tag: "Absent", pause: { until: number, failures: 1, cause: { _tag: "NoResponse" } } }),
  numberOf: ({ pause }) => pause?.until,
  sealed: (record, seal) => ({ ...record, seal }),
  recordOfText: (_, text) => ({
    _tag: "Requesting",
    generation: 1,
    access: { accessToken: Tokens.secret(text), scopes: ["zap"], obtainedAt: 0, expiresAt: 36_000_000 },
    pause: { until: 0, failures: 1, cause: { _tag: "NotSent", code: text } },
    lease: { owner: text, deadline: 45_000 }
  })
}

const port = StoreTrial.port(AppCredentialStore.AppCredentialStore)

/**
 * The suite for every store of app tokens.
 *
 * @example
 * ```ts
 * import * as AppCredentialStore from "@zapier-workflow-auth/core/store/AppCredentialStore"
 * import * as AppCredentialStoreLaws from "@zapier-workflow-auth/testing/AppCredentialStoreLaws"
 * import * as Effect from "effect/Effect"
 *
 * for (const { check } of AppCredentialStoreLaws.all) {
 *   await Effect.runPromise(check(AppCredentialStore.layerMemory, { runs: 5 }))
 * }
 * ```
 *
 * @since 0.1.0
 */
export const all: ReadonlyArray<Law<AppCredentialStore.AppCredentialStore>> = StoreLaws.laws(port, kind)

/**
 * Further checks for a store that keeps its data after it is closed. The layer has to open the same data each time it
 * is built, also several times at once.
 *
 * @since 0.1.0
 */
export const persistent: ReadonlyArray<Law<AppCredentialStore.AppCredentialStore>> = Reopened.laws(port, kind)
