/** Runs every command, at the most talkative level, and looks for each secret in all that was said and written. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as FakeFault from "@zapier-workflow-auth/testing/fake/FakeFault"
import * as Effect from "effect/Effect"
import type * as CommandLine from "../utils/CommandLine.ts"
import * as World from "../utils/CommandLineWorld.ts"

const talkative = { LOG_LEVEL: "trace" }

/** What an authorization URL or a callback holds that must not show. */
const partsOf = (url: string) => {
  const { searchParams } = new URL(url)
  return [searchParams.get("code"), searchParams.get("state")].flatMap((part) => (part === null ? [] : [part]))
}

const filesIn = (directory: string) =>
  readdirSync(directory).map((name) => ({ name, text: readFileSync(join(directory, name), "latin1") }))

describe("secrets", () => {
  it.live("are in nothing that a command says or stores, whatever goes wrong, but where they are asked for", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const secrets = new Set([world.env["ZAPIER_CLIENT_SECRET"] ?? ""])
      const said: Array<string> = []
      const note = ({ stderr, stdout }: CommandLine.Ended) => void said.push(stdout, stderr)
      const run = (args: ReadonlyArray<string>, more: CommandLine.Environment = {}, input?: string) =>
        Effect.tap(world.run([...args, "--log-level", "trace"], { ...talkative, ...more }, input), (ended) =>
          Effect.sync(() => note(ended))
        )

      // The address of the consent page is for the user, and holds state. All else that login says is looked through.
      const login = Effect.gen(function* () {
        const { ended, url } = yield* world.beginLogin(["--log-level", "trace"])
        const callback = yield* world.fake.approve(url)
        for (const part of [...partsOf(url), ...partsOf(callback)]) secrets.add(part)
        said.push(yield* World.visit(callback), yield* World.visit(callback).pipe(Effect.orElseSucceed(() => "")))
        const { stderr, stdout } = yield* ended
        expect(stdout).toContain("Connected")
        note({ code: 0, stdout, stderr: stderr.replace(url, "") })
      })

      yield* login
      for (const code of ["c0de of somebody", "c0de+of%20another"]) {
        const pasted = `https://acme.example/callback?code=${encodeURIComponent(code)}&state=${encodeURIComponent(code)}\n`
        secrets.add(code)
        const { stderr, stdout } = yield* world.run(
          ["login", "--redirect-uri", "https://acme.example/callback", "--log-level", "trace"],
          talkative,
          pasted
        )
        for (const part of partsOf(World.consentUrl(stderr))) secrets.add(part)
        note({ code: 1, stdout, stderr: stderr.replace(World.consentUrl(stderr), "") })
      }

      const everything = Effect.gen(function* () {
        for (const args of [
          ["status"],
          ["status", "--json"],
          ["request", "GET", "/v2/zaps"],
          ["request", "GET", "/v2/zap-runs"],
          ["request", "DELETE", "/v2/promotions/12"],
          ["request", "GET", "/v1/apps"],
          ["scopes", "GET /v2/zaps"],
          ["doctor"],
          ["doctor", "--json"],
          ["rotate-key", "begin"]
        ]) {
          yield* run(args)
        }
        // What they print on stdout is what they are for.
        for (const args of [["token"], ["app-token", "--scope", "promotions:write"]]) {
          const { stderr } = yield* world.run([...args, "--log-level", "trace"], talkative)
          said.push(stderr)
        }
      })

      yield* everything
      for (const fault of FakeFault.ofEachKind) {
        // Who hears nothing waits for as long as it may.
        if (fault._tag === "RequestSilent" || fault._tag === "ResponseSilent" || fault._tag === "ResponseSlow") continue
        yield* world.expireAccessTokens
        yield* world.fake.setFaults([{ fault, times: 1 }])
        yield* run(["request", "GET", "/v2/zaps"])
        yield* world.fake.setFaults([{ fault, match: { grantType: "client_credentials" }, times: 1 }])
        yield* run(["doctor"])
        yield* world.fake.setFaults([])
        yield* world.fake.advance("5 minutes")
      }
      yield* run(["request", "GET", "/v2/zaps"], { ZAPIER_CLIENT_SECRET: "another-s3cret" })
      yield* run(["doctor"], { ZAPIER_CLIENT_SECRET: "another-s3cret" })
      yield* run(["doctor"], { ZAPIER_CLIENT_SECRET: "another-s3cret", ZAPIER_CLIENT_SECRET_FILE: "/nowhere" })
      yield* run(["request", "GET", "/v2/zaps"], { ZAPIER_FAKE: "http://ada:pass-of-ada@127.0.0.1:1" })
      yield* run(["status", "--fake", "postgres://ada:pass-of-ada@127.0.0.1:1"])
      secrets.add("another-s3cret").add("pass-of-ada")
      yield* world.fake.revoke({ clientId: "acme" })
      yield* run(["request", "GET", "/v2/zaps"])
      yield* run(["logout"])

      for (const { accessToken, refreshToken } of yield* world.fake.issued) {
        secrets.add(accessToken)
        if (refreshToken !== undefined) secrets.add(refreshToken)
      }
      expect(secrets.size).toBeGreaterThan(10)
      const all = said.join("\n")
      expect(all.length).toBeGreaterThan(10_000)
      const files = filesIn(world.directory)
      expect(files.map(({ name }) => name)).toContain("fake.sqlite")
      for (const secret of secrets) {
        expect(all.includes(secret), "a secret was said").toBe(false)
        expect(
          files.filter(({ text }) => text.includes(secret)).map(({ name }) => name),
          "a secret was written"
        ).toEqual([])
      }
    })
  )

  it.live("are in no argument that a command takes", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const flagsOf = (args: ReadonlyArray<string>) =>
        Effect.map(world.run([...args, "--help"]), ({ stdout }) =>
          [...stdout.matchAll(/^ {2}(?:-[a-z], | {4})--([a-z-]+)/gm)].map(([, flag = ""]) => flag)
        )
      const { stdout } = yield* world.run(["--help"])
      const listed = stdout.slice(stdout.indexOf("COMMANDS"), stdout.indexOf("GLOBAL FLAGS"))
      const commands = [...listed.matchAll(/^ {2}([a-z-]+) /gm)]
      expect(commands.length).toBe(12)
      const taken = new Set<string>()
      for (const [, command = ""] of commands) for (const flag of yield* flagsOf([command])) taken.add(flag)
      const named = [...taken].filter((flag) =>
        /secret|token|password|key|code|verifier|credential|database/.test(flag)
      )
      // The names of files.
      expect(named.toSorted()).toEqual(["client-secret-file", "key-file"])
    })
  )

  it.live("are neither in the arguments nor in the environment that the browser is started with", () =>
    Effect.gen(function* () {
      if (process.platform !== "linux") return expect(process.platform, "only Linux is started like this").not.toBe("")
      const world = yield* World.make
      const started = join(world.directory, "started")
      const browser = join(world.directory, "browser")
      writeFileSync(
        browser,
        `#!/bin/sh\n{ echo "$@"; env; } > '${started}.new' && mv '${started}.new' '${started}'\n`,
        {
          mode: 0o700
        }
      )
      const wanted = {
        // What starts browsers is looked for there. @effect-diagnostics-next-line processEnvInEffect:off
        PATH: process.env["PATH"] ?? "",
        BROWSER: browser,
        HOME: world.directory,
        LANG: "C.UTF-8",
        DISPLAY: ":7",
        XDG_RUNTIME_DIR: world.directory,
        WAYLAND_DISPLAY: "wayland-7",
        DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere"
      }
      const unwanted = {
        PGPASSWORD: "pg-s3cret",
        NODE_OPTIONS: "--no-deprecation",
        AWS_SECRET_ACCESS_KEY: "aws-s3cret"
      }
      const running = world.start(["login"], { ...talkative, ...wanted, ...unwanted })
      const consent = World.consentUrl(yield* running.said("stderr", "authorize?"))
      while (!readdirSync(world.directory).includes("started")) yield* Effect.sleep(5)
      const [start = "", ...environment] = readFileSync(started, "utf8").trim().split("\n")
      expect(start).toMatch(new RegExp(`^${new URL(world.redirectUri).origin}/start/[0-9a-f-]{36}$`))
      expect(environment).toEqual(
        expect.arrayContaining(Object.entries(wanted).map(([name, value]) => `${name}=${value}`))
      )
      expect(environment.join("\n")).not.toMatch(/s3cret|ZAPIER_|NODE_OPTIONS|LOG_LEVEL/)
      // It leads to the consent page.
      // As a browser asks, but for where it leads. @effect-diagnostics-next-line globalFetchInEffect:off
      const answer = yield* Effect.promise(() => fetch(start, { redirect: "manual" }))
      expect([answer.status, answer.headers.get("location")]).toEqual([302, consent])
      expect([answer.headers.get("cache-control"), answer.headers.get("referrer-policy")]).toEqual([
        "no-store",
        "no-referrer"
      ])
      running.child.kill("SIGINT")
      expect((yield* running.ended).code).toBe(130)
    })
  )
})
