import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { inspect } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Redis, type RedisError } from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as RedisClient from "../../src/stores/RedisClient.ts"
import * as ZapierNode from "../../src/ZapierNode.ts"
import * as ZapierPromise from "../../src/ZapierPromise.ts"
import * as Certificate from "../utils/certificate.ts"
import { freePort } from "../utils/freePort.ts"
import * as RedisLayers from "../utils/RedisLayers.ts"
import * as RedisServer from "../utils/RedisServer.ts"
import { describeWithRedis } from "../utils/RedisSuite.ts"
import * as Suite from "../utils/SqlStoreSuite.ts"

const { send } = RedisLayers

const key = (subject: string) => ({ clientId: "client-1", subject })

const written = Effect.fnUntraced(function* (subject: string) {
  const grants = yield* GrantStore
  yield* grants.compareAndSet(key(subject), Option.none(), Suite.grant(1))
  return Option.map(yield* grants.get(key(subject)), ({ version }) => version)
})

describeWithRedis("RedisClient", (server, program) => {
  const stores = (options?: Partial<RedisClient.Options>) => RedisLayers.stores(server, options)
  const library = () => Suite.libraryOver(stores(), Suite.lastingFake())

  const holdsNoSecret = (error: unknown) => {
    expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(/access-\d|refresh-\d/)
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(server().password)
  }

  describe("a server", () => {
    it.live("that is restarted fails what is asked meanwhile, at once, and nothing afterwards", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const version = yield* written("restarted")
        yield* Effect.promise(() => server().kill())
        for (let i = 0; i < 3; i++) {
          const error = yield* Effect.flip(grants.compareAndSet(key("restarted"), version, Suite.grant(2)))
          expect(error).toMatchObject({ _tag: "StoreFailed", store: "grant store" })
          expect(error.message).toMatch(/there is no connection to the server \(E\w+\)/)
          holdsNoSecret(error)
        }
        yield* Effect.promise(() => server().start())
        expect(yield* grants.compareAndSet(key("restarted"), version, Suite.grant(2))).toBe(true)
      }).pipe(Effect.provide(stores()))
    )

    it.live("that cuts connections fails no read", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const version = yield* written("cut")
        yield* Effect.provide(
          send("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"),
          Layer.fresh(RedisLayers.client(server))
        )
        expect(Option.isSome(yield* grants.get(key("cut")))).toBe(true)
        expect(yield* grants.compareAndSet(key("cut"), version, Suite.grant(2))).toBe(true)
      }).pipe(Effect.provide(stores()))
    )

    it.live("that hangs fails each command in time, and is asked again once it goes on", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const version = yield* written("hung")
        server().signal("SIGSTOP")
        const failed = yield* Effect.all(
          [
            Effect.flip(grants.get(key("hung"))),
            Effect.flip(grants.compareAndSet(key("hung"), version, Suite.grant(2)))
          ],
          { concurrency: "unbounded" }
        )
        for (const error of failed) {
          expect(error._tag).toBe("StoreFailed")
          holdsNoSecret(error)
        }
        // Nobody connects meanwhile, either.
        expect((yield* Effect.flip(grants.get(key("hung")))).message).toContain("took too long")
        server().signal("SIGCONT")
        // What it was sent before it may have written.
        const now = Option.getOrThrow(yield* grants.get(key("hung")))
        expect(yield* grants.compareAndSet(key("hung"), Option.some(now.version), Suite.grant(3))).toBe(true)
      }).pipe(Effect.provide(stores({ commandTimeout: 300, connectTimeout: 300 })))
    )

    it.live("that hangs or is down keeps nobody from closing", () =>
      Effect.gen(function* () {
        for (const stop of ["hang", "end"]) {
          const scope = yield* Scope.make()
          const context = yield* Layer.buildWithScope(Layer.fresh(stores({ commandTimeout: "1 hour" })), scope)
          if (stop === "hang") server().signal("SIGSTOP")
          else yield* Effect.promise(() => server().kill())
          const asking = yield* Effect.forkChild(
            Effect.exit(
              Effect.provideContext(
                GrantStore.use((grants) => grants.get(key("closed"))),
                context
              )
            ),
            { startImmediately: true }
          )
          yield* Scope.close(scope, Exit.void)
          expect((yield* Fiber.join(asking))._tag).toBe("Failure")
          const error = yield* Effect.flip(
            Effect.provideContext(
              GrantStore.use((grants) => grants.get(key("closed"))),
              context
            )
          )
          expect(error.message).toContain("the connection has been closed")
          if (stop === "hang") server().signal("SIGCONT")
          else yield* Effect.promise(() => server().start())
        }
      })
    )

    it("that is away when the facade starts is asked again at the next call", async () => {
      await server().kill()
      const application = { clientId: "acme", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }
      const zapier = ZapierPromise.fromLayer(
        ZapierNode.layerWithoutStores({ application }).pipe(Layer.provide(stores()))
      )
      expect(await zapier.status("ada")).toMatchObject({ ok: false, error: { _tag: "StoreFailed", isRetryable: true } })
      await server().start()
      expect(await zapier.status("ada")).toMatchObject({ ok: true })
      await zapier.close()
    })

    it.effect("that is restarted during a refresh stores it when it is back", () =>
      Effect.gen(function* () {
        const auth = yield* ZapierAuth
        yield* Suite.connect("patient")
        yield* TestClock.adjust("11 hours")
        const fiber = yield* Effect.forkChild(Suite.whileTimePasses(Effect.exit(auth.accessToken("patient"))))
        yield* Effect.promise(() => server().kill())
        yield* Fiber.join(fiber)
        yield* Effect.promise(() => server().start())
        expect((yield* Suite.whileTimePasses(auth.accessToken("patient"))).generation).toBe(2)
      }).pipe(Effect.provide(Layer.suspend(library)))
    )

    it.live("that does not know the password, or the user, is an error that shows none", () =>
      Effect.gen(function* () {
        const { port } = new URL(server().url)
        for (const credentials of ["", ":pl4nted@", "ada:pl4nted@"]) {
          const url = Redacted.make(`redis://${credentials}127.0.0.1:${port}`)
          const error = yield* Effect.flip(Effect.scoped(Layer.build(stores({ url }))))
          expect(error.message).toMatch(/\((NOAUTH|WRONGPASS)\)/)
          expect(inspect(error, { depth: null })).not.toContain("pl4nted")
        }
      })
    )

    it.live("with no memory left refuses writes, and says so", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        yield* send("CONFIG", "SET", "maxmemory", "1")
        const error = yield* Effect.flip(grants.compareAndSet(key("crowded"), Option.none(), Suite.grant(1)))
        yield* send("CONFIG", "SET", "maxmemory", "0")
        expect(error.message).toContain("raise its maxmemory (OOM)")
        expect(yield* grants.compareAndSet(key("crowded"), Option.none(), Suite.grant(1))).toBe(true)
      }).pipe(Effect.provide(stores()))
    )
  })

  describe("an error", () => {
    it.live("of Effect's service holds no argument, although the server repeats it", () =>
      Effect.gen(function* () {
        const redis = yield* Redis
        const failed = yield* Effect.flip(redis.send<string>("NO-SUCH-COMMAND", "refresh-1"))
        holdsNoSecret(failed)
        const wrongArity = yield* Effect.flip(redis.send<string>("HSET", "refresh-1"))
        holdsNoSecret(wrongArity)
      }).pipe(Effect.provide(RedisLayers.client(server)))
    )
  })

  describe("Effect's service", () => {
    it.live("hears what is published, and has connections of its own to wait on", () =>
      Effect.gen(function* () {
        const redis = yield* Redis
        const messages: Queue.Dequeue<{ readonly message: string }, RedisError> = yield* redis.subscribe("news")
        while ((yield* redis.send("PUBLISH", "news", "first")) === 0) yield* Effect.yieldNow
        expect(yield* Queue.take(messages)).toEqual({ channel: "news", message: "first" })
        const own = yield* redis.reserve
        const waiting = yield* Effect.forkChild(own.send("BLPOP", "list", "0"), { startImmediately: true })
        yield* redis.send("RPUSH", "list", "value")
        expect(yield* Fiber.join(waiting)).toEqual(["list", "value"])
      }).pipe(Effect.scoped, Effect.provide(RedisLayers.client(server)))
    )
  })

  it("keeps no process alive", async () => {
    const code = `
      import * as Effect from "effect/Effect"
      import * as Redacted from "effect/Redacted"
      import * as Scope from "effect/Scope"
      import * as RedisClient from "../../src/stores/RedisClient.ts"
      const client = RedisClient.make({ url: Redacted.make(process.env.URL) })
      const redis = await Effect.runPromise(Scope.provide(client, Scope.makeUnsafe()))
      console.log(await Effect.runPromise(redis.send("PING")))`
    const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", code], {
      cwd: import.meta.dirname,
      env: { ...process.env, URL: server().url },
      stdio: ["ignore", "pipe", "inherit"]
    })
    let said = ""
    child.stdout.on("data", (data) => {
      said += data
    })
    expect(await once(child, "exit")).toEqual([0, null])
    expect(said).toBe("PONG\n")
  })

  describe("TLS", () => {
    const { cert, key } = Certificate.make()
    let secure: RedisServer.Launched
    let url: Redacted.Redacted

    beforeAll(async () => {
      const files = { cert: join(server().directory, "cert.pem"), key: join(server().directory, "key.pem") }
      writeFileSync(files.cert, cert)
      writeFileSync(files.key, key)
      const port = await freePort()
      const flags = ["--tls-port", String(port), "--tls-cert-file", files.cert, "--tls-key-file", files.key]
      secure = await RedisServer.launch(program, [
        ...flags,
        "--tls-ca-cert-file",
        files.cert,
        "--tls-auth-clients",
        "no"
      ])
      url = Redacted.make(`rediss://:${secure.password}@localhost:${port}`)
    })
    afterAll(() => secure.end())

    it.live("is used with the certificates that are given", () =>
      Effect.gen(function* () {
        expect(yield* send("PING")).toBe("PONG")
      }).pipe(Effect.provide(Layer.unwrap(Effect.sync(() => RedisClient.layer({ url, ca: cert })))))
    )

    it.live("fails with a server that nobody vouches for, and says which way", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(stores({ url }))))
        expect(error.message).toMatch(/\((DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)\)/)
      })
    )
  })
})
