/** The flags and help of `logout`. */
import * as Command from "effect/cli/Command"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const logout = Command.make(
  "logout",
  { subject: Flags.subject, ...Flags.connection },
  lazily(async () => (await import("./run/logout.ts")).logout)
).pipe(
  Command.withDescription(
    `Disconnects a user: removes the user's tokens from the database. Every process that shares it stops using them within a minute.

Zapier documents no way to revoke tokens: the user removes the app in the settings of the Zapier account.`
  ),
  Command.withShortDescription("Disconnect a user"),
  Command.withExamples([{ command: "zapier-workflow-auth logout --subject ada" }])
)
