/** A package that only some apps install, such as the driver of their database. */
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

/**
 * To be caught with at the import itself, as `import("redis").catch(unlessMissing)`: bundlers only warn of a package that is
 * not installed if the import says what happens then.
 */
export const unlessMissing = (error: unknown): Promise<undefined> =>
  Predicate.hasProperty(error, "code") && error.code === "ERR_MODULE_NOT_FOUND"
    ? Promise.resolve(undefined)
    : Promise.reject(error)

/**
 * The package. Fails with `InvalidConfig` when it is not installed.
 *
 * @param setting what asks for it, as the error calls it
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
