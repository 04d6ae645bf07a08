/** `app-token` as others see it: its flags and help. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const appToken = Command.make(
  "app-token",
  {
    scopes: Flag.String("scope").pipe(
      Flag.withMetavar("SCOPE"),
      Flag.withDescription("What the token is to allow; may be given several times"),
      Flag.atLeast(1)
    ),
    ...Flags.connection
  },
  lazily(async () => (await import("./run/token.ts")).appToken)
).pipe(
  Command.withDescription(
    "Prints an access token of the app itself (client credentials), and nothing else. One that was fetched before is used as long as it lasts."
  ),
  Command.withShortDescription("Print a valid access token of the app itself"),
  Command.withExamples([{ command: "zapier-workflow-auth app-token --scope promotions:write" }])
)
