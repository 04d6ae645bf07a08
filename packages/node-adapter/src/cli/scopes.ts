/** The flags and help of `scopes`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { lazily } from "./lazily.ts"

export const scopes = Command.make(
  "scopes",
  {
    endpoints: Argument.String("endpoint").pipe(
      Argument.withDescription('An endpoint, such as "GET /v2/zaps". Default: the list of all endpoints'),
      Argument.variadic()
    )
  },
  lazily(async () => (await import("./run/scopes.ts")).scopes)
).pipe(
  Command.withDescription(
    "Prints the fewest scopes that a user must allow for these endpoints, one a line. Without an endpoint, it lists all known endpoints, with the credential that each takes and its scopes. It needs no network."
  ),
  Command.withShortDescription("Print the scopes that endpoints need"),
  Command.withExamples([
    { command: 'zapier-workflow-auth scopes "GET /v2/zaps" "POST /v2/zaps"' },
    { command: "zapier-workflow-auth scopes" }
  ])
)
