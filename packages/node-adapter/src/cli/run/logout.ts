/** `logout`: a user's grant is removed. */
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Output from "../output.ts"
import type * as Flags from "../flags.ts"
import { shown } from "../shown.ts"
import * as Zapier from "../zapier.ts"

export const logout = Effect.fnUntraced(function* (
  input: Flags.Connection & { readonly subject: Option.Option<string> }
) {
  const subject = yield* Zapier.subject(input.subject)
  const { revocation, wasConnected } = yield* ZapierAuth.use((auth) => auth.disconnect(subject)).pipe(
    Effect.provide(Zapier.layer(input, false))
  )
  yield* Output.print(wasConnected ? `${shown(subject)} is disconnected.` : `${shown(subject)} was not connected.`)
  if (wasConnected) yield* Output.print(revocation)
})
