import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeEach, describe, expect, it } from "@effect/vitest"
import { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Redis } from "effect/persistence/Redis"
import * as EncryptionKey from "../../src/EncryptionKey.ts"
import { keysOf } from "../../src/internal/keyFile.ts"
import * as CommandLine from "../utils/CommandLine.ts"
import * as KeyRotation from "../utils/KeyRotation.ts"
import * as RedisLayers from "../utils/RedisLayers.ts"
import * as RedisServer from "../utils/RedisServer.ts"
import { describeWithRedis } from "../utils/RedisSuite.ts"
import * as Suite from "../utils/SqlStoreSuite.ts"

const { keyOf } = KeyRotation
const { send } = RedisLayers

const folder = mkdtempSync(join(tmpdir(), "zapier-cli-redis-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const keyFile = join(folder, "zapier.key")

describeWithRedis(
  "the command line with a Redis",
  (server) => {
    const environment = () => ({
      ZAPIER_REDIS_URL: server().url,
      ZAPIER_KEY_FILE: keyFile
    })

    const run = (args: ReadonlyArray<string>, env: CommandLine.Environment = {}) =>
      Effect.map(CommandLine.run(args, { ...environment(), ...env }), (ended) => {
        const said = ended.stdout + ended.stderr
        for (const secret of [server().password, "access-1", "refresh-1", "zwa1.", keyOf(1), keyOf(2)]) {
          expect(said).not.toContain(secret)
        }
        return ended
      })

    const redis = <A, E>(effect: Effect.Effect<A, E, Redis>) => Effect.provide(effect, RedisLayers.client(server))

    /** The stores of a process of the app, with the keys that are in the file now. */
    const app = () => {
      const env = { ZAPIER_ENCRYPTION_KEYS: keysOf(readFileSync(keyFile, "utf8")).join(",") }
      const keys = Layer.provide(EncryptionKey.layerConfig, ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
      return EncryptedStores.layer.pipe(Layer.provide([RedisLayers.stores(server), keys]))
    }

    const subjects = ["ada", "bob", "cy"]

    const write = Effect.gen(function* () {
      const grants = yield* GrantStore
      for (const subject of subjects) {
        yield* grants.compareAndSet({ clientId: "client-1", subject }, Option.none(), Suite.grant(1))
      }
    })

    const readable = Effect.gen(function* () {
      const grants = yield* GrantStore
      return yield* Effect.filter(subjects, (subject) =>
        Effect.orElseSucceed(Effect.as(grants.get({ clientId: "client-1", subject }), true), () => false)
      )
    })

    beforeEach(async () => {
      writeFileSync(keyFile, `${keyOf(1)}\n`, { mode: 0o600 })
      await Effect.runPromise(redis(send("FLUSHALL")))
    })

    it.live("status lists who is connected, of all client applications or of one", () =>
      Effect.gen(function* () {
        yield* Effect.provide(write, app())
        yield* GrantStore.use((grants) =>
          grants.compareAndSet({ clientId: "client-2", subject: "dan" }, Option.none(), Suite.grant(1))
        ).pipe(Effect.provide(app()))
        const { code, stdout } = yield* run(["status", "--json"])
        expect(code).toBe(0)
        const lines = stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line))
        expect(lines.map(({ clientId, subject }) => [clientId, subject])).toEqual([
          ["client-1", "ada"],
          ["client-1", "bob"],
          ["client-1", "cy"],
          ["client-2", "dan"]
        ])
        expect((yield* run(["status", "--subject", "bob"])).stdout).toMatch(
          /^Client application client-1:\n\nSUBJECT .*\nbob +active/
        )
      })
    )

    describe("doctor", () => {
      const findings = (env: CommandLine.Environment = {}) =>
        Effect.map(run(["doctor", "--offline", "--json"], env), ({ stdout }) =>
          stdout
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line))
            .filter(
              ({ check }) => check === "database" || check.startsWith("connections") || check === "encryption keys"
            )
        )

      it.live("says that it can be used, and what is in it", () =>
        Effect.gen(function* () {
          yield* Effect.provide(write, app())
          expect(yield* findings()).toEqual([
            { check: "database", result: "ok", says: "the Redis of ZAPIER_REDIS_URL is usable" },
            { check: "encryption keys", result: "ok", says: "usable" },
            {
              check: 'connections of "client-1"',
              result: "ok",
              says: "3 connections; the keys decrypt all"
            }
          ])
        })
      )

      it.live("says what a crash would lose, and that a server which evicts is wrong", () =>
        Effect.gen(function* () {
          yield* redis(send("CONFIG", "SET", "appendfsync", "everysec"))
          expect(yield* findings()).toContainEqual({
            check: "database",
            result: "note",
            says: expect.stringContaining("a power cut loses up to the last second")
          })
          yield* redis(send("CONFIG", "SET", "appendfsync", "always"))
          yield* redis(send("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"))
          expect(yield* findings()).toEqual([
            { check: "database", result: "failed", says: expect.stringContaining("Set it to noeviction") }
          ])
          yield* redis(send("CONFIG", "SET", "maxmemory-policy", "noeviction"))
        })
      )

      it.live("says which URL is wrong, and that two databases are too many", () =>
        Effect.gen(function* () {
          expect(yield* findings({ ZAPIER_REDIS_URL: "nonsense" })).toEqual([
            {
              check: "database",
              result: "failed",
              says: expect.stringContaining("ZAPIER_REDIS_URL: it must begin")
            }
          ])
          expect(yield* findings({ ZAPIER_DATABASE_URL: "postgres://127.0.0.1/app" })).toEqual([
            {
              check: "database",
              result: "failed",
              says: expect.stringContaining("ZAPIER_DATABASE_URL, ZAPIER_REDIS_URL: set one of them, not both")
            }
          ])
        })
      )
    })

    it.live("rotate-key replaces the key, and drops the older one once nothing needs it", () =>
      Effect.gen(function* () {
        yield* Effect.provide(write, app())
        yield* Effect.provide(
          AttemptStore.use((attempts) =>
            attempts.compareAndSet("digest", Option.none(), {
              _tag: "Pending",
              stateDigest: "digest",
              subject: "ada",
              redirectUri: "https://acme.example/callback",
              scopes: ["zap"],
              startedAt: 0,
              expiresAt: 4_102_444_800_000,
              codeVerifier: Tokens.secret("the-verifier")
            })
          ),
          app()
        )
        expect((yield* run(["rotate-key", "begin"])).code).toBe(0)
        expect((yield* run(["rotate-key", "switch"])).code).toBe(0)
        const early = yield* run(["rotate-key", "finish"])
        expect([early.code, early.stderr]).toEqual([
          1,
          expect.stringContaining('"ada" of "client-1", "bob" of "client-1", "cy" of "client-1"')
        ])
        expect(JSON.parse((yield* run(["rotate-key", "reencrypt", "--json"])).stdout)).toMatchObject({
          examined: 3,
          rewritten: 3,
          failed: 0
        })
        const consent = yield* run(["rotate-key", "finish"])
        expect([consent.code, consent.stderr]).toEqual([
          1,
          expect.stringMatching(/Run it again after 2100-01-01T0[01]:/)
        ])
        yield* redis(send("DEL", "zapier:{attempts}:attempt:digest"))
        expect((yield* run(["rotate-key", "finish"])).code).toBe(0)
        expect(keysOf(readFileSync(keyFile, "utf8"))).toHaveLength(1)
        expect(yield* Effect.provide(readable, app())).toEqual(subjects)
      })
    )

    it.live("reencrypt turns encryption on, and the append-only file forgets the plain tokens", () =>
      Effect.gen(function* () {
        yield* Effect.provide(write, RedisLayers.stores(server))
        const { code, stdout } = yield* run(["rotate-key", "reencrypt", "--include-plain", "--json"])
        expect([code, JSON.parse(stdout)]).toMatchObject([0, { examined: 3, rewritten: 3 }])
        expect(yield* Effect.provide(readable, app())).toEqual(subjects)
        while (!String(yield* redis(send("INFO", "persistence"))).includes("aof_rewrite_in_progress:0")) {
          yield* Effect.sleep("20 millis")
        }
        expect(server().kept()).not.toContain("refresh-1")
      })
    )

    it.live("a server that is not there is an error in one line, without its password", () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* run(["status"], { ZAPIER_REDIS_URL: "redis://:pl4nted@127.0.0.1:1" })
        expect([code, stdout]).toEqual([1, ""])
        expect(stderr).toMatch(
          /^error: The database could not list its client applications.*\(ECONNREFUSED\).* Run:\n {2}zapier-workflow-auth doctor\n$/
        )
        expect(stderr).not.toContain("pl4nted")
      })
    )
  },
  RedisServer.durable
)
