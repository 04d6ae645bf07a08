/** `logout` as others see it: its flags and help. */
import * as Command from "effect/cli/Command"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const logout = Command.make(
  "logout",
  { subject: Flags.subject, ...Flags.connection },
  lazily(async () => (await import("./run/logout.ts")).logout)
).pipe(
  Command.withDescription(
    `Removes a user's grant from the database. Every process that shares it stops using it, at the latest a minute later.

  Zapier documents no way to end it there: the user removes the app in the settings of the Zapier account.`
  ),
  Command.withShortDescription("Disconnect a user"),
  Command.withExamples([{ command: "zapier-workflow-auth logout --subject ada" }])
)
