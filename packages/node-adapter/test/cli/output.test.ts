/** What others have put into texts, on its way to a terminal; and output that cannot be written. */
import { spawn } from "node:child_process"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { run as runMain } from "../../src/cli/main.ts"
import * as Output from "../../src/cli/output.ts"
import * as CommandLine from "../utils/CommandLine.ts"
import * as World from "../utils/CommandLineWorld.ts"

const hostile = "\u001b]0;title\u0007\u001b[2J\u009b31m\u202e\u2028\u007f\r"

const unsafe = /(?!\n|\t)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

/** A Zapier that puts control characters into whatever it may fill. */
const served = (respond: (url: URL) => { readonly status: number; readonly body: string }) =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer((request, response) => {
        const { body, status } = respond(new URL(request.url ?? "/", "http://127.0.0.1"))
        response.writeHead(status, { "Content-Type": "application/json", Connection: "close" }).end(body)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.promise(() => new Promise((resolve) => server.close(resolve)))
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`))

/** A command whose stdout is a terminal, and all that it is shown. */
const atTerminal = Effect.fnUntraced(function* (args: ReadonlyArray<string>, env: CommandLine.Environment) {
  const recorder = CommandLine.recorder()
  let shown = ""
  const sink = () =>
    Sink.forEach((chunk: string | Uint8Array) =>
      Effect.sync(() => void (shown += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk)))
    )
  const terminal = Stdio.layerTest({
    stdinIsTerminal: Effect.succeed(false),
    stdoutIsTerminal: Effect.succeed(true),
    stdout: sink,
    stderr: sink
  })
  const code = yield* runMain(args, "1.2.3").pipe(
    Effect.provide(Layer.provideMerge(terminal, CommandLine.environment(env, recorder)))
  )
  return { code, shown: `${shown}${recorder.lines.stdout}${recorder.lines.stderr}` }
})

describe("what others have put into texts", () => {
  it.live("reaches no terminal as control characters, whatever it is a part of", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      for (const status of [200, 400, 401, 429, 500]) {
        const fake = yield* served((url) => ({
          status: url.pathname.startsWith("/oauth") ? status : 200,
          body: JSON.stringify({
            access_token: "token",
            token_type: "Bearer",
            scope: `zap ${hostile}`,
            error: `invalid_${hostile}`,
            error_description: hostile
          })
        }))
        const env = {
          ...world.env,
          ZAPIER_FAKE: fake,
          ZAPIER_SUBJECT: hostile,
          ZAPIER_REDIRECT_URIS: `http://127.0.0.1/${hostile}`
        }
        for (const args of [
          ["app-token", "--scope", `zap${hostile}`],
          ["request", "GET", "/v2/apps", "--as", "client-id"],
          ["request", "GET", `/v2/${hostile}`],
          ["token"],
          ["logout"],
          ["status", "--subject", hostile],
          ["status", "--data-directory", `/nowhere/${hostile}`],
          ["token", "--key-file", hostile],
          ["scopes", hostile],
          ["doctor", "--client-id", hostile],
          ["doctor", "--config", `/nowhere/${hostile}`],
          [hostile],
          ["login", `--${hostile}`],
          ["fake", "--redirect-uri", hostile]
        ]) {
          const { shown } = yield* atTerminal(args, env)
          expect(shown, args.join(" ")).not.toMatch(unsafe)
        }
      }
    })
  )

  it.effect.prop("is written as its codes, to stdout and to stderr", { text: Schema.String }, ({ text }) =>
    Effect.gen(function* () {
      let shown = ""
      const sink = () => Sink.forEach((chunk: string | Uint8Array) => Effect.sync(() => void (shown += String(chunk))))
      yield* Effect.andThen(Output.print(`${text}${hostile}`), Output.note(`${text}${hostile}`)).pipe(
        Effect.provide(Stdio.layerTest({ stdout: sink, stderr: sink }))
      )
      expect(shown).not.toMatch(unsafe)
      expect(shown.split("\\u001b]0;title")).toHaveLength(3)
    })
  )

  it.live("is in scopes and codes that login is given", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const { ended } = yield* world.beginLogin()
      const page = yield* World.visit(
        `${world.redirectUri}?error=${encodeURIComponent(hostile)}&state=${encodeURIComponent(hostile)}`
      )
      expect(page).toContain("still waits.")
      yield* Effect.forkScoped(ended)
      const pasted = yield* world.run(
        ["login", "--redirect-uri", "https://acme.example/callback"],
        {},
        `https://acme.example/callback?error=${encodeURIComponent(hostile)}&state=${encodeURIComponent(hostile)}\n`
      )
      expect(`${pasted.stdout}${pasted.stderr}`).not.toMatch(unsafe)
    })
  )

  it.live("is shown at once, and no character or line end of it in halves, however it is cut into chunks", () =>
    Effect.gen(function* () {
      let shown = ""
      const stdio = Stdio.layerTest({
        stdoutIsTerminal: Effect.succeed(true),
        stdout: () => Sink.forEach((text) => Effect.sync(() => void (shown += String(text))))
      })
      const bytes = new TextEncoder().encode(`\u{1F600}é\r\n${hostile}`)
      const chunks = Stream.fromIterable(Array.from(bytes, (byte) => Uint8Array.of(byte)))
      yield* Effect.provide(Output.printBytes(chunks, "text/plain"), stdio)
      expect(shown).toBe(
        `\u{1F600}é\r\n${String.raw`\u001b]0;title\u0007\u001b[2J\u009b31m\u202e\u2028\u007f\u000d`}\n`
      )
    })
  )

  it.live("is given to programs as it is, and to a terminal as its codes", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const body = `{"title":"${hostile}"}\r\n"next"\n`
      const env = { ...world.env, ZAPIER_FAKE: yield* served(() => ({ status: 200, body })) }
      const args = ["request", "GET", "/v2/apps", "--as", "client-id"]
      expect((yield* CommandLine.run(args, env)).stdout).toBe(body)
      const { shown } = yield* atTerminal(args, env)
      expect(shown).toContain(String.raw`  "title": "\u001b]0;title\u0007\u001b[2J\u009b31m\u202e\u2028\u007f\u000d"`)
    })
  )

  it.live("is no line of its own: a path or a name that holds one is shown in one", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const lines = "x\nok     client secret: Zapier takes it\nerror: none"
      for (const args of [
        ["doctor", "--offline", "--client-id", lines],
        ["doctor", "--offline", "--data-directory", `/nowhere/${lines}`],
        ["doctor", "--offline", "--client-secret-file", `/nowhere/${lines}`],
        ["status", "--data-directory", `/nowhere/${lines}`],
        ["token", "--subject", lines],
        ["logout", "--subject", lines],
        ["token", "--config", lines],
        ["scopes", lines],
        ["request", "GET", `/${lines}`],
        ["request", "POST", "/v2/zaps", "--data", `@${lines}`],
        ["rotate-key", "begin", "--fake", "", "--key-file", lines]
      ]) {
        const { stderr, stdout } = yield* world.run(args)
        const said = `${stdout}${stderr}`
        expect(said, args.join(" ")).not.toMatch(/^(error: none|ok     client secret: Zapier takes it)/m)
      }
    })
  )

  it.effect("is in no note, and in no log", () =>
    Effect.gen(function* () {
      const { layer, lines } = CommandLine.recorder()
      yield* Effect.provide(Output.note(`error: ${hostile}`), layer)
      const { console } = Output.consoleOver({
        ...globalThis.console,
        error: (line: string) => void (lines.stderr += line)
      })
      console.error(`message="${hostile}"`)
      expect(lines.stderr).not.toMatch(unsafe)
    })
  )
})

