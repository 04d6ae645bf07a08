/** The flags and help of `init`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as FakeFlags from "./fakeFlags.ts"
import { lazily } from "./lazily.ts"

/** Frameworks, by their titles. */
export const frameworks = {
  express: "Express",
  fastify: "Fastify",
  hono: "Hono",
  next: "Next",
  node: "None: Node's own http",
  web: "Another framework, with Request and Response"
} as const

export type Framework = keyof typeof frameworks

/** Databases for production, by their titles. */
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
      Flag.withMetavar("NAME"),
      Flag.withDescription("The framework of the app; web stands for any with Request and Response. Default: a prompt"),
      Flag.optional
    ),
    store: Flag.Literals("store", ["sqlite", "postgres", "redis"]).pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("The database in production; .env shows its variables. Default: a prompt"),
      Flag.optional
    ),
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription("Ask nothing: take the framework from package.json, else Node's own http, and SQLite"),
      Flag.withDefault(false)
    ),
    directory: Flag.String("directory").pipe(
      Flag.withMetavar("PATH"),
      Flag.withDescription("The folder of the app. Default: the current one"),
      Flag.withDefault(".")
    ),
    appPort: Flag.Int("app-port").pipe(
      Flag.withMetavar("NUMBER"),
      Flag.withDescription("The port of the app on localhost. Default: 3000"),
      Flag.filter(
        (port) => port > 0 && FakeFlags.isPort(port),
        () => "a port from 1 to 65535"
      ),
      Flag.withDefault(3000)
    ),
    browser: Flag.Boolean("browser").pipe(
      Flag.withDescription("Open the sample app in the browser. Default: yes"),
      Flag.withDefault(true)
    ),
    port: FakeFlags.port,
    playgroundPort: FakeFlags.playgroundPort
  },
  lazily(async () => (await import("./run/init.ts")).init)
).pipe(
  Command.withDescription(
    `Prepares an app: writes its "Connect Zapier" routes and a .env file for them, and starts a fake Zapier to develop with, as "zapier-workflow-auth fake" does. It overwrites nothing: if a file exists, the new one gets the ending .new. If there is a .gitignore without .env, it adds .env to it.

The routes are in zapier.ts if there is a tsconfig.json, else in zapier.mjs. For Next, they are in app/zapier/[...route]/route.ts or route.js.`
  ),
  Command.withShortDescription("Prepare an app, and start a fake Zapier for it"),
  Command.withExamples([
    { command: "zapier-workflow-auth init" },
    { command: "zapier-workflow-auth init --yes", description: "Without questions" },
    { command: "zapier-workflow-auth init --framework express --app-port 8080" }
  ])
)
