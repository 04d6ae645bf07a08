/** `scopes` as others see it: its flags and help. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const scopes = Command.make(
  "scopes",
  {
    endpoints: Argument.String("endpoint").pipe(
      Argument.withDescription('What is to be called, such as "GET /v2/zaps". None: the list of all endpoints'),
      Argument.variadic()
    ),
    json: Flags.json("Print JSON")
  },
  lazily(async () => (await import("./run/scopes.ts")).scopes)
).pipe(
  Command.withDescription(
    "Tells the least scopes with which a user's grant reaches all of these endpoints, one a line, without asking anybody. Without an endpoint it lists those that are known, which credential each takes, and any one of which scopes."
  ),
  Command.withShortDescription("Tell the least scopes that endpoints need"),
  Command.withExamples([
    { command: 'zapier-workflow-auth scopes "GET /v2/zaps" "POST /v2/zaps"' },
    { command: "zapier-workflow-auth scopes" }
  ])
)
