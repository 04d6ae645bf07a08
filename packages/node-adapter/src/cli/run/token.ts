/** `token` and `app-token`: an access token on stdout, and nothing else. */
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Output from "../output.ts"
import type * as Flags from "../flags.ts"
import * as Zapier from "../zapier.ts"

export const token = Effect.fnUntraced(function* (
  input: Flags.Connection & { readonly subject: Option.Option<string> }
) {
  const subject = yield* Zapier.subject(input.subject)
  const access = yield* ZapierAuth.use((auth) => auth.accessToken(subject)).pipe(
    Zapier.orLogin(subject),
    Effect.provide(Zapier.layer(input, false))
  )
  yield* Output.print(Redacted.value(access.accessToken))
})

export const appToken = Effect.fnUntraced(function* (
  input: Flags.Connection & { readonly scopes: ReadonlyArray<string> }
) {
  const access = yield* ZapierAuth.use((auth) => auth.appToken(input.scopes)).pipe(
    Effect.provide(Zapier.layer(input, true))
  )
  yield* Output.print(Redacted.value(access.accessToken))
})
