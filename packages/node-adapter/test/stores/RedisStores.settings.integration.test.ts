import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as RedisStores from "../../src/stores/RedisStores.ts"
import { logged } from "../utils/logged.ts"
import * as RedisLayers from "../utils/RedisLayers.ts"
import * as RedisServer from "../utils/RedisServer.ts"
import { describeWithRedis } from "../utils/RedisSuite.ts"
import * as Suite from "../utils/SqlStoreSuite.ts"

const { send } = RedisLayers

describeWithRedis(
  "RedisStores: the settings of the server",
  (server) => {
    const client = (url?: string) => RedisLayers.client(server, url === undefined ? {} : { url: Redacted.make(url) })

    /** What is logged when the stores are made while the server has other settings, or another user asks. */
    const starting = (settings: { readonly [name: string]: string }, url?: string) =>
      Effect.gen(function* () {
        const set = (values: typeof settings) =>
          Effect.forEach(Object.entries(values), ([name, value]) => send("CONFIG", "SET", name, value))
        const good = { "maxmemory-policy": "noeviction", appendonly: "yes", appendfsync: "always" }
        yield* set(settings)
        const start = Effect.scoped(Layer.build(Layer.provide(RedisStores.layer, Layer.fresh(client(url)))))
        return yield* Effect.ensuring(logged(start), Effect.ignore(set(good)))
      }).pipe(Effect.provide(client()))

    it.live("that keep everything are nothing to talk about", () =>
      Effect.gen(function* () {
        expect(yield* starting({})).toBe("")
      })
    )

    it.live.each(["allkeys-lru", "allkeys-lfu", "allkeys-random"])(
      "that evict grants are refused, with what to do: %s",
      (policy) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(starting({ "maxmemory-policy": policy }))
          expect(error).toMatchObject({
            reason: { _tag: "InvalidConfig", setting: "maxmemory-policy of Redis" },
            isRetryable: false
          })
          expect(error.message).toContain(`it is ${policy}`)
          expect(error.message).toContain("Set it to noeviction")
        })
    )

    it.live.each([
      [{ "maxmemory-policy": "volatile-lru" }, "forgets users who are on the consent page. Set noeviction"],
      [{ appendonly: "no" }, "Redis keeps no append-only file: a crash loses"],
      [{ appendfsync: "everysec" }, "a power cut loses up to the last second"],
      [{ appendfsync: "no" }, "a power cut loses what the operating system has not written yet"]
    ] as const)("that lose something at a crash are a warning, which says what: %j", ([settings, words]) =>
      Effect.gen(function* () {
        const said = yield* starting(settings)
        expect(said).toContain(words)
        expect(said).toContain('"level":"WARN"')
        expect(said.split("\n")).toHaveLength(1)
      })
    )

    describe("that a user may not read", () => {
      const as = (rights: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          yield* send("ACL", "SETUSER", "app", "reset", "on", ">s3cret", "~zapier:*", "+@all", ...rights)
          const url = new URL(server().url)
          url.username = "app"
          url.password = "s3cret"
          return url.href
        }).pipe(Effect.provide(client()))

      it.live("by CONFIG are taken from INFO, and what is in neither is a warning", () =>
        Effect.gen(function* () {
          const url = yield* as(["-config"])
          const said = yield* starting({}, url)
          expect(said).toContain("Redis does not reveal its appendfsync")
          expect(said.split("\n")).toHaveLength(1)
          const error = yield* Effect.flip(starting({ "maxmemory-policy": "allkeys-lru" }, url))
          expect(error).toMatchObject({ reason: { _tag: "InvalidConfig" } })
        })
      )

      it.live("are read with the rights that the documentation names, and everything else is done", () =>
        Effect.gen(function* () {
          const page = readFileSync(new URL("../../../../docs/stores.md", import.meta.url), "utf8")
          const [, rights = "", checks = ""] = /`(\+evalsha [^`]+)`[^`]+`([^`]+)`/.exec(page) ?? []
          const url = yield* as(["-@all", ...rights.split(" "), ...checks.split(" ")])
          expect(yield* starting({}, url)).toBe("")
          yield* Effect.gen(function* () {
            const grants = yield* GrantStore
            const attempts = yield* AttemptStore
            const key = { clientId: "client-1", subject: "ada" }
            expect(yield* grants.compareAndSet(key, Option.none(), Suite.grant(1))).toBe(true)
            const { entries } = yield* grants.page({ clientId: "client-1", state: "Active", limit: 1 })
            for (const { grant } of entries) expect(yield* grants.remove(key, grant.version)).toBe(true)
            const attempt = {
              _tag: "Denied",
              stateDigest: "digest",
              subject: "ada",
              redirectUri: "https://acme.example/callback",
              scopes: ["zap"],
              startedAt: 0,
              expiresAt: 4_102_444_800_000
            } as const
            expect(yield* attempts.compareAndSet("digest", Option.none(), attempt)).toBe(true)
            yield* Effect.provide(send("DEL", "zapier:{attempts}:attempt:digest"), client())
            expect(yield* attempts.bySubject({ subject: "ada", skip: 0, limit: 1 })).toEqual([])
          }).pipe(Effect.provide(Layer.provide(RedisStores.layer, Layer.fresh(client(url)))))
        })
      )

      it.live("at all are two warnings", () =>
        Effect.gen(function* () {
          const said = yield* starting({}, yield* as(["-config", "-info"]))
          expect(said).toContain("Redis does not reveal its maxmemory-policy")
          expect(said).toContain("Redis does not reveal its appendonly")
          expect(said.split("\n")).toHaveLength(2)
        })
      )
    })
  },
  RedisServer.durable
)
