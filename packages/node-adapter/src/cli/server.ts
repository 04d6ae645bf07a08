/** Which Zapier a command talks to: the real one, or the fake of `--fake` or `ZAPIER_FAKE`. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Flags from "./flags.ts"
import * as Variable from "./variable.ts"

const setting = "--fake, ZAPIER_FAKE"

const invalid = (problem: string) => ZapierAuthError.make(new InvalidConfig({ setting, problem }))

/** The origin of the fake, if it is a fake. The client secret goes there, so it is not sent in the clear to another machine. */
export const fake: (flags: Flags.Server) => Effect.Effect<Option.Option<string>, ZapierAuthError> = Effect.fnUntraced(
  function* (flags) {
    const environment = yield* Variable.text("ZAPIER_FAKE")
    const named = Option.orElse(flags.fake, () => environment)
    if (Option.isNone(named)) return Option.none()
    const url = URL.canParse(named.value) ? new URL(named.value) : undefined
    const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === ""
    if (!isOrigin || url.username !== "" || !ClientApplication.isRedirectUri(named.value)) {
      return yield* invalid(
        "give the address of the fake without a path, such as http://127.0.0.1:9270, with https unless it is on this machine"
      )
    }
    return Option.some(url.origin)
  }
)

export const urls = (flags: Flags.Server): Effect.Effect<ZapierUrls.Urls, ZapierAuthError> =>
  Effect.map(fake(flags), Option.match({ onNone: () => ZapierUrls.production, onSome: ZapierUrls.at }))
