/** `login` as others see it: its flags and help. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const login = Command.make(
  "login",
  {
    subject: Flags.subject,
    scopes: Flags.scopes("What to ask for. Default: profile and zap. The command scopes tells what endpoints need"),
    redirectUri: Flag.String("redirect-uri").pipe(
      Flag.withMetavar("URI"),
      Flag.withDescription(
        "Which of the redirect URIs to come back to. Default: of ZAPIER_REDIRECT_URIS the first on this machine, else the first; without any, http://127.0.0.1:9271/callback"
      ),
      Flag.optional
    ),
    browser: Flag.Boolean("browser").pipe(
      Flag.withDescription("Whether to open the browser; the address is printed in any case. Default: yes"),
      Flag.withDefault(true)
    ),
    paste: Flag.Boolean("paste").pipe(
      Flag.withDescription(
        "Wait for no browser: paste the address that it was sent back to, on stdin. It is so anyway where the redirect URI is not on this machine"
      ),
      Flag.withDefault(false)
    ),
    timeout: Flag.Int("timeout").pipe(
      Flag.withMetavar("SECONDS"),
      Flag.withDescription("How long to wait for the user, at most 900. Default: 300"),
      Flag.filter(
        (seconds) => seconds >= 1 && seconds <= 900,
        () => "a number of seconds, from 1 to 900"
      ),
      Flag.withDefault(300)
    ),
    ...Flags.connection
  },
  lazily(async () => (await import("./run/login.ts")).login)
).pipe(
  Command.withDescription(
    `Connects a user: opens Zapier's consent page in the browser, waits on this machine for it to come back, and stores the user's grant. It is renewed from then on whenever it is used.

  The redirect URI must be registered in the Developer Platform (Embed, Settings, Redirect URIs), spelled the same.`
  ),
  Command.withShortDescription("Connect a user, in the browser"),
  Command.withExamples([
    { command: "zapier-workflow-auth login", description: "Yourself, to read your profile and your Zaps" },
    {
      command: "zapier-workflow-auth login --subject ada --scope zap --scope zap:write",
      description: "A user of your app, to read and write Zaps"
    },
    {
      command: "zapier-workflow-auth login --redirect-uri https://acme.example/zapier/callback --paste",
      description: "With a redirect URI that is on another machine"
    },
    { command: "zapier-workflow-auth login --fake http://127.0.0.1:9270", description: "At a fake Zapier" }
  ])
)
