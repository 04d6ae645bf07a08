/** The name of an app's error, or `undefined` for other values. Its message is not used, because it may hold a secret. */
import * as Predicate from "effect/Predicate"

export const errorName = (error: unknown): string | undefined => {
  if (Predicate.hasProperty(error, "_tag") && typeof error._tag === "string") return error._tag
  return error instanceof Error ? error.name : undefined
}
