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
  node: "Node's own http",
  web: "anything that has a Request"
} as const

export type Framework = keyof typeof frameworks

/** Where grants are kept in production, and what it is called. */
export const stores = {
  sqlite: "SQLite, on one machine",
  postgres: "Postgres",
  redis: "Redis"
} as const

export type Store = keyof typeof stores

export const init = Command.make(
  "init",
  {
    framework: Flag.Literals("framework", ["express", "fastify", "hono", "next", "node", "web"]).pipe(
      Flag.withDescription("What the app is made of; web is anything that has a Request. Default: you are asked"),
      Flag.optional
    ),
    store: Flag.Literals("store", ["sqlite", "postgres", "redis"]).pipe(
      Flag.withDescription("Where grants are kept in production: .env says how. Default: you are asked"),
      Flag.optional
    ),
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription(
        "Ask nothing: the framework is the one that package.json depends on, else Node's own http, and the store is SQLite"
      ),
      Flag.withDefault(false)
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
    `Prepares an app: writes a file with its "Connect Zapier" routes, and .env with what they need, and starts a fake Zapier to develop against, as the command fake does. It overwrites nothing: where such a file is there already, the new one is put beside it, with .new at the end of its name. If there is a .gitignore that does not have .env, it is added.

  The file of routes is zapier.ts where there is a tsconfig.json, else zapier.mjs; for Next it is route.ts or route.js in app/zapier/[...route].`
  ),
  Command.withShortDescription("Prepare an app, and start a fake Zapier for it"),
  Command.withExamples([
    { command: "zapier-workflow-auth init" },
    { command: "zapier-workflow-auth init --yes", description: "Without questions" },
    { command: "zapier-workflow-auth init --framework express --app-port 8080" }
  ])
)
