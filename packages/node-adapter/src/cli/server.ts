/** The Zapier that a command talks to: the real one, or the fake of `--fake` or `ZAPIER_FAKE`. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Flags from "./flags.ts"
import * as Environment from "../internal/environment.ts"

/** The origin of the fake, if one is set. */
export const fake: (flags: Flags.Server) => Effect.Effect<Option.Option<string>, ZapierAuthError> = Effect.fnUntraced(
  function* (flags) {
    const environment = yield* Environment.fake
    const named = Option.orElse(flags.fake, () => environment)
    return Option.isNone(named)
      ? Option.none()
      : Option.some(yield* Environment.fakeOrigin("--fake, ZAPIER_FAKE", named.value))
  }
)

export const urls = (flags: Flags.Server): Effect.Effect<ZapierUrls.Urls, ZapierAuthError> =>
  Effect.map(fake(flags), Option.match({ onNone: () => ZapierUrls.production, onSome: ZapierUrls.at }))
