/** `fake` as others see it: its flags and help. */
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
      Flag.withDescription(
        "What secrets and tokens are drawn from: the same seed gives the same ones. Default: zapier"
      ),
      Flag.withDefault("zapier")
    ),
    clientId: Flag.String("client-id").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription("The client id of the app that is registered. Default: drawn from the seed"),
      Flag.optional
    ),
    redirectUris: Flag.String("redirect-uri").pipe(
      Flag.withMetavar("URI"),
      Flag.withDescription(
        "A redirect URI of the app; may be given several times. Default: http://localhost:3000/zapier/callback, and http://127.0.0.1:9271/callback, where login waits"
      ),
      Flag.filter(
        ClientApplication.isRedirectUri,
        () => "an absolute URI without a fragment, with https unless it is on this machine"
      ),
      Flag.atLeast(0)
    )
  },
  lazily(async () => (await import("./run/serveFake.ts")).serveFake)
).pipe(
  Command.withDescription(
    `Serves a fake Zapier over HTTP on this machine, with one app registered, until it is stopped: SIGINT (Ctrl-C) or SIGTERM. What it knows ends with it. Beside it is a sample app that uses it, on a page that shows what happens.

  It prints the app's credentials, which are no real ones, where its endpoints are, and the address of its control page: there you see what it was asked, move its clock, revoke, and let things go wrong. The address holds a token: who has it controls the fake. It is drawn anew at each start, unless ZAPIER_FAKE_CONTROL_TOKEN has one, of at least 16 letters and digits, for tests that call the control API.`
  ),
  Command.withShortDescription("Serve a fake Zapier to develop against"),
  Command.withExamples([
    { command: "zapier-workflow-auth fake" },
    {
      command: "zapier-workflow-auth fake --client-id acme --redirect-uri http://localhost:8080/callback",
      description: "With your app's own client id and redirect URI"
    }
  ])
)
