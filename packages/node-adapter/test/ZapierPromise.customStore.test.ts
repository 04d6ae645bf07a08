/** Users are kept in a store of the app's own, encrypted; whatever that does ends typed. */
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import type * as PromiseStores from "@zapier-workflow-auth/core/store/PromiseStores"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import * as ConnectWorld from "./utils/ConnectWorld.ts"

const redirectUri = "https://acme.example/zapier/callback"

const app = ConnectWorld.application(redirectUri)

const encryption = Buffer.alloc(32, 7).toString("base64")

const untyped = (value: unknown) => value as never

/** A database of the app's: rows by key, with a version that only grows. */
const makeDatabase = () => {
  let version = 0
  const table = <Key, Row extends { readonly record: string }>() => {
    const rows = new Map<string, Row & { readonly version: number; readonly key: Key }>()
    return {
      rows,
      get: async (key: Key) => rows.get(JSON.stringify(key)),
      compareAndSet: async (key: Key, expected: number | undefined, row: Row) => {
        if (rows.get(JSON.stringify(key))?.version !== expected) return false
        rows.set(JSON.stringify(key), { ...row, key, version: ++version })
        return true
      },
      remove: async (key: Key, expected: number) => {
        const id = JSON.stringify(key)
        return rows.get(id)?.version === expected && rows.delete(id)
      }
    }
  }
  const grants = table<{ readonly clientId: string; readonly subject: string }, PromiseStores.GrantRow>()
  const attempts = table<string, PromiseStores.AttemptRow>()
  return {
    texts: () => inspect([grants.rows, attempts.rows], { depth: null, maxStringLength: null }),
    grants: { ...grants, page: async () => [] },
    attempts: {
      ...attempts,
      bySubject: async ({ limit, skip, subject }: { subject: string; skip: number; limit: number }) =>
        [...attempts.rows.values()].filter((row) => row.subject === subject).slice(skip, skip + limit)
    }
  }
}

const make = (custom: unknown, options: Partial<ZapierPromise.Options> = {}) => {
  const fake = FakeZapierPromise.make({ apps: [app] })
  const stores = untyped({ custom })
  return { fake, zapier: ZapierPromise.make({ application: app, fetch: fake.fetch, stores, encryption, ...options }) }
}

const connect = async ({ fake, zapier }: ReturnType<typeof make>) => {
  const begun = await zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] })
  if (!begun.ok) return begun
  return zapier.handleCallback(await fake.approve(begun.value.url), { subject: "ada" })
}

describe("ZapierPromise over a store of one's own", () => {
  it("connects, calls, and disconnects; tokens are encrypted in it, and another client finds them", async () => {
    const { texts, ...custom } = makeDatabase()
    const world = make(custom)
    expect(await connect(world)).toMatchObject({ ok: true })
    const token = await world.zapier.accessToken("ada")
    expect(texts()).not.toContain(token.ok ? token.value.accessToken : "a token")
    expect(texts()).toContain("seal")
    await world.zapier.close()
    const other = ZapierPromise.make({ application: app, fetch: world.fake.fetch, stores: { custom }, encryption })
    const zaps = await other.fetch("/v2/zaps", { subject: "ada" })
    expect(zaps.ok && zaps.value.status).toBe(200)
    expect(await other.appToken(["profile"])).toMatchObject({ ok: true })
    expect(await other.disconnect("ada")).toMatchObject({ value: { wasConnected: true } })
    expect(custom.grants.rows.size).toBe(0)
    await other.close()
  })

  it("needs keys, and names what is missing in it", async () => {
    const { texts: _, ...custom } = makeDatabase()
    const plain = make(custom, { encryption: undefined }).zapier
    expect(await plain.status("ada")).toMatchObject({
      error: { setting: "encryption", problem: expect.stringContaining("a store of your own has no default key") }
    })
    for (const [given, setting] of [
      [5, "stores.custom"],
      [{ grants: custom.grants }, "stores.custom.attempts"],
      [{ ...custom, attempts: { ...custom.attempts, remove: 1 } }, "stores.custom.attempts.remove"]
    ] as const) {
      expect(await make(given).zapier.status("ada")).toMatchObject({ error: { _tag: "InvalidConfig", setting } })
    }
    const both = make(custom, { stores: untyped({ custom, directory: "/tmp" }) }).zapier
    expect(await both.status("ada")).toMatchObject({ error: { setting: "stores.directory, stores.custom" } })
    const misspelt = make(custom, { stores: untyped({ custm: custom }) }).zapier
    const refused = await misspelt.status("ada")
    expect(refused.ok || refused.error.message).toContain("Did you mean stores.custom?")
  })

  it.each([
    ["rejects", () => Promise.reject(new RangeError("s3cret")), "it failed with RangeError"],
    [
      "throws",
      () => {
        throw new TypeError("s3cret")
      },
      "it failed with TypeError"
    ],
    ["gives nonsense", () => "s3cret", "it returned a value of type string instead of"]
  ])("is told StoreFailed of one that %s, which passes", async (_, broken, problem) => {
    const { texts: __, ...custom } = makeDatabase()
    const grants = { ...custom.grants }
    const world = make({ ...custom, grants })
    grants.get = untyped(broken)
    for (const outcome of [await world.zapier.status("ada"), await world.zapier.accessToken("ada")]) {
      expect(outcome).toMatchObject({ error: { _tag: "StoreFailed", isRetryable: true, blames: "Store" } })
      expect(outcome.ok || outcome.error.message).toContain(problem)
      expect(inspect(outcome, { depth: null })).not.toContain("s3cret")
    }
    grants.get = custom.grants.get
    expect(await connect(world)).toMatchObject({ ok: true, value: { _tag: "Active" } })
    await world.zapier.close()
  })

  it("adopts what it could not when its store was away", async () => {
    const { texts: _, ...custom } = makeDatabase()
    const grants = { ...custom.grants }
    const { zapier } = make({ ...custom, grants })
    const rows = ["ada", "eve"].map((subject) => ({ subject, refreshToken: "r", scopes: ["zap"] }))
    grants.compareAndSet = (key, ...rest) =>
      key.subject === "eve" ? Promise.reject(new Error("away")) : custom.grants.compareAndSet(key, ...rest)
    expect(await zapier.adopt(rows)).toMatchObject({ error: { _tag: "StoreFailed" } })
    grants.compareAndSet = custom.grants.compareAndSet
    expect(await zapier.adopt(rows)).toMatchObject({ value: { adopted: 1, alreadyConnected: 1 } })
    await zapier.close()
  })
})
