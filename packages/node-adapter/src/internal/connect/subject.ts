/** Validates the app's signed-in user, because JavaScript programs ignore types. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Failures from "./failures.ts"

const asking = ["subject", "identify the signed-in user"] as const

export const failed = Failures.toError(...asking)

/** An empty text, or no value, means signed out. Other values fail, because they may mean a user. */
export const parse = (
  // The app's own service may fail with any error.
  ask: () => Effect.Effect<Option.Option<string>, unknown>
): Effect.Effect<Option.Option<string>, ZapierAuthError> =>
  Effect.flatMap(Failures.ofApp(...asking, ask), (given) => {
    const subject: unknown = Option.isOption(given) ? Option.getOrUndefined(given) : given
    if (subject === undefined || subject === null || subject === "") return Effect.succeedNone
    return typeof subject === "string"
      ? Effect.succeedSome(subject)
      : Effect.fail(Failures.useless(...asking, subject, "the user's id as text"))
  })
