/** The flags and help of `app-token`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const appToken = Command.make(
  "app-token",
  {
    scopes: Flag.String("scope").pipe(
      Flag.withMetavar("SCOPE"),
      Flag.withDescription("A scope of the token. Repeat it for several"),
      Flag.atLeast(1)
    ),
    ...Flags.connection
  },
  lazily(async () => (await import("./run/token.ts")).appToken)
).pipe(
  Command.withDescription(
    "Prints a valid access token of the app itself (client credentials), and nothing else. A stored token is used until it expires."
  ),
  Command.withShortDescription("Print an access token of the app itself"),
  Command.withExamples([{ command: "zapier-workflow-auth app-token --scope promotions:write" }])
)
