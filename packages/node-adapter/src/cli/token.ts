/** The flags and help of `token`. */
import * as Command from "effect/cli/Command"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const token = Command.make(
  "token",
  { subject: Flags.subject, ...Flags.connection },
  lazily(async () => (await import("./run/token.ts")).token)
).pipe(
  Command.withDescription(
    `Prints a valid access token of a user, and nothing else, for use in scripts. An expired token is refreshed first; of several commands that run at once, one refreshes it and the others wait.`
  ),
  Command.withShortDescription("Print an access token of a user"),
  Command.withExamples([
    {
      command: `curl --header @- https://api.zapier.com/v2/zaps <<< \\
  "Authorization: Bearer $(zapier-workflow-auth token)"`,
      description: "Call curl without the token in its arguments, which other users see"
    }
  ])
)
