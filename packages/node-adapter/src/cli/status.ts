/** The flags and help of `status`. */
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
      Flag.withMetavar("STATE"),
      Flag.withDescription("Only connections in this state; reconnect lists the users who must connect again"),
      Flag.optional
    ),
    clientId: Flag.String("client-id").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription("Only connections of this client application. Default: ZAPIER_CLIENT_ID, or all"),
      Flag.optional
    ),
    dataDirectory: Flags.storage.dataDirectory,
    ...Flags.server
  },
  lazily(async () => (await import("./run/status.ts")).status)
).pipe(
  Command.withDescription(
    `Lists the connected users: the state of each connection, its scopes, the time that its access token has left, and the last problem. It reads the database and sends Zapier no request. It needs neither the client secret nor the encryption keys.

An expired access token is normal: it is refreshed when it is next used.`
  ),
  Command.withShortDescription("List the connected users"),
  Command.withExamples([
    { command: "zapier-workflow-auth status" },
    {
      command: "zapier-workflow-auth status --state reconnect --json",
      description: "The users who must connect again"
    }
  ])
)
