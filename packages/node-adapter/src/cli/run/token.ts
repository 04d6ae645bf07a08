/** `token` and `app-token`: an access token on stdout. */
import type { UsableAccess } from "@zapier-workflow-auth/core/oauth/Tokens"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Output from "../output.ts"
import type * as Flags from "../flags.ts"
import * as Zapier from "../zapier.ts"
import * as Variable from "../../internal/variable.ts"
import * as WhiteLabelLayer from "../../internal/whiteLabelLayer.ts"

// A token is never wrapped.
const print = ({ accessToken, expiresAt, scopes }: UsableAccess) =>
  Effect.flatMap(Output.Json, (json) => {
    const token = Redacted.value(accessToken)
    return Output.print(json ? JSON.stringify({ accessToken: token, expiresAt, scopes }) : token)
  })

const ofWhiteLabel = Effect.fnUntraced(function* (
  input: Flags.Connection,
  subject: string,
  given: Option.Option<string>
) {
  if (Option.isNone(yield* Variable.text(WhiteLabelLayer.variable))) {
    const problem = "give the issuer that is registered with Zapier; docs/white-label.md lists the variables beside it"
    return yield* ZapierAuthError.make(new InvalidConfig({ setting: WhiteLabelLayer.variable, problem }))
  }
  const tenant = Option.getOrElse(Option.isSome(given) ? given : yield* Variable.text("ZAPIER_TENANT"), () => "")
  return yield* ZapierAuth.use((auth) =>
    Effect.flatMap(auth.whiteLabel, (users) => users.token({ subject, tenant }))
  ).pipe(Effect.provide(Zapier.layer(input, true)))
})

export const token = Effect.fnUntraced(function* (
  input: Flags.Connection & {
    readonly subject: Option.Option<string>
    readonly tenant: Option.Option<string>
    readonly whiteLabel: boolean
  }
) {
  const subject = yield* Zapier.subject(input.subject)
  if (input.whiteLabel) return yield* print(yield* ofWhiteLabel(input, subject, input.tenant))
  const access = yield* ZapierAuth.use((auth) => auth.accessToken(subject)).pipe(
    Zapier.orLogin(input, subject, "token"),
    Effect.provide(Zapier.layer(input, false))
  )
  yield* print(access)
})

export const appToken = Effect.fnUntraced(function* (
  input: Flags.Connection & { readonly scopes: ReadonlyArray<string> }
) {
  yield* print(
    yield* ZapierAuth.use((auth) => auth.appToken(input.scopes)).pipe(Effect.provide(Zapier.layer(input, true)))
  )
})
