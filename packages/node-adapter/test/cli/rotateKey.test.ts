import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { afterAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqliteClient from "../../src/stores/SqliteClient.ts"
import * as CommandLine from "../utils/CommandLine.ts"
import * as KeyRotation from "../utils/KeyRotation.ts"
import * as RotateKeySuite from "../utils/RotateKeySuite.ts"

const { keyOf } = KeyRotation

const folder = mkdtempSync(join(tmpdir(), "zapier-rotate-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0

const directoryOf = (keys: ReadonlyArray<string> = []) => {
  const directory = join(folder, String(++count))
  mkdirSync(directory, { mode: 0o700 })
  if (keys.length > 0)
    writeFileSync(join(directory, "auth.key"), keys.map((key) => `${key}\n`).join(""), { mode: 0o600 })
  return directory
}

const databaseIn = (directory: string) => SqliteClient.layerDefault({ directory })

RotateKeySuite.describeRotateKey("SQLite, with the key beside it", async () => {
  const directory = directoryOf([keyOf(1)])
  return {
    database: databaseIn(directory),
    keyFile: join(directory, "auth.key"),
    flags: ["--data-directory", directory],
    env: {}
  }
})

const rotate = (directory: string, stage: string, ...more: ReadonlyArray<string>) =>
  CommandLine.run(["rotate-key", stage, "--data-directory", directory, ...more])

describe("rotate-key", () => {
  it.effect("says the same when a stage is run again, and refuses one that comes too early", () =>
    Effect.gen(function* () {
      const directory = directoryOf([keyOf(1)])
      yield* KeyRotation.write(databaseIn(directory), [keyOf(1)], ["ada"])
      const text = () => readFileSync(join(directory, "auth.key"), "utf8")
      const twice = Effect.fnUntraced(function* (stage: string) {
        const first = yield* rotate(directory, stage)
        expect(first).toMatchObject({ code: 0, stderr: "" })
        const after = text()
        expect(yield* rotate(directory, stage)).toEqual(first)
        expect(text()).toBe(after)
      })
      const refused = Effect.fnUntraced(function* (stage: string, run: string) {
        const before = text()
        const { code, stderr } = yield* rotate(directory, stage)
        expect([code, stderr]).toEqual([
          1,
          expect.stringMatching(
            new RegExp(`^error: .* Run:\\n  zapier-workflow-auth rotate-key ${run} --data-directory /`)
          )
        ])
        expect(text()).toBe(before)
      })
      yield* refused("switch", "begin")
      yield* twice("begin")
      yield* refused("reencrypt", "switch")
      yield* refused("finish", "switch")
      yield* twice("switch")
      yield* refused("begin", "finish")
      yield* rotate(directory, "reencrypt")
      yield* rotate(directory, "finish")
      yield* twice("finish")
    })
  )

  it.effect("makes no database and no key where there is none", () =>
    Effect.gen(function* () {
      const nowhere = join(folder, "nowhere")
      const empty = directoryOf()
      const keyless = directoryOf()
      yield* KeyRotation.write(databaseIn(keyless), [keyOf(1)], ["ada"])
      const before = readdirSync(keyless)
      for (const directory of [nowhere, empty, keyless]) {
        for (const stage of ["begin", "switch", "reencrypt", "finish"]) {
          const { code, stderr } = yield* rotate(directory, stage)
          expect([code, stderr]).toEqual([
            1,
            expect.stringMatching(/^error: there is no encryption key yet: .* does not exist\./)
          ])
        }
      }
      const { code, stderr } = yield* rotate(directoryOf([keyOf(1)]), "reencrypt")
      expect([code, stderr]).toEqual([1, expect.stringContaining("auth.sqlite: it does not exist")])
      expect(readdirSync(folder)).not.toContain("nowhere")
      expect([readdirSync(empty), readdirSync(keyless)]).toEqual([[], before])
    })
  )

  it.effect("goes on where it was after the database failed in the middle", () =>
    Effect.gen(function* () {
      const directory = directoryOf([keyOf(2), keyOf(1)])
      const database = databaseIn(directory)
      const subjects = Array.from({ length: 250 }, (_, index) => `ada-${String(index).padStart(3, "0")}`)
      yield* KeyRotation.write(database, [keyOf(1)], subjects)
      const sql = (statement: string) =>
        SqlClient.use((client) => client.unsafe(statement)).pipe(Effect.provide(database))
      yield* sql(`CREATE TRIGGER broken BEFORE UPDATE ON zapier_grants WHEN OLD.subject = 'ada-137'
        BEGIN SELECT RAISE(ABORT, 'disk is full of tokens'); END`)
      const failed = yield* rotate(directory, "reencrypt")
      expect(failed).toMatchObject({ code: 1, stdout: "" })
      expect(failed.stderr).toBe(
        `100 of 250 connections of "client-1" done error: The grant store could not write a record: a constraint of the database was violated (SQLITE_CONSTRAINT). Check the store, then try again. Run:\n  zapier-workflow-auth doctor --data-directory ${directory}\n`
      )
      // All are there, by one key or the other.
      expect(yield* KeyRotation.readable(database, [keyOf(2), keyOf(1)], subjects)).toEqual(subjects)
      yield* sql("DROP TRIGGER broken")
      expect((yield* rotate(directory, "reencrypt")).stdout).toContain(
        "250 connections: 113 encrypted, 137 already done, 0 failed."
      )
      expect(yield* KeyRotation.readable(database, [keyOf(2)], subjects)).toEqual(subjects)
    })
  )

  it.effect("can be interrupted while it waits for another process that writes, and goes on where it was", () =>
    Effect.gen(function* () {
      const directory = directoryOf([keyOf(2), keyOf(1)])
      const database = databaseIn(directory)
      const subjects = Array.from({ length: 150 }, (_, index) => `ada-${String(index).padStart(3, "0")}`)
      yield* KeyRotation.write(database, [keyOf(1)], subjects)
      const recorder = CommandLine.recorder()
      const args = ["rotate-key", "reencrypt", "--data-directory", directory]
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient
        const fiber = yield* Effect.forkChild(CommandLine.run(args, {}, recorder))
        while (!recorder.lines.stderr.includes("100 of 150")) yield* Effect.promise(() => setImmediate())
        yield* sql.withTransaction(
          Effect.andThen(
            Effect.promise(() => setImmediate()),
            Fiber.interrupt(fiber)
          )
        )
        expect((yield* Fiber.await(fiber))._tag).toBe("Failure")
      }).pipe(Effect.provide(database))
      expect(recorder.lines.stderr).toContain("Interrupted. Nothing is lost. Run it again")
      expect(yield* KeyRotation.readable(database, [keyOf(2), keyOf(1)], subjects)).toEqual(subjects)
      expect((yield* rotate(directory, "reencrypt")).code).toBe(0)
      expect(yield* KeyRotation.readable(database, [keyOf(2)], subjects)).toEqual(subjects)
    })
  )

  it.effect("makes the key when encryption is turned on, and leaves no plain token in any file", () =>
    Effect.gen(function* () {
      const directory = directoryOf()
      const database = databaseIn(directory)
      const subjects = Array.from({ length: 30 }, (_, index) => `ada-${index}`)
      yield* KeyRotation.writePlain(database, subjects)
      const bytes = () =>
        readdirSync(directory)
          .map((name) => readFileSync(join(directory, name), "latin1"))
          .join("")
      expect(bytes()).toContain("refresh-of-ada-")
      expect(yield* rotate(directory, "reencrypt", "--include-plain")).toMatchObject({ code: 0, stderr: "" })
      expect(bytes()).not.toContain("-of-ada-")
      const keys = KeyRotation.keysIn(join(directory, "auth.key"))
      expect(yield* KeyRotation.readable(database, keys, subjects)).toEqual(subjects)
    })
  )

  it.effect("refuses variables that contradict each other, and takes a flag before any", () =>
    Effect.gen(function* () {
      const directory = directoryOf([keyOf(1)])
      const keyFile = join(directory, "auth.key")
      const problem = (env: CommandLine.Environment, ...flags: ReadonlyArray<string>) =>
        Effect.map(CommandLine.run(["rotate-key", "begin", ...flags], env), ({ code, stderr }) => [code, stderr])
      expect(yield* problem({ ZAPIER_DATABASE_URL: "postgres://x", ZAPIER_DATA_DIRECTORY: directory })).toEqual([
        1,
        "error: ZAPIER_DATABASE_URL, ZAPIER_DATA_DIRECTORY: set one of them, not both.\n"
      ])
      expect(yield* problem({ ZAPIER_KEY_FILE: keyFile, ZAPIER_ENCRYPTION_KEYS: keyOf(1) })).toEqual([
        1,
        "error: ZAPIER_ENCRYPTION_KEYS, ZAPIER_KEY_FILE: set one of them, not both.\n"
      ])
      expect(yield* problem({ ZAPIER_DATABASE_URL: "postgres://x" })).toEqual([
        1,
        expect.stringContaining("set ZAPIER_ENCRYPTION_KEYS, or give --key-file")
      ])
      expect(KeyRotation.keysIn(keyFile)).toEqual([keyOf(1)])
      const contradicted = { ZAPIER_KEY_FILE: "/none", ZAPIER_ENCRYPTION_KEYS: keyOf(3) }
      expect(yield* problem(contradicted, "--key-file", keyFile)).toEqual([0, ""])
      expect(KeyRotation.keysIn(keyFile).length).toBe(2)
      expect(yield* problem({ ZAPIER_DATA_DIRECTORY: directory })).toEqual([0, ""])
      expect(yield* problem({ ZAPIER_DATABASE_URL: "postgres://x" }, "--data-directory", directory)).toEqual([0, ""])
      expect(yield* problem({ ZAPIER_DATABASE_URL: "postgres://x", ZAPIER_KEY_FILE: keyFile })).toEqual([0, ""])
    })
  )

  it.effect.each([1, 2])("keeps all older keys while something needs the one that is number %i", (needed) =>
    Effect.gen(function* () {
      const keys = [keyOf(3), keyOf(2), keyOf(1)]
      const directory = directoryOf(keys)
      yield* KeyRotation.write(databaseIn(directory), [keyOf(needed)], ["ada"])
      for (const env of [{}, { ZAPIER_ENCRYPTION_KEYS: keys.join(",") }]) {
        const { code, stderr } = yield* CommandLine.run(["rotate-key", "finish", "--data-directory", directory], env)
        expect([code, stderr]).toEqual([1, expect.stringContaining('connections still need an older key: "ada"')])
      }
      expect(KeyRotation.keysIn(join(directory, "auth.key"))).toEqual(keys)
    })
  )

  it.effect("replaces the key of the fake where one is configured, and never one that is real", () =>
    Effect.gen(function* () {
      const directory = directoryOf([keyOf(2), keyOf(1)])
      const realFile = join(directory, "auth.key")
      const fakeFile = join(directory, "fake.key")
      yield* KeyRotation.write(databaseIn(directory), [keyOf(1)], ["ada"])
      writeFileSync(fakeFile, `${keyOf(3)}\n`, { mode: 0o600 })
      yield* KeyRotation.write(SqliteClient.layerDefault({ directory, name: "fake.sqlite" }), [keyOf(3)], ["ada"])
      const fake = "http://127.0.0.1:9270"
      const run = (stage: string, env: CommandLine.Environment, ...flags: ReadonlyArray<string>) =>
        CommandLine.run(["rotate-key", stage, ...flags], { ZAPIER_DATA_DIRECTORY: directory, ...env })
      const configured = [{}, { ZAPIER_KEY_FILE: realFile }, { ZAPIER_ENCRYPTION_KEYS: `${keyOf(2)},${keyOf(1)}` }]
      for (const env of configured) {
        for (const stage of ["begin", "switch", "reencrypt", "finish"]) {
          expect(yield* run(stage, { ...env, ZAPIER_FAKE: fake })).toMatchObject({ code: 0, stderr: "" })
          expect(KeyRotation.keysIn(realFile)).toEqual([keyOf(2), keyOf(1)])
        }
        expect(KeyRotation.keysIn(fakeFile)).toHaveLength(1)
      }
      expect(KeyRotation.keysIn(fakeFile)).not.toContain(keyOf(3))
      // What is to be run next is about the fake, too.
      expect((yield* run("begin", {}, "--fake", fake)).stdout).toContain(`rotate-key switch --fake ${fake}\n`)
      for (const stage of ["begin", "switch", "reencrypt", "finish"]) {
        const { code, stderr } = yield* run(stage, { ZAPIER_FAKE: fake }, "--key-file", realFile)
        expect([code, stderr]).toEqual([
          1,
          expect.stringContaining("--key-file: a fake has its own key, beside its database")
        ])
      }
      expect(KeyRotation.keysIn(realFile)).toEqual([keyOf(2), keyOf(1)])
      expect(yield* KeyRotation.readable(databaseIn(directory), [keyOf(1)], ["ada"])).toEqual(["ada"])
    })
  )

  it.effect("refuses a key file that is not one, without showing what is in it", () =>
    Effect.gen(function* () {
      for (const text of ["pl4nted", `${keyOf(1)}\npl4nted`, "", `${keyOf(1)}\n${keyOf(1)}`]) {
        const directory = directoryOf()
        yield* KeyRotation.write(databaseIn(directory), [keyOf(1)], ["ada"])
        writeFileSync(join(directory, "auth.key"), text, { mode: 0o600 })
        for (const stage of ["begin", "switch", "reencrypt", "finish"]) {
          const { code, stderr, stdout } = yield* rotate(directory, stage)
          expect([code, stdout]).toEqual([1, ""])
          expect(stderr).toMatch(/^error: encryption key file .*\n$/)
          expect(stderr).not.toContain("pl4nted")
        }
        expect(readFileSync(join(directory, "auth.key"), "utf8")).toBe(text)
      }
    })
  )
})
