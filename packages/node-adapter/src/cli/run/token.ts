/** `token` and `app-token`: an access token on stdout. */
import type { UsableAccess } from "@zapier-workflow-auth/core/oauth/Tokens"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Output from "../output.ts"
import type * as Flags from "../flags.ts"
import * as Zapier from "../zapier.ts"

// A token is never wrapped.
const print = ({ accessToken, expiresAt, scopes }: UsableAccess) =>
  Effect.flatMap(Output.Json, (json) => {
    const token = Redacted.value(accessToken)
    return Output.print(json ? JSON.stringify({ accessToken: token, expiresAt, scopes }) : token)
  })

export const token = Effect.fnUntraced(function* (
  input: Flags.Connection & { readonly subject: Option.Option<string> }
) {
  const subject = yield* Zapier.subject(input.subject)
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
