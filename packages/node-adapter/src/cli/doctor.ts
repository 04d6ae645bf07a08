/** The flags and help of `doctor`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const doctor = Command.make(
  "doctor",
  {
    offline: Flag.Boolean("offline").pipe(
      Flag.withDescription("Check only this machine, without the network"),
      Flag.withDefault(false)
    ),
    ...Flags.connection
  },
  lazily(async () => (await import("./run/doctor.ts")).doctor)
).pipe(
  Command.withDescription(
    `Checks the setup, and says what to do about each problem: the configuration, the database and its permissions, the encryption keys, the server that it talks to, the clock, the client id and secret, and the redirect URIs. It changes no connection. To check the secret, it requests a token of the app and discards it.

The secret is sent only to a server that responds as Zapier does. The exit code is 1 if a check failed.`
  ),
  Command.withShortDescription("Check the setup, and say what to do"),
  Command.withExamples([
    { command: "zapier-workflow-auth doctor" },
    { command: "zapier-workflow-auth doctor --offline --json" }
  ])
)
