/** `token` as others see it: its flags and help. */
import * as Command from "effect/cli/Command"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const token = Command.make(
  "token",
  { subject: Flags.subject, ...Flags.connection },
  lazily(async () => (await import("./run/token.ts")).token)
).pipe(
  Command.withDescription(
    `Prints an access token of a user that is valid now, and nothing else, for use in scripts. It is renewed before if it has to be; of several commands at a time one does so, and the others wait for it.`
  ),
  Command.withShortDescription("Print a valid access token of a user"),
  Command.withExamples([
    {
      command:
        'curl --header "@-" https://api.zapier.com/v2/zaps <<< "Authorization: Bearer $(zapier-workflow-auth token)"',
      description: "Without the token in curl's arguments, which other users of the machine see"
    }
  ])
)
