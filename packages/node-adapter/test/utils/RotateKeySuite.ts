/** What holds of `rotate-key` on either database. */
import * as NodeFs from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { keysOf } from "../../src/internal/keyFile.ts"
import * as CommandLine from "./CommandLine.ts"
import * as KeyRotation from "./KeyRotation.ts"

/** A database of its own with a key file that holds `keyOf(1)`, and what a command has to be told to find them. */
export interface World {
  readonly database: Layer.Layer<SqlClient, ZapierAuthError>
  readonly keyFile: string
  readonly flags: ReadonlyArray<string>
  readonly env: CommandLine.Environment
}

const { keyOf, keysIn, readable, stored, write } = KeyRotation

const withoutKeyFile = (flags: ReadonlyArray<string>) => {
  const at = flags.indexOf("--key-file")
  return at === -1 ? flags : [...flags.slice(0, at), ...flags.slice(at + 2)]
}

const rotate = ({ env, flags }: World, stage: string, ...more: ReadonlyArray<string>) =>
  Effect.map(CommandLine.run(["rotate-key", stage, ...flags, ...more], env), (ended) => {
    const said = ended.stdout + ended.stderr
    for (const secret of [keyOf(1), keyOf(2), keyOf(3), keyOf(4), "-of-ada", "the-verifier", "zwa1."])
      expect(said).not.toContain(secret)
    expect(said).not.toContain("    at ")
    return ended
  })

const success = (world: World, stage: string, ...more: ReadonlyArray<string>) =>
  Effect.map(rotate(world, stage, ...more), (ended) => {
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    return ended.stdout
  })

const refusal = (world: World, stage: string, ...more: ReadonlyArray<string>) =>
  Effect.map(rotate(world, stage, ...more), (ended) => {
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/(^| )error: /)
    return ended.stderr
  })

/**
 * Registers the tests.
 *
 * @param worldOf a new one each time
 */