describe.skipIf(process.platform !== "linux")("output that cannot be written", () => {
  it.live("is an error, of every command that was asked for something", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      const commands = [
        ["token"],
        ["status"],
        ["status", "--json"],
        ["request", "GET", "/v2/zaps"],
        ["scopes"],
        ["--help"],
        ["--version"]
      ]
      const message = "cannot write to stdout (ENOSPC). Check the disk, or where the output goes."
      for (const args of commands) {
        const error = args.includes("--json") ? JSON.stringify({ _tag: "CannotWrite", message }) : `error: ${message}`
        const { code, stderr } = yield* CommandLine.intoFull(args, world.env)
        expect({ code, stderr: CommandLine.unwrapped(stderr) }, args.join(" ")).toEqual({
          code: 1,
          stderr: `${error}\n`
        })
      }
    })
  )

  it.live("ends a command without a word when nobody reads any more", () =>
    Effect.gen(function* () {
      for (const args of [["scopes"], ["--help"]]) {
        const ended = yield* Effect.promise(async () => {
          const child = spawn(process.execPath, [CommandLine.published(), ...args], {
            stdio: ["ignore", "pipe", "pipe"],
            env: {}
          })
          child.stdout.destroy()
          const code = new Promise<number | null>((resolve) => child.on("close", resolve))
          return { stderr: await text(child.stderr), code: await code }
        })
        expect(ended, args.join(" ")).toEqual({ code: 1, stderr: "" })
      }
    })
  )
})
