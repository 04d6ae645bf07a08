/** `logout`: removes a user's connection. */
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Output from "../output.ts"
import type * as Flags from "../flags.ts"
import { shown } from "../shown.ts"
import * as Storage from "../storage.ts"
import * as Zapier from "../zapier.ts"

export const logout = Effect.fnUntraced(function* (
  input: Flags.Connection & { readonly subject: Option.Option<string> }
) {
  const subject = yield* Zapier.subject(input.subject)
  const { revocation, wasConnected } = Option.isSome(yield* Storage.nothingStored(input, input.subject))
    ? { wasConnected: false, revocation: undefined }
    : yield* ZapierAuth.use((auth) => auth.disconnect(subject)).pipe(Effect.provide(Zapier.layer(input, false)))
  yield* Output.result(
    { subject, wasConnected },
    wasConnected ? `Disconnected ${shown(subject)}.\n${revocation}` : `${shown(subject)} was not connected.`
  )
})
