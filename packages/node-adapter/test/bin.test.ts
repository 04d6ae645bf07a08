import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { afterAll, describe, expect, it } from "@effect/vitest"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import { SqlClient } from "effect/sql/SqlClient"
import * as EncryptionKey from "../src/EncryptionKey.ts"
import * as SqliteClient from "../src/stores/SqliteClient.ts"
import * as CommandLine from "./utils/CommandLine.ts"
import * as World from "./utils/CommandLineWorld.ts"
import * as KeyRotation from "./utils/KeyRotation.ts"

const { keyOf } = KeyRotation

const folder = mkdtempSync(join(tmpdir(), "zapier-bin-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const subjects = Array.from({ length: 250 }, (_, index) => `ada-${String(index).padStart(3, "0")}`)

/** A database with grants by an older key, and the key file beside it. */
const directoryOf = Effect.fnUntraced(function* (name: string) {
  const directory = join(folder, name)
  mkdirSync(directory, { mode: 0o700 })
  writeFileSync(join(directory, "auth.key"), `${keyOf(2)}\n${keyOf(1)}\n`, { mode: 0o600 })
  const database = SqliteClient.layerDefault({ directory })
  yield* KeyRotation.write(database, [keyOf(1)], subjects)
  return { directory, database }
})

const args = (directory: string) => ["rotate-key", "reencrypt", "--data-directory", directory, "--json"]

describe("zapier-workflow-auth, as a process", () => {
  it.live("exits with 2 and no stack when it is not understood, and with 1 when it cannot do it", () =>
    Effect.gen(function* () {
      // As it is written, where all others are as it is published.
      const wrong = yield* CommandLine.start(["rotate-key", "reencrypt", "--all"], {}, undefined, CommandLine.source)
        .ended
      expect(wrong).toMatchObject({ code: 2, stdout: "" })
      expect(wrong.stderr).toMatch(/^error: .*--all.* Run:\n {2}zapier-workflow-auth help rotate-key reencrypt\n$/)
      const failed = yield* CommandLine.start(args(join(folder, "nowhere")).filter((arg) => arg !== "--json")).ended
      expect(failed).toMatchObject({ code: 1, stdout: "" })
      expect(failed.stderr).toMatch(/^error: [^\n]* Run:\n {2}zapier-workflow-auth login --data-directory [^\n]*\n$/)
    })
  )

  it.live("that is killed in the middle of encrypting anew loses nothing, and goes on where it was", () =>
    Effect.gen(function* () {
      const { database, directory } = yield* directoryOf("killed")
      const running = yield* Effect.gen(function* () {
        const sql = yield* SqlClient
        // It is held in the very statement that writes the 138th grant, for longer than anybody waits.
        yield* sql.unsafe(`CREATE TRIGGER held BEFORE UPDATE ON zapier_grants WHEN OLD.subject = 'ada-137' BEGIN
          SELECT count(*) FROM (
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) SELECT i FROM n
          );
        END`)
        const started = CommandLine.start(args(directory))
        const current = yield* Effect.provide(KeyRing.idOf(keyOf(2)), EncryptionKey.crypto)
        const before = sql`SELECT 1 FROM zapier_grants
          WHERE subject = 'ada-136' AND record LIKE ${`%zwa1.${Option.getOrThrow(current)}.%`}`
        while ((yield* before).length === 0) yield* Effect.sleep(5)
        return started
      }).pipe(Effect.provide(database))
      running.child.kill("SIGKILL")
      expect((yield* running.ended).code).toBe(null)
      expect(yield* KeyRotation.readable(database, [keyOf(2), keyOf(1)], subjects)).toEqual(subjects)
      yield* SqlClient.use((sql) => sql`DROP TRIGGER held`).pipe(Effect.provide(database))
      const again = yield* CommandLine.start(args(directory)).ended
      expect(again.code).toBe(0)
      expect(JSON.parse(again.stdout)).toEqual({
        examined: 250,
        rewritten: 113,
        alreadyCurrent: 137,
        failed: 0,
        failures: []
      })
      expect(yield* KeyRotation.readable(database, [keyOf(2)], subjects)).toEqual(subjects)
    })
  )

  it.live("serves the fake until it is told to end", () =>
    Effect.gen(function* () {
      const running = CommandLine.start(["fake", "--port", "0"])
      const said = yield* running.said("stdout", "ZapierNode.layer")
      const origin = /API +(\S+)/.exec(said)?.[1] ?? ""
      const clientId = /ZAPIER_CLIENT_ID=(\S+)/.exec(said)?.[1] ?? ""
      const answer = yield* Effect.provide(
        HttpClient.get(`${origin}/v1/apps?client_id=${clientId}`),
        NodeHttpClient.layerUndici
      )
      expect(answer.status).toBe(200)
      // The connection is kept alive, and keeps nobody waiting.
      running.child.kill("SIGINT")
      expect(yield* running.ended).toMatchObject({ code: 130, stderr: "" })
    })
  )
})

describe("zapier-workflow-auth, as it is published", () => {
  it.live("knows its version, serves the fake, and reaches both databases", () =>
    Effect.gen(function* () {
      const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
      const said = yield* CommandLine.start(["--version"]).ended
      expect(said).toEqual({ code: 0, stdout: `zapier-workflow-auth v${version}\n`, stderr: "" })
      const serving = CommandLine.start(["fake", "--port", "0"])
      yield* serving.said("stdout", "ZapierNode.layer")
      serving.child.kill("SIGINT")
      expect(yield* serving.ended).toMatchObject({ code: 130, stderr: "" })
      const { directory } = yield* directoryOf("published")
      const embedded = yield* CommandLine.start(["status", "--data-directory", directory]).ended
      expect([embedded.code, embedded.stdout]).toEqual([0, expect.stringContaining("ada-000")])
      const env = { ZAPIER_DATABASE_URL: "postgres://ada@127.0.0.1:1/none" }
      const postgres = yield* CommandLine.start(["status"], env).ended
      expect(postgres.code).toBe(1)
      expect(postgres.stderr).toMatch(/^error: /)
      expect(postgres.stderr).not.toContain("this is a bug")
    })
  )

  it.live("does all that it can against a fake", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const { ZAPIER_FAKE: fake = "", ...env } = world.env
      const start = (...args: ReadonlyArray<string>) => CommandLine.start([...args, "--fake", fake], env)
      const login = start("login", "--no-browser", "--subject", "ada")
      const url = World.consentUrl(yield* login.said("stderr", "authorize?"))
      yield* World.visit(yield* world.fake.approve(url))
      expect((yield* login.ended).code).toBe(0)
      const token = yield* start("token", "--subject", "ada").ended
      const appToken = yield* start("app-token", "--scope", "promotions:write").ended
      const issued = (yield* world.fake.issued).map(({ accessToken }) => `${accessToken}\n`)
      expect([token.stdout, appToken.stdout]).toEqual(issued)
      for (const [args, said] of [
        [["request", "GET", "/v2/zaps", "--subject", "ada"], '"data"'],
        [["status"], "ada      active"],
        [["doctor"], "ok      client secret"],
        [["logout", "--subject", "ada"], 'Disconnected "ada".']
      ] as const) {
        expect(yield* start(...args).ended).toEqual({ code: 0, stdout: expect.stringContaining(said), stderr: "" })
      }
      const scopes = yield* CommandLine.start(["scopes", "GET /v2/zaps"]).ended
      expect(scopes).toEqual({ code: 0, stdout: "zap\n", stderr: "" })
    })
  )

  it("says whose work is in it, and on which terms", () => {
    const licenses = readFileSync(join(dirname(CommandLine.published()), "LICENSES.txt"), "utf8")
    for (const name of ["effect", "@effect/platform-node", "@effect/sql-pg", "@dagrejs/dagre", "@noble/hashes", "open"])
      expect(licenses).toMatch(new RegExp(`^${name} .*MIT`, "m"))
  })
})
