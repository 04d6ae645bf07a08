import { afterAll, describe, expect, it } from "@effect/vitest"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as ZapierNode from "../../src/ZapierNode.ts"
import * as Suite from "../utils/SqlStoreSuite.ts"

const folder = mkdtempSync(join(tmpdir(), "zapier-embedded-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A process of an app, as most will be: it ends with its scope. */
const processOf = (name: string, fake: Layer.Layer<FakeZapier.FakeZapier>) =>
  ZapierNode.layer({
    application: Suite.app,
    httpClient: Layer.provide(FakeZapier.layerHttpClient, fake),
    stores: { directory: join(folder, name) }
  }).pipe(Layer.provideMerge(fake))

const accessToken = Effect.flatMap(ZapierAuth, (auth) => auth.accessToken("ada"))

describe("ZapierNode.layer, with its stores embedded", () => {
  it.effect("keeps users connected when the process ends", () =>
    Effect.gen(function* () {
      const fake = Suite.lastingFake()
      yield* Effect.provide(Suite.connect("ada"), processOf("restarted", fake))
      yield* TestClock.adjust("11 hours")
      expect((yield* Effect.provide(accessToken, processOf("restarted", fake))).generation).toBe(2)
    })
  )

  it.effect.skipIf(process.platform === "win32")("lets nobody else read it, and holds no token in plain", () =>
    Effect.gen(function* () {
      const fake = Suite.lastingFake()
      const modes = yield* Effect.gen(function* () {
        yield* Suite.connect("ada")
        const { accessToken: token } = yield* accessToken
        const names = readdirSync(join(folder, "private")).toSorted()
        expect(names).toContain("auth.key")
        for (const name of names) {
          const bytes = readFileSync(join(folder, "private", name))
          expect(bytes.includes(Redacted.value(token))).toBe(false)
        }
        return names.map((name) => [name, statSync(join(folder, "private", name)).mode & 0o777] as const)
      }).pipe(Effect.provide(processOf("private", fake)))
      expect(modes.map(([name]) => name)).toEqual(["auth.key", "auth.sqlite", "auth.sqlite-shm", "auth.sqlite-wal"])
      expect(new Set(modes.map(([, mode]) => mode))).toEqual(new Set([0o600]))
      expect(statSync(join(folder, "private")).mode & 0o777).toBe(0o700)
    })
  )

  it.effect("keeps the newest consents of a user, however often one begins", () =>
    Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const fake = yield* FakeZapier.FakeZapier
      const begin = Effect.andThen(
        TestClock.adjust(1),
        Effect.map(auth.authorizationUrl({ subject: "ada", scopes: ["zap"] }), ({ url }) => Redacted.value(url))
      )
      const urls = yield* Effect.replicateEffect(begin, 22)
      const complete = Effect.fnUntraced(function* (index: number) {
        return yield* auth.handleCallback(yield* Effect.orDie(fake.approve(urls.at(index) ?? "")), { subject: "ada" })
      })
      for (const index of [0, 1]) {
        expect((yield* Effect.flip(complete(index))).reason).toMatchObject({ _tag: "StateMismatch", why: "Unknown" })
      }
      expect((yield* complete(2))._tag).toBe("Active")
      expect((yield* complete(-1))._tag).toBe("Active")
    }).pipe(Effect.provide(processOf("often", Suite.lastingFake())))
  )

  it.effect("says that the key is lost, and lets users be disconnected and connect again", () =>
    Effect.gen(function* () {
      const fake = Suite.lastingFake()
      yield* Effect.provide(Suite.connect("ada"), processOf("keyless", fake))
      rmSync(join(folder, "keyless", "auth.key"))
      yield* Effect.gen(function* () {
        const auth = yield* ZapierAuth
        expect((yield* Effect.flip(accessToken)).reason).toMatchObject({
          _tag: "DecryptionFailed",
          problem: "UnknownKey"
        })
        expect(yield* auth.disconnect("ada")).toMatchObject({ wasConnected: true })
        yield* Suite.connect("ada")
        expect((yield* accessToken).generation).toBe(1)
      }).pipe(Effect.provide(processOf("keyless", fake)))
    })
  )
})
