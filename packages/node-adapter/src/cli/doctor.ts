/** `doctor` as others see it: its flags and help. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const doctor = Command.make(
  "doctor",
  {
    offline: Flag.Boolean("offline").pipe(
      Flag.withDescription("Ask nobody, and check what is on this machine"),
      Flag.withDefault(false)
    ),
    json: Flags.json("Print one line of JSON for each check"),
    ...Flags.connection
  },
  lazily(async () => (await import("./run/doctor.ts")).doctor)
).pipe(
  Command.withDescription(
    `Checks what has to be right, and says what to do where it is not: the configuration, the database and who may read it, the encryption keys and what they decrypt, the clock against the server's, the client id and secret, and the redirect URIs. No grant is changed by it. To check the secret it has a token of the app made, and throws it away.

  Ends with 1 if anything is wrong.`
  ),
  Command.withShortDescription("Check that everything is as it must be"),
  Command.withExamples([
    { command: "zapier-workflow-auth doctor" },
    { command: "zapier-workflow-auth doctor --offline --json" }
  ])
)
