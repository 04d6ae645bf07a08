/** `init` as others see it: its flags and help. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as FakeFlags from "./fakeFlags.ts"
import { lazily } from "./lazily.ts"

/** What an app is made of, and what it is called. */
export const frameworks = {
  express: "Express",
  fastify: "Fastify",
  hono: "Hono",
  next: "Next",
  web: "anything that has a Request"
} as const

export type Framework = keyof typeof frameworks

export const init = Command.make(
  "init",
  {
    framework: Flag.Literals("framework", ["express", "fastify", "hono", "next", "web"]).pipe(
      Flag.withDescription("What the app is made of; web is anything that has a Request. Default: you are asked"),
      Flag.optional
    ),
    directory: Flag.String("directory").pipe(
      Flag.withMetavar("PATH"),
      Flag.withDescription("The folder of the app. Default: the current one"),
      Flag.withDefault(".")
    ),
    appPort: Flag.Int("app-port").pipe(
      Flag.withMetavar("NUMBER"),
      Flag.withDescription("Where the app listens, on localhost. Default: 3000"),
      Flag.filter(
        (port) => port > 0 && FakeFlags.isPort(port),
        () => "a port, from 1 to 65535"
      ),
      Flag.withDefault(3000)
    ),
    browser: Flag.Boolean("browser").pipe(
      Flag.withDescription("Whether to open the sample app's page in the browser. Default: yes"),
      Flag.withDefault(true)
    ),
    port: FakeFlags.port,
    playgroundPort: FakeFlags.playgroundPort
  },
  lazily(async () => (await import("./run/init.ts")).init)
).pipe(
  Command.withDescription(
    `Prepares an app: writes a file with its "Connect Zapier" routes, and .env with what they need, and starts a fake Zapier to develop against, as the command fake does. It overwrites nothing.

  The file of routes is zapier.ts where there is a tsconfig.json, else zapier.mjs; for Next it is route.ts or route.js in app/zapier/[...route].`
  ),
  Command.withShortDescription("Prepare an app, and start a fake Zapier for it"),
  Command.withExamples([
    { command: "zapier-workflow-auth init" },
    { command: "zapier-workflow-auth init --framework express --app-port 8080" }
  ])
)
