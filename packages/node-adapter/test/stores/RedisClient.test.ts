import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as RedisClient from "../../src/stores/RedisClient.ts"

// As if the driver was not installed: Node looks for a package of another name, and fails by itself.
const withoutDriver = `import { registerHooks } from "node:module"
registerHooks({ resolve: (name, context, next) => next(name === "redis" ? "redis-absent" : name, context) })`

const absent = fileURLToPath(new URL("../fixtures/absentRedisDriver.ts", import.meta.url))

const built = (options: RedisClient.Options) => Effect.scoped(Layer.build(RedisClient.layer(options)))

describe("RedisClient", () => {
  it.effect.each<readonly [unknown, string]>([
    ["", "it is empty"],
    [undefined, "it is missing"],
    [42, "it is not text"],
    ["nonsense", "it must begin with redis:// or rediss://"],
    ["http://a:s3cret@127.0.0.1:1", "it must begin with redis:// or rediss://"],
    ["redis://a:s3cret@127.0.0.1:1\n", "it begins or ends with white space"],
    ["redis://a:s3cret@127.0.0.1:port", "it cannot be parsed"],
    ["redis://", "it names no host"],
    ["redis://a:s3cret%zz@127.0.0.1:1", "its user name or password is not percent-encoded"],
    ["redis://a:s3cret@127.0.0.1:1/s3cret", "the part after the host is not a database number"],
    ["unix:run/s3cret", "it names no socket"],
    ["unix:///run/redis.sock?db=s3cret", "its db is not a number"]
  ])("refuses %j: %s", ([url, problem]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(built({ url: Redacted.make(url as string) }))
      expect(error.reason).toMatchObject({ _tag: "InvalidConfig", setting: "url" })
      expect(error.message).toContain(`url: ${problem}`)
      expect(error.message).not.toContain("s3cret")
    })
  )

  it.effect.each([
    "redis://127.0.0.1",
    "redis://:s3cret@[::1]:1/0",
    "rediss://a:p%40ss@redis.example.com:6380/1",
    "unix:///run/redis/redis.sock",
    "unix://a:s3cret@/run/redis.sock?db=2"
  ])("takes %s, and asks nobody yet", (url) => Effect.asVoid(built({ url: Redacted.make(url) })))

  it.effect("refuses certificates for a server without TLS", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(built({ url: Redacted.make("redis://127.0.0.1"), ca: "a certificate" }))
      expect(error.message).toContain("url: it must begin with rediss:// if ca is set")
    })
  )

  it.effect("names the one of several URLs that is wrong by the same setting", () =>
    Effect.gen(function* () {
      const urls = [Redacted.make("redis://127.0.0.1"), Redacted.make("nonsense")] as const
      const error = yield* Effect.flip(
        Effect.scoped(Layer.build(RedisClient.layerCluster({ urls, urlName: "ACME_REDIS" })))
      )
      expect(error.message).toContain("ACME_REDIS: it must begin with")
    })
  )

  it.effect.each([
    [{}, "it is not set"],
    [{ REDIS_URL: "nonsense" }, "it must begin with redis://"]
  ] as const)("names the variable: %j", ([env, problem]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(RedisClient.layerConfig())))
      expect(error.message).toContain(`REDIS_URL: ${problem}`)
    }).pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env })))
  )

  it("says what to install when its driver is absent, and is imported all the same", () => {
    const hook = `--import=data:text/javascript,${encodeURIComponent(withoutDriver)}`
    const said = JSON.parse(execFileSync(process.execPath, [hook, absent], { encoding: "utf8" }))
    expect(said).toEqual({ reason: "InvalidConfig", message: expect.stringContaining("npm install redis") })
  })
})
