/** Transcripts of commands for the documentation, which are the same on every machine and at every time. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { displayWidth } from "effect/cli/CliOutput"
import * as CommandLine from "./CommandLine.ts"
import * as World from "./CommandLineWorld.ts"

/** The words of a command, as a shell splits them. */
export const wordsOf = (command: string): ReadonlyArray<string> =>
  [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? "")

// Paths are wrapped before they are replaced, so both homes have the same length.
const home = "/home/grace"

/** A home directory of its own. The caller checks that the system has `/tmp`. */
const ownHome = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync("/tmp/")),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const keyIds = ["3f9c01ab", "b7240e5d", "5ad8c6f2", "91e07b34", "c4d21a68"]

const expiry = 1_795_635_600_000

/** What differs between two runs becomes what a reader would see. */
const steadier = (world: Effect.Success<typeof World.make>, ownHome: string) => {
  const seen = new Map<string, string>()
  const steadyKey = (id: string) => {
    if (!seen.has(id)) seen.set(id, keyIds[seen.size % keyIds.length] ?? "")
    return seen.get(id) ?? ""
  }
  return Effect.fnUntraced(function* (said: string) {
    let text = said
      .replaceAll(encodeURIComponent(world.redirectUri), encodeURIComponent("http://127.0.0.1:9271/callback"))
      .replaceAll(world.redirectUri, "http://127.0.0.1:9271/callback")
      .replaceAll(world.origin, "http://127.0.0.1:9270")
      .replaceAll(new URL(world.redirectUri).host, "127.0.0.1:9271")
      .replaceAll(new URL(world.origin).host, "127.0.0.1:9270")
      .replaceAll(`${ownHome}/app/`, "")
      .replaceAll(ownHome, home)
    for (const { accessToken } of yield* world.fake.issued) text = text.replaceAll(accessToken, "<access token>")
    return text
      .replace(/state=[\w-]+/g, "state=mF2d1xB0...")
      .replace(/token=[\w-]+/g, "token=...")
      .replace(/(ZAPIER_CLIENT_SECRET=|"clientSecret":")[^\s"]+/g, "$1...")
      .replace(/(expires(?:At)?"|ExpiresAt"):\d+/g, `$1:${expiry}`)
      .replace(/"secondsLeft":\d+/g, '"secondsLeft":35999')
      .replace(/\b9h \d\dm\b/g, "9h 59m")
      .replace(/^date: .*$/gim, "date: Wed, 25 Nov 2026 09:00:00 GMT")
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)/g, "2026-11-25T09:00:00Z")
      .replace(
        /((?:key|Key|keyId|dropped)\W+)([0-9a-f]{8})\b/g,
        (_, before: string, id: string) => before + steadyKey(id)
      )
  })
}

/** The ports of a fake and its sample app, in the order in which they are printed. */
const steadyPorts = (text: string) => {
  const usual = new Set(["9271", "3000"])
  const found = [...new Set([...text.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port = ""]) => port))]
  return found
    .filter((port) => !usual.has(port))
    .reduce(
      (steady, port, index) => steady.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${index === 0 ? 9270 : 9272}`),
      text
    )
}

export type Kind = "fresh" | "session" | "terminal"

/** Runs the commands of one page, in their order. */
export const make = Effect.gen(function* () {
  const directory = yield* ownHome
  const fresh = yield* ownHome
  // Stores its database where it is on a new machine.
  const world = yield* World.makeWith({ home: directory })
  const steady = steadier(world, directory)
  const freshly = steadier(world, fresh)

  /** A command that serves until it is stopped. */
  const serve = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
    const recorder = CommandLine.recorder()
    const fiber = yield* Effect.forkScoped(CommandLine.run(args, { HOME: directory }, recorder))
    while (recorder.lines.stdout === "") {
      if (fiber.pollUnsafe() !== undefined) return yield* Effect.die(new Error(recorder.lines.stderr))
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    yield* Fiber.interrupt(fiber)
    return steadyPorts(`${recorder.lines.stderr}${recorder.lines.stdout}`)
  })

  const output = Effect.fnUntraced(function* (args: ReadonlyArray<string>, isTerminal: boolean) {
    const [name] = args
    if (name === "fake") return yield* serve([...args, "--port", "0"])
    if (name === "init") {
      const app = join(directory, "app")
      mkdirSync(app, { recursive: true })
      rmSync(app, { recursive: true })
      mkdirSync(app)
      return yield* serve([...args, "--port", "0", "--directory", app])
    }
    if (name === "login") {
      const { url, ended, recorder } = yield* world.beginLogin(args.slice(1).filter((flag) => flag !== "--no-browser"))
      yield* World.visit(yield* world.fake.approve(url))
      yield* ended
      return `${recorder.lines.stderr}${recorder.lines.stdout}`
    }
    const recorder = CommandLine.recorder("", isTerminal)
    yield* CommandLine.run(args, world.env, recorder)
    return `${recorder.lines.stdout}${recorder.lines.stderr}`
  })

  /** The output of a command, stdout and then stderr. */
  const say = Effect.fnUntraced(function* (command: string, kind: Kind) {
    const args = wordsOf(command)
    if (kind !== "fresh") return (yield* steady(yield* output(args, kind === "terminal"))).trimEnd()
    const recorder = CommandLine.recorder()
    yield* CommandLine.run(args, { HOME: fresh }, recorder)
    return (yield* freshly(`${recorder.lines.stdout}${recorder.lines.stderr}`)).trimEnd()
  })

  return { world, home: directory, fresh, say, steady, freshly }
})

// An address, a path or JSON is copied in one piece.
const isWhole = (line: string) => !/\S\s+\S/.test(line) || /^[{[]/.test(line)

/** The lines that a terminal of 80 columns would break. */
export const tooWide = (text: string): ReadonlyArray<string> =>
  text.split("\n").filter((line) => displayWidth(line) > 80 && !isWhole(line))
