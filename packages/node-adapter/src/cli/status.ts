/** `status` as others see it: its flags and help. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

const states = ["active", "refreshing", "reconnect"] as const

export const status = Command.make(
  "status",
  {
    subject: Flag.String("subject").pipe(
      Flag.withAlias("s"),
      Flag.withMetavar("NAME"),
      Flag.withDescription("Only this user. Default: all"),
      Flag.optional
    ),
    state: Flag.Literals("state", states).pipe(
      Flag.withDescription("Only grants in this state; those in reconnect are the ones that only their users can help"),
      Flag.optional
    ),
    json: Flags.json("Print one line of JSON for each grant"),
    clientId: Flag.String("client-id").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription("Only the grants of this client application. Default: ZAPIER_CLIENT_ID, or all"),
      Flag.optional
    ),
    dataDirectory: Flags.storage.dataDirectory,
    ...Flags.server
  },
  lazily(async () => (await import("./run/status.ts")).status)
).pipe(
  Command.withDescription(
    `Lists who is connected: the state of each grant, its scopes, for how long its access token lasts, and what last went wrong. It asks nobody but the database, and needs neither the client secret nor the encryption keys.

  An access token that has ended is no fault: it is renewed when it is next used.`
  ),
  Command.withShortDescription("List who is connected"),
  Command.withExamples([
    { command: "zapier-workflow-auth status" },
    { command: "zapier-workflow-auth status --state reconnect --json", description: "Who has to connect again" }
  ])
)
