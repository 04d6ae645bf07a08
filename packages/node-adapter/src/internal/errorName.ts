/** The name of an error of the app's: its message may hold a secret. A value that is no error has none. */
import * as Predicate from "effect/Predicate"

export const errorName = (error: unknown): string | undefined => {
  if (Predicate.hasProperty(error, "_tag") && typeof error._tag === "string") return error._tag
  return error instanceof Error ? error.name : undefined
}
