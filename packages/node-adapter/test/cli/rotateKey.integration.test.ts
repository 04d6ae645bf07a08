import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import * as PostgresClient from "../../src/stores/PostgresClient.ts"
import * as CommandLine from "../utils/CommandLine.ts"
import { describeWithPostgres } from "../utils/PostgresSuite.ts"
import * as KeyRotation from "../utils/KeyRotation.ts"
import * as RotateKeySuite from "../utils/RotateKeySuite.ts"

const { keyOf } = KeyRotation

const folder = mkdtempSync(join(tmpdir(), "zapier-rotate-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describeWithPostgres("Postgres", (server) => {
  // Virtual time may pass faster than a connection is made, and a busy machine takes its time for a statement.
  const patient = { connectTimeout: "1 day", statementTimeout: "1 hour" } as const
  const clientOf = (url: string) => PostgresClient.layer({ url: Redacted.make(url), ...patient })

  const worldOf = async (): Promise<RotateKeySuite.World> => {
    const name = `rotate_${randomBytes(6).toString("hex")}`
    const make = SqlClient.use((sql) => sql.unsafe(`CREATE DATABASE ${name}`))
    await Effect.runPromise(Effect.provide(make, clientOf(server().url)))
    const url = new URL(server().url)
    url.pathname = `/${name}`
    const keyFile = join(folder, `${name}.key`)
    writeFileSync(keyFile, `${keyOf(1)}\n`, { mode: 0o600 })
    return {
      database: clientOf(url.href),
      keyFile,
      flags: ["--key-file", keyFile],
      env: { ZAPIER_DATABASE_URL: url.href }
    }
  }

  RotateKeySuite.describeRotateKey("Postgres, with a key file", worldOf)

  it.live(
    "reencrypt that is told to end, as a process, ends at once with 130, says what to do, and can be run again",
    () =>
      Effect.gen(function* () {
        const { database, env, flags } = yield* Effect.promise(worldOf)
        const subjects = Array.from({ length: 150 }, (_, index) => `ada-${String(index).padStart(3, "0")}`)
        yield* KeyRotation.write(database, [keyOf(2)], subjects)
        const keyFile = flags[1] ?? ""
        writeFileSync(keyFile, `${keyOf(1)}\n${keyOf(2)}\n`, { mode: 0o600 })
        const args = ["rotate-key", "reencrypt", "--json", ...flags]
        const ended = yield* Effect.gen(function* () {
          const sql = yield* SqlClient
          // The command waits for this row until it is told to end.
          yield* sql`SELECT 1 FROM zapier_grants WHERE subject = 'ada-042' FOR UPDATE`
          const running = CommandLine.start(args, env)
          yield* running.said("stderr", "100 of 150")
          running.child.kill("SIGTERM")
          return yield* running.ended
        }).pipe((waiting) => SqlClient.use((sql) => sql.withTransaction(waiting)), Effect.provide(database))
        expect(ended).toEqual({
          code: 130,
          stdout: "",
          stderr: '100 of 150 connections of "client-1" done Interrupted. Nothing is lost. Run it again to continue.\n'
        })
        expect(yield* KeyRotation.readable(database, [keyOf(1), keyOf(2)], subjects)).toEqual(subjects)
        expect(JSON.parse((yield* CommandLine.run(args, env)).stdout)).toMatchObject({ examined: 150, failed: 0 })
        expect(yield* KeyRotation.readable(database, [keyOf(1)], subjects)).toEqual(subjects)
      })
  )

  it.effect("a server that is not there is an error in one line, without its password", () =>
    Effect.gen(function* () {
      const keyFile = join(folder, "nowhere.key")
      writeFileSync(keyFile, `${keyOf(1)}\n`, { mode: 0o600 })
      const env = { ZAPIER_DATABASE_URL: "postgres://app:pl4nted@127.0.0.1:1/app", ZAPIER_KEY_FILE: keyFile }
      const { code, stderr, stdout } = yield* CommandLine.run(["rotate-key", "reencrypt"], env)
      expect([code, stdout]).toEqual([1, ""])
      expect(stderr).toMatch(
        /^error: The database could not .*\(ECONNREFUSED\).* Run:\n {2}zapier-workflow-auth doctor\n$/
      )
      expect(stderr).not.toContain("pl4nted")
    })
  )
})
