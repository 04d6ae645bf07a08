/** Failures of the app's own functions, as the app's owner sees them. Users see those in `words.ts`. */
import { AppCodeFailed, isZapierAuthError, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import { errorName } from "../errorName.ts"

/** The type of a wrong value. The value itself may be secret. */
const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return `${value}`
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`
}

const failed = (option: string, operation: string, problem: string) =>
  ZapierAuthError.make(new AppCodeFailed({ option, operation, problem }))

/** The error of an app's function that returned a useless value. */
export const useless = (option: string, operation: string, given: unknown, wanted: string): ZapierAuthError =>
  failed(option, operation, `it returned ${kindOf(given)} instead of ${wanted}`)

/** The error of an app's function that failed or threw. */
export const toError =
  (option: string, operation: string) =>
  (cause: unknown): ZapierAuthError =>
    isZapierAuthError(cause) ? cause : failed(option, operation, `it failed with ${errorName(cause) ?? typeof cause}`)

/**
 * Calls an app's function, which may fail, throw, or not return an Effect.
 *
 * @param operation the purpose of the function
 */
export const ofApp = <A, R>(
  option: string,
  operation: string,
  // It may fail with any error.
  call: () => Effect.Effect<A, unknown, R>
): Effect.Effect<A, ZapierAuthError, R> => {
  const toFailure = toError(option, operation)
  return Effect.suspend(() => {
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off
    const given = call()
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off
    if (!Effect.isEffect(given)) return Effect.fail(useless(option, operation, given, "an Effect"))
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off
    return Effect.mapError(given, toFailure)
  }).pipe(Effect.catchDefect((defect) => Effect.fail(toFailure(defect))))
}
