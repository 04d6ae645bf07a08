/** Who is signed in, as the app says it: types do not keep a program in JavaScript from saying anything. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Failures from "./failures.ts"

const asking = ["subject", "say who is signed in"] as const

export const failed = Failures.toError(...asking)

/** Nothing and an empty text are nobody; whatever else is no text cannot be told from somebody, and fails. */
export const parse = (
  // How an app's own service fails is the app's.
  ask: () => Effect.Effect<Option.Option<string>, unknown>
): Effect.Effect<Option.Option<string>, ZapierAuthError> =>
  Effect.flatMap(Failures.ofApp(...asking, ask), (given) => {
    const subject: unknown = Option.isOption(given) ? Option.getOrUndefined(given) : given
    if (subject === undefined || subject === null || subject === "") return Effect.succeedNone
    return typeof subject === "string"
      ? Effect.succeedSome(subject)
      : Effect.fail(Failures.useless(...asking, subject, "the user's name as text"))
  })
