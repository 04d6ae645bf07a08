import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, expect, it } from "@effect/vitest"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as RedisClient from "../../src/stores/RedisClient.ts"
import * as RedisLayers from "../utils/RedisLayers.ts"
import * as RedisServer from "../utils/RedisServer.ts"
import { describeWithRedis } from "../utils/RedisSuite.ts"
import * as Suite from "../utils/SqlStoreSuite.ts"
import { describeLaws } from "../utils/StoreLawSuite.ts"

const { send } = RedisLayers

describeWithRedis(
  "Redis Cluster",
  (server, program) => {
    let others: ReadonlyArray<RedisServer.Launched>

    const cli = (of: RedisServer.Server, ...args: ReadonlyArray<string>) =>
      Effect.runPromise(
        Effect.provide(send(args[0] ?? "", ...args.slice(1)), RedisClient.layer({ url: Redacted.make(of.url) }))
      )

    beforeAll(async () => {
      const { password } = server()
      others = await Promise.all([1, 2].map(() => RedisServer.launch(program, ["--cluster-enabled", "yes"], password)))
      const all = [server(), ...others]
      const third = Math.floor(16_384 / 3)
      for (const [index, one] of all.entries()) {
        const last = index === 2 ? 16_383 : (index + 1) * third - 1
        await cli(one, "CLUSTER", "ADDSLOTSRANGE", String(index * third), String(last))
        if (index > 0) await cli(server(), "CLUSTER", "MEET", "127.0.0.1", new URL(one.url).port)
      }
      for (const one of all) {
        while (!String(await cli(one, "CLUSTER", "INFO")).includes("cluster_state:ok")) {
          await sleep(50)
        }
      }
    })
    afterAll(() => Promise.all(others.map((other) => other.end())))

    const stores = RedisLayers.quiet.pipe(
      Layer.provide(Layer.unwrap(Effect.sync(() => RedisClient.layerCluster({ urls: [Redacted.make(server().url)] }))))
    )

    describeLaws("Redis Cluster", stores, 3)

    it.live("records are on all of its servers, and are written and read like on one", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const clientIds = Array.from({ length: 12 }, (_, index) => `client-${index}`)
        for (const clientId of clientIds) {
          for (const subject of ["ada", "bob"]) {
            expect(yield* grants.compareAndSet({ clientId, subject }, Option.none(), Suite.grant(1))).toBe(true)
          }
          const page = yield* grants.page({ clientId, state: "Active", limit: 10 })
          expect(page.entries.map((entry) => entry.key.subject)).toEqual(["ada", "bob"])
        }
        for (const one of [server(), ...others]) {
          expect(Number(yield* Effect.promise(() => cli(one, "DBSIZE")))).toBeGreaterThan(0)
        }
      }).pipe(Effect.provide(stores))
    )

    it.live("is told when it is taken for a single server", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const tries = Array.from({ length: 12 }, (_, index) =>
          Effect.flip(grants.get({ clientId: `client-${index}`, subject: "ada" }))
        )
        const error = yield* Effect.raceAll(tries)
        expect(error.message).toContain("use RedisClient.layerCluster (MOVED)")
      }).pipe(Effect.provide(RedisLayers.stores(server)))
    )
  },
  ["--cluster-enabled", "yes"]
)
