import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseEnv } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Files from "../../src/cli/run/initFiles.ts"
import * as CommandLine from "../utils/CommandLine.ts"

// Where the packages are found, as an app finds them.
const output = fileURLToPath(new URL("../../test-output/", import.meta.url))

const folder = Effect.acquireRelease(
  Effect.sync(() => {
    mkdirSync(output, { recursive: true })
    return mkdtempSync(join(output, "init-"))
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const args = (directory: string, ...more: ReadonlyArray<string>) => [
  "init",
  "--directory",
  directory,
  "--port",
  "0",
  "--no-browser",
  "--yes",
  ...more
]

/** Runs until it serves. */
const served = Effect.fnUntraced(function* (directory: string, ...more: ReadonlyArray<string>) {
  const recorder = CommandLine.recorder()
  const fiber = yield* Effect.forkScoped(CommandLine.run(args(directory, ...more), {}, recorder))
  while (!recorder.lines.stdout.includes("control ")) {
    if (fiber.pollUnsafe() !== undefined) return yield* Effect.die(new Error(recorder.lines.stderr))
    yield* Effect.sleep(1)
  }
  return recorder.lines
})

/** Runs until it serves, and gives what it has printed. */
const begun = (directory: string, ...more: ReadonlyArray<string>) =>
  Effect.map(served(directory, ...more), ({ stdout }) => stdout)

/** Runs until it serves, and gives what it has reported on stderr. */
const reported = (directory: string, ...more: ReadonlyArray<string>) =>
  Effect.map(served(directory, ...more), ({ stderr }) => CommandLine.unwrapped(stderr))

/** What an app says that loads its file of routes, and asks a route whether anybody is connected. */
const program = (routes: string, framework: string) => `
  const { zapierRoutes, zapier, GET } = await import(${JSON.stringify(routes)})
  const request = new Request("http://localhost:8080/zapier/status")
  const web = GET ?? (${framework === "web"} ? zapierRoutes : (request) => zapier.handler(request, { subject: () => "me" }))
  const { createServer } = await import("node:http")
  const served = async (request) => {
    const server = createServer((incoming, response) => zapierRoutes(incoming, response, () => response.end("other")))
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
    const ask = (path) => fetch("http://127.0.0.1:" + server.address().port + path)
    if ((await (await ask("/else")).text()) !== "other") throw new Error("the app's own are not left to it")
    return ask(new URL(request.url).pathname)
  }
  const response = await (${framework === "node"} ? served : web)(request)
  console.log(response.status, await response.text())
  process.exit()`

describe("init", () => {
  it.live.each([
    ["express", "zapier.mjs"],
    ["fastify", "zapier.mjs"],
    ["hono", "zapier.mjs"],
    ["web", "zapier.mjs"],
    ["node", "zapier.mjs"],
    ["next", "app/zapier/[...route]/route.js"]
  ] as const)("writes a file of routes for %s that works with the fake of .env", ([framework, name]) =>
    Effect.gen(function* () {
      const directory = yield* folder
      const said = yield* begun(directory, "--framework", framework, "--app-port", "8080")
      expect(said).toContain("http://localhost:8080/zapier/connect")
      const variables = readFileSync(join(directory, ".env"), "utf8")
      expect(parseEnv(variables)).toMatchObject({
        ZAPIER_FAKE: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        ZAPIER_REDIRECT_URIS: "http://localhost:8080/zapier/callback"
      })
      expect(statSync(join(directory, ".env")).mode & 0o777).toBe(0o600)
      const env = { ...process.env, ...parseEnv(variables), ZAPIER_DATA_DIRECTORY: join(directory, "data") }
      const input = ["--input-type=module", "--eval", program(join(directory, name), framework)]
      const answered = execFileSync(process.execPath, input, { cwd: directory, env, encoding: "utf8" })
      expect(answered).toContain('200 {"_tag":"Absent","subject":"me"')
    })
  )

  it.live("names the command that starts the same fake again", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const said = yield* begun(directory, "--framework", "hono", "--app-port", "8080")
      const [, ...flags] =
        /npx zapier-workflow-auth (fake .*)/.exec(said.replaceAll(" \\\n   ", ""))?.[1]?.split(" ") ?? []
      const recorder = CommandLine.recorder()
      yield* Effect.forkScoped(CommandLine.run(["fake", "--port", "0", ...flags], {}, recorder))
      while (!recorder.lines.stdout.includes("ZAPIER_REDIRECT_URIS")) yield* Effect.sleep(1)
      const { ZAPIER_FAKE: _, ...variables } = parseEnv(readFileSync(join(directory, ".env"), "utf8"))
      expect(parseEnv(recorder.lines.stdout)).toMatchObject(variables)
    })
  )

  it.live("writes TypeScript where the app is written in it", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      writeFileSync(join(directory, "tsconfig.json"), "{}")
      yield* begun(directory, "--framework", "web")
      expect(readFileSync(join(directory, "zapier.ts"), "utf8")).toContain("(request: Request)")
    })
  )

  it.live.each([".env", "zapier.mjs"])("overwrites no %s, and puts the new one beside it", (name) =>
    Effect.gen(function* () {
      const directory = yield* folder
      const path = join(directory, name)
      writeFileSync(path, "mine")
      const said = yield* reported(directory, "--framework", "hono")
      expect(said).toContain(`"${path}" already exists, and was not changed. The new one is "${path}.new".`)
      expect(readFileSync(path, "utf8")).toBe("mine")
      expect(readFileSync(`${path}.new`, "utf8")).toContain("ZAPIER_FAKE")
      expect(statSync(join(directory, name === ".env" ? ".env.new" : ".env")).mode & 0o777).toBe(0o600)
    })
  )

  it.live("overwrites nothing that a run before has put beside", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      for (const name of [".env", ".env.new"]) writeFileSync(join(directory, name), "mine")
      const { code, stderr } = yield* CommandLine.run(args(directory, "--framework", "hono"))
      expect([code, stderr]).toEqual([1, expect.stringMatching(/\.env\.new" exists already/)])
      expect([".env", ".env.new"].map((name) => readFileSync(join(directory, name), "utf8"))).toEqual(["mine", "mine"])
    })
  )

  it.live("writes through no link that leads to nothing yet", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      for (const name of [".env", ".env.new"]) symlinkSync(join(directory, "elsewhere"), join(directory, name))
      const { code, stderr } = yield* CommandLine.run(args(directory, "--framework", "hono"))
      expect([code, stderr]).toEqual([1, expect.stringContaining("exists already")])
      expect(existsSync(join(directory, "elsewhere"))).toBe(false)
    })
  )

  it.live.each([
    ["node_modules\n", "node_modules\n.env\n"],
    ["node_modules", "node_modules\n.env\n"],
    [".env\nnode_modules\n", undefined],
    ["/.env*", undefined],
    ["*.env\r\n", undefined]
  ] as const)("adds .env to a .gitignore that does not have it: %j", ([before, after]) =>
    Effect.gen(function* () {
      const directory = yield* folder
      writeFileSync(join(directory, ".gitignore"), before)
      const said = yield* reported(directory, "--framework", "web")
      expect(readFileSync(join(directory, ".gitignore"), "utf8")).toBe(after ?? before)
      expect(said.includes("Added .env to ")).toBe(after !== undefined)
    })
  )

  it.live("makes no .gitignore where none is, and shows no secret", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const said = yield* begun(directory, "--framework", "web")
      expect(existsSync(join(directory, ".gitignore"))).toBe(false)
      const { ZAPIER_CLIENT_SECRET: secret = "" } = parseEnv(readFileSync(join(directory, ".env"), "utf8"))
      expect(secret).not.toBe("")
      expect(said).not.toContain(secret)
    })
  )

  it.live.each([
    [undefined, "zapier.mjs", "originalUrl"],
    [{ name: "app" }, "zapier.mjs", "originalUrl"],
    [{ dependencies: { express: "5.0.0" } }, "zapier.mjs", "app.use(zapierRoutes)"],
    [{ dependencies: { next: "16.0.0", express: "5.0.0" } }, "app/zapier/[...route]/route.js", "ZapierNext"]
  ] as const)("asks nothing with --yes, and takes the framework of package.json: %j", ([manifest, name, words]) =>
    Effect.gen(function* () {
      const directory = yield* folder
      if (manifest !== undefined) writeFileSync(join(directory, "package.json"), JSON.stringify(manifest))
      yield* begun(directory)
      expect(readFileSync(join(directory, name), "utf8")).toContain(words)
    })
  )

  it.live.each([
    ["sqlite", "# ZAPIER_DATA_DIRECTORY="],
    ["postgres", "# ZAPIER_DATABASE_URL="],
    ["redis", "# ZAPIER_REDIS_URL="]
  ] as const)("says in .env how %s is used in production", ([store, line]) =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* begun(directory, "--framework", "web", "--store", store)
      const text = readFileSync(join(directory, ".env"), "utf8")
      expect(text).toContain(`\n${line}`)
      expect(text.includes("# ZAPIER_ENCRYPTION_KEYS=")).toBe(store !== "sqlite")
    })
  )

  it.live.each([
    [
      [],
      "error: there is no terminal to ask at. Give --yes, or --framework: express, fastify, hono, next, node or web.\n"
    ],
    [
      ["--framework", "web"],
      "error: there is no terminal to ask at. Give --yes, or --store: sqlite, postgres or redis.\n"
    ]
  ] as const)("asks only where somebody can answer: %j", ([flags, problem]) =>
    Effect.gen(function* () {
      const directory = yield* folder
      const { code, stderr } = yield* CommandLine.run(["init", "--directory", directory, "--port", "0", ...flags])
      expect([code, stderr]).toEqual([1, problem])
      expect(existsSync(join(directory, ".env"))).toBe(false)
    })
  )
})

/** What both have to say alike: which modules, how the client is made, and how the routes are. */
const essentials = (text: string) =>
  [
    ...text.matchAll(/^import \* as Zapier\w+ from "\S+"$/gm),
    ...text.matchAll(/ZapierPromise\.make\(.*?\)(?=[)\n])/g),
    ...text.matchAll(/Zapier(?:Express|Fastify|Hono|Next)\.routes\(zapier, userOf\)/g),
    ...text.matchAll(/\{ prefix: "\S+" \}/g)
  ].map(([found]) => found)

describe("the files of init", () => {
  it.each([
    ["express", ["express.ts"]],
    ["fastify", ["fastify.ts"]],
    ["hono", ["hono.ts"]],
    ["next", ["next/zapier.ts", "next/app/zapier/[...route]/route.ts"]]
  ] as const)("%s: say what the example says", (framework, names) => {
    const examples = new URL("../../../../examples/frameworks/", import.meta.url)
    const example = names.map((name) => readFileSync(new URL(name, examples), "utf8")).join("\n")
    const own = essentials(Files.routesOf(framework, true))
    expect(own.length).toBeGreaterThanOrEqual(4)
    expect(own.sort()).toEqual(essentials(example).sort())
  })
})
