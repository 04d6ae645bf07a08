/** The flags and help of `login`. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

export const login = Command.make(
  "login",
  {
    subject: Flags.subject,
    scopes: Flags.scopes('A scope to ask for; "zapier-workflow-auth scopes" lists them. Default: profile and zap.'),
    redirectUri: Flag.String("redirect-uri").pipe(
      Flag.withMetavar("URI"),
      Flag.withDescription(
        "The redirect URI to come back to. Default: the first of ZAPIER_REDIRECT_URIS that is on this machine, else the first; http://127.0.0.1:9271/callback if none is set"
      ),
      Flag.filter(
        ClientApplication.isRedirectUri,
        () => "an absolute URI without a fragment, which is https unless it is on this machine"
      ),
      Flag.optional
    ),
    browser: Flag.Boolean("browser").pipe(
      Flag.withDescription("Open the browser. Default: yes; --no-browser only prints the address"),
      Flag.withDefault(true)
    ),
    paste: Flag.Boolean("paste").pipe(
      Flag.withDescription(
        "Read from stdin the address to which Zapier sent the browser. Always on if the redirect URI is not on this machine"
      ),
      Flag.withDefault(false)
    ),
    timeout: Flag.Int("timeout").pipe(
      Flag.withMetavar("SECONDS"),
      Flag.withDescription("How long to wait for the user, at most 900. Default: 300"),
      Flag.filter(
        (seconds) => seconds >= 1 && seconds <= 900,
        () => "a number of seconds from 1 to 900"
      ),
      Flag.withDefault(300)
    ),
    ...Flags.connection
  },
  lazily(async () => (await import("./run/login.ts")).login)
).pipe(
  Command.withDescription(
    `Connects a user. It opens Zapier's consent page in the browser, waits for the browser to come back to this machine, and stores the user's tokens. From then on they are refreshed whenever they are used.

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
      command: "zapier-workflow-auth login --paste \\\n  --redirect-uri https://acme.example/zapier/callback",
      description: "With a redirect URI on another machine"
    },
    { command: "zapier-workflow-auth login --fake http://127.0.0.1:9270", description: "With a fake Zapier" }
  ])
)
