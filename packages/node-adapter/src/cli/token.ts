/** The flags and help of `token`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const token = Command.make(
  "token",
  {
    subject: Flags.subject,
    whiteLabel: Flag.Boolean("white-label").pipe(
      Flag.withDescription(
        "Print the token of a White Label user: sign a JWT with ZAPIER_WHITE_LABEL_ISSUER and the related variables"
      ),
      Flag.withDefault(false)
    ),
    tenant: Flag.String("tenant").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("The White Label user's tenant, by your app's own name. Default: ZAPIER_TENANT"),
      Flag.optional
    ),
    ...Flags.connection
  },
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
    },
    { command: "zapier-workflow-auth token --white-label --subject ada --tenant acme" }
  ])
)
