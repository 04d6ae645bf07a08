/** What the app's owner is told of failures. What users are told is in `words.ts`. */
import { AppCodeFailed, isZapierAuthError, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import { errorName } from "../errorName.ts"

/** What was given in the place of something else, by its type: the value may be a secret. */
const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return `${value}`
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`
}

const failed = (option: string, operation: string, problem: string) =>
  ZapierAuthError.make(new AppCodeFailed({ option, operation, problem }))

/** One of the app's own functions gave what is no use. */
export const useless = (option: string, operation: string, given: unknown, wanted: string): ZapierAuthError =>
  failed(option, operation, `it gave ${kindOf(given)} instead of ${wanted}`)

/** One of the app's own functions failed or threw. */
export const toError =
  (option: string, operation: string) =>
  (cause: unknown): ZapierAuthError =>
    isZapierAuthError(cause) ? cause : failed(option, operation, `it failed with ${errorName(cause) ?? typeof cause}`)

/**
 * Calls one of the app's own functions, which may fail, throw, or give no effect.
 *
 * @param operation what the function is for
 */
export const ofApp = <A, R>(
  option: string,
  operation: string,
  // How it fails is the app's.
  call: () => Effect.Effect<A, unknown, R>
): Effect.Effect<A, ZapierAuthError, R> => {
  const told = toError(option, operation)
  return Effect.suspend(() => {
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off
    const given = call()
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off
    if (!Effect.isEffect(given)) return Effect.fail(useless(option, operation, given, "an Effect"))
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off
    return Effect.mapError(given, told)
  }).pipe(Effect.catchDefect((defect) => Effect.fail(told(defect))))
}
