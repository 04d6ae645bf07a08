import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Zapier from "../../src/cli/zapier.ts"
import type * as CommandLine from "../utils/CommandLine.ts"
import * as World from "../utils/CommandLineWorld.ts"

describe("the configuration", () => {
  it.live("is that of flags, then of the environment, then of the file", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const file = join(world.directory, "config.env")
      const write = (text: string, mode = 0o600) =>
        Effect.sync(() => {
          writeFileSync(file, text)
          chmodSync(file, mode)
        })
      const clientIdBy = Effect.fnUntraced(function* (env: CommandLine.Environment, ...args: Array<string>) {
        const { stdout } = yield* world.run(["doctor", "--offline", ...args], env)
        return /client application: (.*)/.exec(stdout)?.[1]
      })
      const says = (id: string) => `client id "${id}" and a secret`
      yield* write(`# of the app\nZAPIER_CLIENT_ID="from file"\nZAPIER_CLIENT_SECRET=s3cret\n`)
      const empty = { ZAPIER_CLIENT_ID: "", ZAPIER_CLIENT_SECRET: "" }
      expect(yield* clientIdBy(empty, "--config", file)).toBe(says("from file"))
      expect(yield* clientIdBy({ ...empty, ZAPIER_CONFIG: file })).toBe(says("from file"))
      expect(yield* clientIdBy({ ZAPIER_CONFIG: file })).toBe(says("acme"))
      expect(yield* clientIdBy({ ZAPIER_CONFIG: file }, "--client-id", "flag")).toBe(says("flag"))
      yield* write("ZAPIER_CLIENT_ID=abc\n", 0o644)
      const open = yield* world.run(["status", "--config", file])
      expect([open.code, open.stderr]).toEqual([
        1,
        expect.stringMatching(/^error: configuration file: .* Run:\n {2}chmod 600 [^\n]*\n$/)
      ])
      const missing = yield* world.run(["status", "--config", "/nowhere/at/all"])
      expect(missing.stderr).toBe(
        "error: configuration file: cannot look at /nowhere/at/all: it does not exist. Check the path, or set another.\n"
      )
    })
  )

  it.live("has a file in the user's configuration directory, where there is one", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const config = join(world.directory, "zapier-workflow-auth")
      mkdirSync(config)
      writeFileSync(join(config, "config.env"), "ZAPIER_SUBJECT=grace\n", { mode: 0o600 })
      yield* world.login(["--subject", "ada"])
      const { stderr } = yield* world.start(["token"], { XDG_CONFIG_HOME: world.directory }).ended
      expect(stderr).toContain('"grace" is not connected to Zapier')
    })
  )

  it.live("takes the secret from a file or stdin, from one place, and asks nobody who is not at a terminal", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const file = join(world.directory, "secret")
      writeFileSync(file, `${world.env["ZAPIER_CLIENT_SECRET"]}\n`, { mode: 0o600 })
      const token = (env: CommandLine.Environment, args: ReadonlyArray<string> = [], input?: string) =>
        world.run(["app-token", "--scope", "promotions:write", ...args], env, input)
      const none = { ZAPIER_CLIENT_SECRET: "" }
      expect((yield* token({ ...none, ZAPIER_CLIENT_SECRET_FILE: file })).code).toBe(0)
      expect((yield* token(none, ["--client-secret-file", file])).code).toBe(0)
      expect((yield* token(none, ["--client-secret-file", "-"], `${world.env["ZAPIER_CLIENT_SECRET"]}\n`)).code).toBe(0)
      expect((yield* token({ ZAPIER_CLIENT_SECRET_FILE: file })).stderr).toContain("set one of them, not both")
      expect((yield* token(none)).stderr).toContain("client secret: missing. Set ZAPIER_CLIENT_SECRET")
      expect((yield* token(none, ["--client-secret-file", "-"], "\n")).stderr).toContain(
        "--client-secret-file: it is empty; give the client secret"
      )
      expect((yield* token(none, ["--client-secret-file", "-"], " s3cret\n")).stderr).toContain(
        "--client-secret-file: it begins with a space"
      )
      writeFileSync(file, `${world.env["ZAPIER_CLIENT_SECRET"]}\n\n`)
      expect((yield* token({ ...none, ZAPIER_CLIENT_SECRET_FILE: file })).stderr).toContain(
        "ZAPIER_CLIENT_SECRET_FILE: it ends with a line break"
      )
      chmodSync(file, 0o644)
      expect((yield* token(none, ["--client-secret-file", file])).stderr).toMatch(
        /^error: client secret file: .* Run:\n {2}chmod 600/
      )
    })
  )

  it.live.each<readonly [CommandLine.Environment, ReadonlyArray<string>, string]>([
    [
      { ZAPIER_CLIENT_SECRET: "s3cret\n" },
      [],
      "ZAPIER_CLIENT_SECRET: it ends with a line break; give the client secret"
    ],
    [{ ZAPIER_CLIENT_ID: " acme" }, [], "ZAPIER_CLIENT_ID: it begins with a space; give the client id"],
    [{}, ["--client-id", "acme "], "--client-id: it ends with a space; give the client id"],
    [
      { ZAPIER_REDIRECT_URIS: "http://127.0.0.1:1/a b" },
      [],
      "ZAPIER_REDIRECT_URIS: it contains a space, at position 21;"
    ],
    [{ ZAPIER_REDIRECT_URIS: "," }, [], "ZAPIER_REDIRECT_URIS: it is an empty list; give at least one"],
    [{}, ["--subject", ""], "--subject, ZAPIER_SUBJECT: it is empty; give the app's own id"],
    [{ ZAPIER_SUBJECT: "ada\n" }, [], "--subject, ZAPIER_SUBJECT: it contains a line break, at position 4"]
  ])("names what is wrong with %j and %j", ([env, args, message]) =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      const { code, stderr, stdout } = yield* world.run(["token", ...args], env)
      expect([code, stdout, stderr.slice(0, message.length + 7)]).toEqual([1, "", `error: ${message}`])
      expect(yield* world.tokenRequests).toEqual(["authorization_code"])
    })
  )

  it.effect("takes no user for another because a variable cannot be read", () => {
    const broken = ConfigProvider.make(() => Effect.fail(new ConfigProvider.SourceError({ message: "s3cret" })))
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Zapier.subject(Option.none()))
      expect(error.message).toBe("ZAPIER_SUBJECT: it cannot be read; set it to a text, or remove it")
      expect(yield* Zapier.subject(Option.some("ada"))).toBe("ada")
    }).pipe(Effect.provideService(ConfigProvider.ConfigProvider, broken))
  })

  it.live.each([
    "http://acme.example",
    "http://127.0.0.1:9270/v2",
    "http://ada@127.0.0.1:9270",
    "ftp://127.0.0.1",
    "127.0.0.1:9270",
    "http://127.0.0.1:9270/?a=b"
  ])("takes no fake at %s", (fake) =>
    Effect.gen(function* () {
      const world = yield* World.make
      const { code, stderr } = yield* world.run(["token"], { ZAPIER_FAKE: fake })
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^error: --fake, ZAPIER_FAKE: give the address of the fake/)
      ])
    })
  )

  it.live("keeps what a fake gave apart from what is real, whatever database is configured", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      // There is no such Postgres: it would be missed.
      const env = { ZAPIER_DATABASE_URL: "postgres://ada@127.0.0.1:1/none", ZAPIER_DATA_DIRECTORY: world.directory }
      yield* world.login()
      expect((yield* world.run(["token"], env)).code).toBe(0)
      // Without the fake, neither its database nor its key is looked at.
      const real = yield* world.run(["rotate-key", "begin"], { ZAPIER_FAKE: "" })
      expect(real.stderr).toContain("auth.key does not exist")
    })
  )

  it.live("says as much of what it does as it is told to, on stderr", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const quiet = yield* world.run(["scopes"], { LOG_LEVEL: "nonsense" })
      expect(quiet).toMatchObject({ code: 0, stderr: "" })
      const wrong = yield* world.run(["scopes", "--log-level", "loud"])
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--log-level")])
      const { stdout } = yield* world.run(["scopes"], { LOG_LEVEL: "trace" })
      expect(stdout).toBe((yield* world.run(["scopes"])).stdout)
    })
  )
})
