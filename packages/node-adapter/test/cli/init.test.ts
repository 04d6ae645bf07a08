import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseEnv } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
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
  ...more
]

/** Runs until it serves, and says what it has printed. */
const begun = Effect.fnUntraced(function* (directory: string, ...more: ReadonlyArray<string>) {
  const recorder = CommandLine.recorder()
  const fiber = yield* Effect.forkScoped(CommandLine.run(args(directory, ...more), {}, recorder))
  while (!recorder.lines.stdout.includes("control ")) {
    if (fiber.pollUnsafe() !== undefined) return yield* Effect.die(new Error(recorder.lines.stderr))
    yield* Effect.sleep(1)
  }
  return recorder.lines.stdout
})

/** What an app says that loads its file of routes, and asks a route whether anybody is connected. */
const program = (routes: string, framework: string) => `
  const { zapierRoutes, zapier, GET } = await import(${JSON.stringify(routes)})
  const request = new Request("http://localhost:8080/zapier/status")
  const web = GET ?? (${framework === "web"} ? zapierRoutes : (request) => zapier.handler(request, { subject: () => "me" }))
  const response = await web(request)
  console.log(response.status, await response.text())
  process.exit()`

describe("init", () => {
  it.live.each([
    ["express", "zapier.mjs"],
    ["fastify", "zapier.mjs"],
    ["hono", "zapier.mjs"],
    ["web", "zapier.mjs"],
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
      const [, ...flags] = /npx zapier-workflow-auth (fake .*)/.exec(said)?.[1]?.split(" ") ?? []
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

  it.live.each([".env", "zapier.mjs"])("overwrites no %s, and then writes nothing", (name) =>
    Effect.gen(function* () {
      const directory = yield* folder
      writeFileSync(join(directory, name), "mine")
      const { code, stderr, stdout } = yield* CommandLine.run(args(directory, "--framework", "hono"))
      expect([code, stdout]).toEqual([1, ""])
      expect(stderr).toMatch(/ is there already\. It was left as it is, and nothing else was written\n$/)
      expect(readFileSync(join(directory, name), "utf8")).toBe("mine")
      expect([".env", "zapier.mjs"].filter((file) => existsSync(join(directory, file)))).toEqual([name])
    })
  )

  it.live("writes through no link that leads to nothing yet", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      symlinkSync(join(directory, "elsewhere"), join(directory, ".env"))
      const { code, stderr } = yield* CommandLine.run(args(directory, "--framework", "hono"))
      expect([code, stderr]).toEqual([1, expect.stringContaining("is there already")])
      expect(existsSync(join(directory, "elsewhere"))).toBe(false)
    })
  )

  it.live("asks what the app is made of only where somebody can answer", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* CommandLine.run(args(yield* folder))
      expect([code, stderr]).toEqual([1, "error: give --framework: express, fastify, hono, next, web\n"])
    })
  )
})
