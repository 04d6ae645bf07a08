/** The flags and help of `fake`. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as FakeFlags from "./fakeFlags.ts"
import { lazily } from "./lazily.ts"

export const fake = Command.make(
  "fake",
  {
    port: FakeFlags.port,
    playgroundPort: FakeFlags.playgroundPort,
    seed: Flag.String("seed").pipe(
      Flag.withMetavar("TEXT"),
      Flag.withDescription("Seed of secrets and tokens: the same seed gives the same ones. Default: zapier"),
      Flag.withDefault("zapier")
    ),
    clientId: Flag.String("client-id").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription("The client id of the registered app. Default: drawn from the seed"),
      Flag.optional
    ),
    redirectUris: Flag.String("redirect-uri").pipe(
      Flag.withMetavar("URI"),
      Flag.withDescription(
        "A redirect URI of the app. Repeat it for several. Default: http://localhost:3000/zapier/callback, and http://127.0.0.1:9271/callback for login"
      ),
      Flag.filter(
        ClientApplication.isRedirectUri,
        () => "an absolute URI without a fragment, which is https unless it is on this machine"
      ),
      Flag.atLeast(0)
    )
  },
  lazily(async () => (await import("./run/serveFake.ts")).serveFake)
).pipe(
  Command.withDescription(
    `Serves a fake Zapier on this machine, with one registered app, until you press Ctrl-C. It keeps everything in memory. A sample app shows in a browser what happens.

It prints the credentials of the app, its endpoints, and the address of its control page, which shows all requests, moves the clock, revokes tokens and injects faults. Anyone who has that address controls the fake: it contains a token, which is new at each start. Tests that call the control API set a token of their own in ZAPIER_FAKE_CONTROL_TOKEN, with at least 16 letters and digits.`
  ),
  Command.withShortDescription("Serve a fake Zapier to develop against"),
  Command.withExamples([
    { command: "zapier-workflow-auth fake" },
    {
      command: "zapier-workflow-auth fake --client-id acme \\\n  --redirect-uri http://localhost:8080/callback",
      description: "With your app's own client id and redirect URI"
    }
  ])
)
