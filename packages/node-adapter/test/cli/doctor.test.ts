import { chmodSync, rmSync, writeFileSync } from "node:fs"
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from "node:http"
import { createServer, type AddressInfo } from "node:net"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type * as CommandLine from "../utils/CommandLine.ts"
import * as World from "../utils/CommandLineWorld.ts"

interface Finding {
  readonly check: string
  readonly result: "ok" | "note" | "failed"
  readonly says: string
}

type Made = Effect.Success<typeof World.make>

const doctor = Effect.fnUntraced(function* (world: Made, env: CommandLine.Environment = {}, ...args: Array<string>) {
  const { code, stderr, stdout } = yield* world.run(["doctor", "--json", ...args], env)
  const findings = stdout
    .trimEnd()
    .split("\n")
    .map((line): Finding => JSON.parse(line))
  return {
    code,
    stderr,
    findings,
    of: (check: string) => findings.filter((finding) => finding.check.startsWith(check))
  }
})

const closing = (server: { readonly close: () => unknown }) => Effect.sync(() => server.close())

const listening = (answer: RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createHttpServer>>((resume) => {
      const server = createHttpServer(answer)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.andThen(
        Effect.sync(() => server.closeAllConnections()),
        closing(server)
      )
  )

/** The body of the response of Zapier's API to a call without a credential. */
const unauthorized = '{"errors":[{"status":"401","code":"not_authenticated"}]}'

/** A server that says that it is this time, in milliseconds. */
const serverAt = (time: number) =>
  listening((_, response) => {
    // As a server has it. @effect-diagnostics-next-line globalDate:off
    response.writeHead(401, { date: new Date(time).toUTCString() }).end(unauthorized)
  })

describe("doctor", () => {
  it.live("says that all is well, where it is", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      const { code, findings, stderr } = yield* doctor(world)
      expect([code, stderr]).toEqual([0, ""])
      expect(findings.every(({ result }) => result === "ok")).toBe(true)
      expect(findings.map(({ check }) => check)).toEqual([
        "configuration",
        "client application",
        "redirect URI",
        "database",
        "encryption keys",
        'connections of "acme"',
        "server",
        "clock",
        "client id",
        "client secret",
        "redirect URI at Zapier"
      ])
      const { stdout } = yield* world.run(["doctor"])
      expect(stdout.split("\n")[1]).toBe('ok      client application: client id "acme" and a secret')
    })
  )

  it.live("makes no tables, and neither does status", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const file = new DatabaseSync(join(world.directory, "fake.sqlite"))
      chmodSync(join(world.directory, "fake.sqlite"), 0o600)
      expect((yield* doctor(world, {}, "--offline")).of("database")).toEqual([
        {
          check: "database",
          result: "note",
          says: "it has no tables yet. The first login creates them, or the app when it starts"
        }
      ])
      expect((yield* world.run(["status"])).code).toBe(0)
      expect(file.prepare("SELECT name FROM sqlite_schema").all()).toEqual([])
      file.close()
    })
  )

  it.live("asks nobody when it is told not to", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const { code, findings } = yield* doctor(world, {}, "--offline")
      expect(code).toBe(0)
      expect(findings.at(-1)).toMatchObject({ check: "database", result: "note" })
      expect(yield* world.fake.requests).toEqual([])
    })
  )

  it.live.each<readonly [string, CommandLine.Environment, string, string]>([
    ["the client id is missing", { ZAPIER_CLIENT_ID: "" }, "client application", "Set ZAPIER_CLIENT_ID"],
    ["the secret is missing", { ZAPIER_CLIENT_SECRET: "" }, "client application", "Set ZAPIER_CLIENT_SECRET"],
    ["the secret is another", { ZAPIER_CLIENT_SECRET: "another" }, "client secret", "Compare it with the Developer"],
    ["the client id is another", { ZAPIER_CLIENT_ID: "another" }, "client id", "Zapier does not know"],
    [
      "a redirect URI is not usable",
      { ZAPIER_REDIRECT_URIS: "http://acme.example/callback" },
      "redirect URI",
      "https unless it is on this machine"
    ],
    [
      "a redirect URI is not registered",
      { ZAPIER_REDIRECT_URIS: "https://acme.example/other" },
      "redirect URI at Zapier",
      "Register it in the Developer Platform"
    ],
    ["nobody answers", { ZAPIER_FAKE: "http://127.0.0.1:1" }, "server", "cannot be reached (ECONNREFUSED)"]
  ])("says what to do when %s", ([, env, check, says]) =>
    Effect.gen(function* () {
      const world = yield* World.make
      const { code, findings, stderr } = yield* doctor(world, env)
      expect(code).toBe(1)
      expect(JSON.parse(stderr)).toEqual({
        _tag: "ChecksFailed",
        message: expect.stringMatching(/^(1 check|\d+ checks) failed\.$/)
      })
      expect(findings).toContainEqual({ check, result: "failed", says: expect.stringContaining(says) })
    })
  )

  it.live("says when others can read the database, a key is missing, or it is another", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      const database = join(world.directory, "fake.sqlite")
      chmodSync(database, 0o644)
      expect((yield* doctor(world)).of("database")).toMatchObject([
        { result: "failed", says: expect.stringContaining("chmod 600") }
      ])
      chmodSync(database, 0o600)
      const key = join(world.directory, "fake.key")
      rmSync(key)
      expect((yield* doctor(world)).of("encryption keys")).toMatchObject([
        { result: "failed", says: expect.stringContaining("does not exist") }
      ])
      writeFileSync(key, Buffer.alloc(32, 7).toString("base64"), { mode: 0o600 })
      const another = yield* doctor(world)
      expect(another.of("connections")).toMatchObject([
        { result: "failed", says: expect.stringContaining("1 of 1 cannot be read") }
      ])
      const file = new DatabaseSync(database)
      file.exec("UPDATE zapier_grants SET record = '{}'")
      file.close()
      expect((yield* doctor(world)).of("connections")).toMatchObject([
        { result: "failed", says: expect.stringContaining("1 of 1 cannot be read: The grant store could not read") }
      ])
    })
  )

  it.live("tells of users who have to connect again, and of a port that is taken", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      yield* world.fake.revoke({ clientId: "acme" })
      yield* world.run(["request", "GET", "/v2/zaps"])
      yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const other = createServer()
          other.listen(Number(new URL(world.redirectUri).port), "127.0.0.1", () => resume(Effect.succeed(other)))
        }),
        closing
      )
      const { code, of } = yield* doctor(world)
      expect(code).toBe(0)
      expect(of("connections")[1]).toMatchObject({
        result: "note",
        says: expect.stringMatching(/^1 user must connect again/)
      })
      expect(of("redirect URI")[0]).toMatchObject({
        result: "note",
        says: expect.stringContaining("another program uses this port")
      })
    })
  )

  it.effect.each([
    [0, "ok", "agrees with the server's"],
    [30_000, "note", "behind the server's"],
    [-30_000, "note", "ahead of the server's"],
    [300_000, "failed", "is 300 s behind the server's. Set it by NTP"],
    // The server leaves out what is less than a second.
    [-301_000, "failed", "is 300 s ahead of the server's. Set it by NTP"]
  ] as const)("looks whether the clocks agree: %d ms is %s", ([millis, result, says]) =>
    Effect.gen(function* () {
      const world = yield* World.make
      const now = 1_800_000_000_000
      yield* TestClock.setTime(now)
      const { port } = (yield* serverAt(now + millis)).address() as AddressInfo
      const { of } = yield* doctor(world, { ZAPIER_FAKE: `http://127.0.0.1:${port}` })
      const [finding] = of("clock")
      expect(finding?.result).toBe(result)
      expect(finding?.says).toContain(says)
    })
  )

  it.live("follows no redirect, and sends the secret nowhere else", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const asked: Array<string> = []
      const server = yield* listening((request, response) => {
        asked.push(request.url?.split("?")[0] ?? "")
        response.writeHead(302, { location: "/elsewhere" }).end()
      })
      const { port } = server.address() as AddressInfo
      const { of } = yield* doctor(world, { ZAPIER_FAKE: `http://127.0.0.1:${port}` })
      expect(of("server")).toMatchObject([{ result: "failed", says: expect.stringContaining("(status 302)") }])
      expect(asked).toEqual(["/v1/apps"])
    })
  )

  it.live.each<readonly [string, RequestListener, string]>([
    [
      "a web page",
      (_, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<h1>Hi</h1>"),
      "failed"
    ],
    ["another API", (_, response) => void response.writeHead(401).end('{"error":"no"}'), "failed"],
    ["an endless page", (_, response) => void response.write("x".repeat(1_000_000)), "failed"],
    ["an overloaded server", (_, response) => void response.writeHead(503).end(unauthorized), "note"]
  ])("sends no credential to %s", ([, respond, result]) =>
    Effect.gen(function* () {
      const world = yield* World.make
      const asked: Array<string> = []
      const server = yield* listening((request, response) => {
        asked.push(JSON.stringify([request.url, request.headers]))
        respond(request, response)
      })
      const { port } = server.address() as AddressInfo
      const { findings, of } = yield* doctor(world, { ZAPIER_FAKE: `http://127.0.0.1:${port}` })
      expect(of("server")).toMatchObject([{ result }])
      expect(findings.at(-1)?.check).toBe("server")
      expect(asked).toHaveLength(1)
      expect(asked.join()).not.toMatch(/acme|s3cret|authorization|client_id/)
    })
  )

  it.live("recognizes the fake, and a server that only responds as Zapier does", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      expect((yield* doctor(world)).of("server")).toMatchObject([
        { result: "ok", says: `${world.origin} is a fake Zapier` }
      ])
      const server = yield* listening((_, response) => void response.writeHead(401).end(unauthorized))
      const { port } = server.address() as AddressInfo
      const { of } = yield* doctor(world, { ZAPIER_FAKE: `http://127.0.0.1:${port}` })
      expect(of("server")).toMatchObject([
        { result: "ok", says: expect.stringContaining("neither Zapier nor the fake") }
      ])
    })
  )

  const isToken = ({ url }: IncomingMessage) => url?.startsWith("/oauth/token/") === true

  it.live.each<readonly [string, string, RegExp]>([
    ["tells what is odd", '{"access_token":"a","scope":["zap"],"expires_in":"s3cret"}', /: expires_in, scope\. Tell/],
    ["tells what cannot be understood", "<html>s3cret", /\(status 200\) is malformed: it is not a JSON object/]
  ])("%s of the response to its token request, and never a value", ([, body, says]) =>
    Effect.gen(function* () {
      const world = yield* World.make
      const server = yield* listening(
        (request, response) =>
          void response.writeHead(isToken(request) ? 200 : 401).end(isToken(request) ? body : unauthorized)
      )
      const { port } = server.address() as AddressInfo
      const { findings } = yield* doctor(world, { ZAPIER_FAKE: `http://127.0.0.1:${port}` })
      expect(findings).toContainEqual({ check: expect.any(String), result: "note", says: expect.stringMatching(says) })
      expect(JSON.stringify(findings)).not.toContain("s3cret")
    })
  )

  it.live("lets go of answers whose bodies have no end", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const closed: Array<Promise<void>> = []
      const server = yield* listening((request, response) => {
        if (isToken(request)) return void response.end("{}")
        if (request.url === "/v1/apps") return void response.writeHead(401).end(unauthorized)
        closed.push(new Promise((resolve) => response.on("close", resolve)))
        if (request.url !== "/") return void response.write("{")
        // The page of the server is read up to a limit.
        response.write("x".repeat(100_000))
      })
      const { port } = server.address() as AddressInfo
      yield* doctor(world, { ZAPIER_FAKE: `http://127.0.0.1:${port}` })
      expect(closed.length).toBe(3)
      yield* Effect.promise(() => Promise.all(closed))
    })
  )
})
