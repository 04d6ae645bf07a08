/** Loads packages that only some apps install, such as database drivers. */
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

/**
 * Turns a missing package into `undefined`. Use it directly on the import, as in `import("redis").catch(unlessMissing)`:
 * bundlers warn about a missing package unless its import handles the failure.
 */
export const unlessMissing = (error: unknown): Promise<undefined> =>
  Predicate.hasProperty(error, "code") && error.code === "ERR_MODULE_NOT_FOUND"
    ? Promise.resolve(undefined)
    : Promise.reject(error)

/**
 * Loads a package. Fails with `InvalidConfig` if it is not installed.
 *
 * @param setting the name in the error of the setting that needs the package
 */
export const load = <A>(
  name: string,
  setting: string,
  importing: () => Promise<A | undefined>
): Effect.Effect<A, ZapierAuthError> =>
  Effect.filterOrFail(Effect.promise(importing), Predicate.isNotUndefined, () =>
    ZapierAuthError.make(
      new InvalidConfig({ setting, problem: `the package ${name} is not installed; run: npm install ${name}` })
    )
  )
