import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "../utils/CommandLine.ts"
import * as Transcripts from "../utils/Transcripts.ts"

const commands = [
  "",
  " login",
  " logout",
  " status",
  " token",
  " app-token",
  " request",
  " scopes",
  " doctor",
  " rotate-key",
  " rotate-key begin",
  " rotate-key switch",
  " rotate-key reencrypt",
  " rotate-key finish",
  " init",
  " fake"
]

describe("the command line", () => {
  it.effect.each(commands)(
    "tells what zapier-workflow-auth%s is for, with examples where there is something to type",
    (command) =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* run([...command.split(" ").slice(1), "--help"])
        expect([code, stderr]).toEqual([0, ""])
        expect(stdout).toContain(`USAGE\n  zapier-workflow-auth${command} `)
        if (!stdout.includes("COMMANDS")) expect(stdout).toContain(`EXAMPLES\n`)
        // In plain where it is no terminal.
        expect(stdout).not.toContain("\u001b")
        // What is secret is never typed, only where it is.
        expect(stdout).not.toMatch(/--[a-z-]*(secret(?!-file)|token|password|database-url|encryption-keys)/)
      })
  )

  it.effect.each(commands.filter((command) => command !== ""))("explains%s by help, as by --help", (command) =>
    Effect.gen(function* () {
      const words = command.trim().split(" ")
      const explained = yield* run(["help", ...words])
      expect(explained).toEqual(yield* run([...words, "--help"]))
      expect(Transcripts.tooWide(explained.stdout)).toEqual([])
      // Global flags are explained once, in the help of the program.
      expect(explained.stdout).not.toContain("Print shell completion")
      expect(explained.stdout).toContain('"zapier-workflow-auth help" to see what they do.')
    })
  )

  it.effect("suggests the command that was probably meant, of help too", () =>
    Effect.gen(function* () {
      for (const args of [["lgin"], ["help", "lgin"], ["lgin", "--help"], ["--json", "lgin"]]) {
        const { code, stderr, stdout } = yield* run(args)
        expect([code, stdout, stderr.includes("Did you mean login?")], args.join(" ")).toEqual([2, "", true])
      }
      expect((yield* run(["help", "rotate-key", "swich"])).stderr).toContain("Did you mean switch?")
      expect(yield* run(["help"])).toEqual(yield* run(["--help"]))
    })
  )

  it.effect("explains a command when more words or --help follow it", () =>
    Effect.gen(function* () {
      const login = yield* run(["login", "--help"])
      for (const args of [
        "help login now",
        "help login --help",
        "help login now -h",
        "--log-level=none help login now"
      ]) {
        expect(yield* run(args.split(" ")), args).toEqual(login)
      }
      const help = yield* run(["help", "help"])
      expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining("Explains a command") })
      expect(yield* run(["help", "help", "me"])).toEqual(help)
      expect(yield* run(["help", "--help"])).toEqual(yield* run(["--help"]))
    })
  )

  it.effect("shows help when it is told nothing more, and its version", () =>
    Effect.gen(function* () {
      expect((yield* run([])).stdout).toBe((yield* run(["--help"])).stdout)
      expect(yield* run(["rotate-key"])).toMatchObject({ code: 0, stderr: "" })
      expect(yield* run(["--version"])).toEqual({ code: 0, stdout: "zapier-workflow-auth v1.2.3\n", stderr: "" })
    })
  )

  it.effect("completes what is typed in a shell", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run(["--completions", "bash"])
      expect(code).toBe(0)
      expect(stdout).toContain("rotate-key")
    })
  )

  it.effect.each([
    [["rotate"], 'unknown command: "rotate"', ""],
    [["rotate-key", "end"], 'unknown command of rotate-key: "end"', " rotate-key"],
    [["rotate-key", "begin", "--key", "x"], 'unknown flag of rotate-key begin: "--key"', " rotate-key begin"],
    [["rotate-key", "begin", "now"], 'too many arguments: "now"', " rotate-key begin"],
    [["rotate-key", "reencrypt", "--data-directory"], "--data-directory needs a value", " rotate-key reencrypt"],
    [["fake", "--port", "65536"], "Give a port from 0 to 65535", " fake"],
    [["fake", "--port", "-1"], "Give a port from 0 to 65535", " fake"],
    [["fake", "--redirect-uri", "/callback"], "an absolute URI without a fragment", " fake"]
  ] as const)("refuses %j with 2, and says why and where to look", ([args, problem, command]) =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run(args)
      expect([code, stdout]).toEqual([2, ""])
      const lines = stderr.trimEnd().split("\n")
      expect(lines.at(-1)).toBe(`  zapier-workflow-auth help${command}`)
      expect(lines.length).toBe(2)
      expect(lines[0]).toContain(problem)
      expect(lines[0]).toMatch(/^error: /)
    })
  )

  it.effect("tells of a bug where it was, and not what it held", () =>
    Effect.gen(function* () {
      const argument = Object.assign(Object.create(null), { toString: () => "s3cret" }) as string
      const { code, stderr, stdout } = yield* run([argument])
      expect([code, stdout]).toEqual([1, ""])
      expect(stderr).toMatch(/^error: this is a bug\. Please report it: TypeError at [^\n]*\.?\n$/)
      expect(stderr).not.toContain("s3cret")
    })
  )
})