export const describeRotateKey = (name: string, worldOf: () => Promise<World>) => {
  const inWorld = <A, E, R>(use: (world: World) => Effect.Effect<A, E, R>) =>
    Effect.flatMap(Effect.promise(worldOf), use)

  describe(`rotate-key on ${name}`, () => {
    it.effect("replaces a key, and at no moment is there a process that cannot read what another wrote", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const { database, keyFile } = world
          const subjects: Array<string> = []
          // Each process has the keys that were in the file when it started. Those of one stage and of the next run together.
          const together = Effect.fnUntraced(function* (...processes: ReadonlyArray<ReadonlyArray<string>>) {
            for (const keys of processes) {
              const subject = `ada-${subjects.length}`
              yield* write(database, keys, [subject])
              subjects.push(subject)
            }
            for (const keys of processes) expect(yield* readable(database, keys, subjects)).toEqual(subjects)
          })
          const old = keysIn(keyFile)
          yield* together(old)
          yield* success(world, "begin")
          const begun = keysIn(keyFile)
          yield* together(old, begun)
          yield* success(world, "switch")
          const switched = keysIn(keyFile)
          yield* together(begun, switched)
          yield* together(switched)
          expect(yield* success(world, "reencrypt")).toContain("6 connections: 4 encrypted, 2 already done, 0 failed.")
          yield* together(switched)
          yield* success(world, "finish")
          const finished = keysIn(keyFile)
          yield* together(switched, finished)
          expect([old, begun.length, switched, finished]).toEqual([[keyOf(1)], 2, [begun[1], keyOf(1)], [begun[1]]])
          expect(NodeFs.statSync(keyFile).mode & 0o077).toBe(0)
          expect(NodeFs.readdirSync(dirname(keyFile)).filter((file) => file.endsWith(".new"))).toEqual([])
          // The older key opens nothing any more.
          expect(yield* readable(database, old, subjects)).toEqual([])
        })
      )
    )

    it.effect("gives back nothing until nothing needs it: a grant, or a consent that is under way", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const { database, env, flags, keyFile } = world
          const minute = 60_000
          yield* write(database, [keyOf(1)], ["ada", "bob"])
          yield* write(database, [keyOf(1)], ["carol"], "client-2")
          yield* KeyRotation.beginConsent(database, [keyOf(1)], 10 * minute)
          yield* success(world, "begin")
          yield* success(world, "switch")
          const both = NodeFs.readFileSync(keyFile, "utf8")
          const needed = yield* refusal(world, "finish")
          for (const grant of ['"ada" of "client-1"', '"bob" of "client-1"', '"carol" of "client-2"']) {
            expect(needed).toContain(grant)
          }
          expect(needed).toContain(`rotate-key reencrypt --`)
          // One client application is not all.
          expect(yield* success(world, "reencrypt", "--client-id", "client-1")).toContain("2 connections: 2 encrypted")
          expect(yield* refusal(world, "finish")).toMatch(/older key: "carol" of "client-2"\./)
          expect(yield* success(world, "reencrypt")).toContain("3 connections: 1 encrypted, 2 already done")
          expect(yield* refusal(world, "finish")).toContain("after 1970-01-01T01:10:00.000Z")
          yield* TestClock.setTime(10 * minute + AttemptStore.retention - 1)
          yield* refusal(world, "finish")
          expect(NodeFs.readFileSync(keyFile, "utf8")).toBe(both)
          yield* TestClock.adjust(1)
          yield* success(world, "finish")
          expect(keysIn(keyFile)).toEqual([keysOf(both)[0]])
          // Run again it has nothing to do, and a new replacement can begin.
          expect(yield* success(world, "finish")).toContain("one key")
          expect((yield* CommandLine.run(["rotate-key", "begin", ...flags], env)).code).toBe(0)
        })
      )
    )

    it.effect("gives back none of several older keys that something needs", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const { database, keyFile } = world
          const ring = [keyOf(4), keyOf(3), keyOf(2), keyOf(1)]
          const text = ring.map((key) => `${key}\n`).join("")
          NodeFs.writeFileSync(keyFile, text, { mode: 0o600 })
          for (const older of ring.slice(1)) {
            const subject = `user ${ring.indexOf(older)}`
            yield* write(database, [older], [subject])
            expect(yield* refusal(world, "finish")).toContain(`older key: "${subject}" of "client-1".`)
            expect(NodeFs.readFileSync(keyFile, "utf8")).toBe(text)
            expect(yield* success(world, "reencrypt")).toContain("1 encrypted")
            expect(yield* readable(database, ring.slice(0, 1), [subject])).toEqual([subject])
          }
          const minute = 60_000
          yield* KeyRotation.beginConsent(database, [keyOf(1)], 10 * minute)
          yield* refusal(world, "finish")
          yield* TestClock.setTime(10 * minute + AttemptStore.retention)
          yield* success(world, "finish")
          expect(keysIn(keyFile)).toEqual([keyOf(4)])
        })
      )
    )

    it.effect("leaves what a wrong key does not open as it is, names it and why, and goes on with the others", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const { database, env, flags } = world
          yield* write(database, [keyOf(3)], ["ada\u001b[2J\u202e"])
          yield* write(database, [keyOf(2)], ["bob"])
          const before = yield* stored(database)
          const wrong = join(dirname(world.keyFile), "wrong.key")
          NodeFs.writeFileSync(wrong, `${keyOf(4)}\n${keyOf(2)}\n`, { mode: 0o600 })
          const args = ["rotate-key", "reencrypt", "--json", ...withoutKeyFile(flags), "--key-file", wrong]
          const ended = yield* CommandLine.run(args, env)
          expect(ended.code).toBe(1)
          expect(ended.stdout.trimEnd().split("\n").length).toBe(1)
          expect(JSON.parse(ended.stdout)).toEqual({
            examined: 2,
            rewritten: 1,
            alreadyCurrent: 0,
            failed: 1,
            failures: [
              {
                clientId: "client-1",
                subject: "ada\u001b[2J\u202e",
                why: expect.stringMatching(
                  /^A record in the grant store cannot be read \(key [0-9a-f]{8}\): its key is not configured/
                )
              }
            ]
          })
          // What a user is called moves no cursor.
          expect(ended.stderr).toContain('failed: "ada\\u001b[2J\\u202e" of "client-1": A record')
          const after = yield* stored(database)
          expect([...after].filter(([subject, record]) => before.get(subject) !== record).map(([s]) => s)).toEqual([
            "bob"
          ])
          expect(yield* readable(database, [keyOf(4)], ["bob"])).toEqual(["bob"])
        })
      )
    )

    it.effect("of keys in the environment says what to do, encrypts anew, and tells when the older ones may go", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const flags = withoutKeyFile(world.flags)
          yield* write(world.database, [keyOf(1)], ["ada"])
          const withKeys = (...keys: ReadonlyArray<number>): World => ({
            ...world,
            flags,
            env: { ...world.env, ZAPIER_ENCRYPTION_KEYS: keys.map(keyOf).join(",") }
          })
          expect(yield* refusal(withKeys(1), "begin")).toContain("Add a new one at its end (old,new)")
          expect(yield* refusal(withKeys(1, 2), "switch")).toContain("Put the new one first (new,old)")
          expect(yield* refusal(withKeys(2, 1), "finish")).toContain('"ada" of "client-1"')
          expect(yield* refusal(withKeys(2, 3, 1), "finish")).toContain('"ada" of "client-1"')
          yield* success(withKeys(2, 1), "reencrypt")
          expect(yield* success(withKeys(2, 1), "finish")).toContain("Leave only the first in")
          expect(yield* success(withKeys(2), "finish")).toContain("one key")
          const broken = { ...withKeys(), env: { ...world.env, ZAPIER_ENCRYPTION_KEYS: `${keyOf(2)},pl4nted` } }
          for (const stage of ["reencrypt", "finish"]) {
            const refused = yield* refusal(broken, stage)
            expect(refused).toContain("ZAPIER_ENCRYPTION_KEYS: key 2 of 2 is not 32 bytes")
            expect(refused).not.toContain("pl4nted")
          }
          expect(yield* readable(world.database, [keyOf(2)], ["ada"])).toEqual(["ada"])
          expect(keysIn(world.keyFile)).toEqual([keyOf(1)])
        })
      )
    )

    it.effect("turns encryption on where it is told to, and only there", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const { database, keyFile } = world
          yield* KeyRotation.writePlain(database, ["ada", "bob"])
          const refused = yield* refusal(world, "reencrypt")
          expect(refused).toContain(
            'failed: "ada" of "client-1": A record in the grant store cannot be read: it is not encrypted'
          )
          expect(refused).toContain("--include-plain")
          expect(yield* success(world, "reencrypt", "--include-plain")).toContain("2 connections: 2 encrypted")
          expect(yield* readable(database, keysIn(keyFile), ["ada", "bob"])).toEqual(["ada", "bob"])
          // Afterwards nobody is told to trust what is not encrypted.
          yield* KeyRotation.writePlain(database, ["mallory"])
          const planted = yield* refusal(world, "reencrypt")
          expect(planted).toContain("somebody without the key may have planted them")
          expect(planted).not.toContain("give --include-plain")
        })
      )
    )

    it.effect("names what somebody has planted where no process would write it", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const { database } = world
          yield* write(database, [keyOf(1)], ["ada"], "")
          yield* success(world, "begin")
          yield* success(world, "switch")
          expect(yield* success(world, "reencrypt")).toContain("1 connection: 1 encrypted")
          yield* KeyRotation.beginConsent(database, [keyOf(1)], 1e300)
          expect(yield* refusal(world, "finish")).toContain("its expiry is no time of this library")
        })
      )
    )
  })
}
