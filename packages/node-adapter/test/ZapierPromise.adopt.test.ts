/** Tokens from before an app used this library are taken over, without a consent page. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import * as ConnectWorld from "./utils/ConnectWorld.ts"

const redirectUri = "https://acme.example/zapier/callback"

const app = ConnectWorld.application(redirectUri)

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adopt-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The tokens that an app gets by hand. */
const connectByHand = async (fake: FakeZapierPromise.FakeZapierPromise) => {
  const query = { response_type: "code", client_id: app.clientId, redirect_uri: redirectUri, scope: "zap", state: "s" }
  const callback = await fake.approve(`https://zapier.com/oauth/authorize/?${new URLSearchParams(query)}`)
  const response = await fake.fetch("https://zapier.com/oauth/token/", {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded"
    },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: new URL(callback).searchParams.get("code") ?? "",
      redirect_uri: redirectUri
    }).toString()
  })
  const { access_token, expires_in, refresh_token, scope } = (await response.json()) as {
    readonly access_token: string
    readonly refresh_token: string
    readonly expires_in: number
    readonly scope: string
  }
  return {
    accessToken: access_token,
    refreshToken: refresh_token,
    scopes: scope,
    // As an app has it. @effect-diagnostics-next-line globalDate:off
    expiresAt: new Date(Date.now() + expires_in * 1000)
  }
}

const row = { subject: "ada", refreshToken: "s3cret", scopes: ["zap"] }

const make = (options: Partial<ZapierPromise.Options> = {}) => {
  const fake = FakeZapierPromise.make({ apps: [app] })
  return { fake, zapier: ZapierPromise.make({ application: app, fetch: fake.fetch, stores: "memory", ...options }) }
}

const untyped = (value: unknown) => value as never

describe("ZapierPromise.adopt", () => {
  it.each(["memory", "SQLite"])("connects a user whose tokens were got by hand, over %s", async (kind) => {
    const { fake, zapier } = make({ stores: kind === "memory" ? "memory" : { directory: join(folder, "by-hand") } })
    const tokens = await connectByHand(fake)
    const rows = [
      { ...tokens, subject: "ada" },
      { ...(await connectByHand(fake)), subject: "eve", accessToken: null }
    ]
    expect(await zapier.adopt(rows)).toEqual({ ok: true, value: { adopted: 2, alreadyConnected: 0, refused: [] } })
    expect(await zapier.accessToken("ada")).toMatchObject({ value: { accessToken: tokens.accessToken } })
    for (const subject of ["ada", "eve"]) {
      const zaps = await zapier.fetch("/v2/zaps", { subject })
      expect(zaps.ok && zaps.value.status).toBe(200)
    }
    // Again: they are there.
    expect(await zapier.adopt(rows)).toMatchObject({ value: { adopted: 0, alreadyConnected: 2 } })
    await zapier.close()
  })

  it("takes the rows of a database as they come, and refuses those that are no use without a word of what is in them", async () => {
    const { zapier } = make()
    async function* rows() {
      yield row
      yield { ...row, subject: "eve", refreshToken: "s3cret\n" }
      yield untyped(null)
      yield { ...row, subject: untyped(7) }
      yield { ...row, subject: "ada" }
      yield Object.defineProperty({ ...row, subject: "bob" }, "scopes", {
        get: () => {
          throw new TypeError("s3cret")
        }
      })
      yield { ...row, subject: "cyd", expiresAt: 1_700_000_000, accessToken: "s3cret" }
    }
    const outcome = await zapier.adopt(rows())
    expect(outcome).toMatchObject({
      ok: true,
      value: {
        adopted: 1,
        alreadyConnected: 1,
        refused: [
          { index: 1, subject: "eve", error: { _tag: "InvalidConfig", setting: "refreshToken" } },
          { index: 2, subject: undefined, error: { setting: "row" } },
          { index: 3, subject: undefined, error: { setting: "subject" } },
          { index: 5, error: { setting: "row" } },
          { index: 6, subject: "cyd", error: { setting: "expiresAt", problem: expect.stringContaining("not seconds") } }
        ]
      }
    })
    expect(inspect(outcome, { depth: null })).not.toContain("s3cret")
    await zapier.close()
  })

  it("takes many rows, and one user once", async () => {
    const { zapier } = make()
    const rows = Array.from({ length: 500 }, (_, index) => ({ ...row, subject: `user-${index % 250}` }))
    expect(await zapier.adopt(new Set(rows))).toMatchObject({ value: { adopted: 250, alreadyConnected: 250 } })
    await zapier.close()
  })

  it.each([[5], [undefined], [null], ["ada"], [{}], [() => []]])("refuses %o in the place of rows", async (rows) => {
    const { zapier } = make()
    expect(await zapier.adopt(untyped(rows))).toMatchObject({ error: { _tag: "InvalidConfig", setting: "rows" } })
    await zapier.close()
  })

  it("blames the rows if they cannot be read, and keeps what came before", async () => {
    const { zapier } = make()
    function* rows() {
      yield row
      throw new RangeError("s3cret")
    }
    const outcome = await zapier.adopt(rows())
    expect(outcome).toMatchObject({ error: { _tag: "AppCodeFailed", option: "rows", blames: "Caller" } })
    expect(outcome.ok || outcome.error.message).toContain("could not return the next row: it failed with RangeError")
    expect(inspect(outcome, { depth: null })).not.toContain("s3cret")
    expect(await zapier.status("ada")).toMatchObject({ value: { _tag: "Active" } })
    await zapier.close()
  })

  it("ends with the signal, and lets go of the rows", async () => {
    const { zapier } = make()
    const abort = new AbortController()
    const read: Array<number> = []
    const released = Promise.withResolvers<void>()
    async function* rows() {
      try {
        for (let index = 0; ; index++) {
          read.push(index)
          if (index === 100) abort.abort(new Error("enough"))
          yield { ...row, subject: `user-${index}` }
        }
      } finally {
        released.resolve()
      }
    }
    await expect(zapier.adopt(rows(), { signal: abort.signal })).rejects.toThrow("enough")
    await released.promise
    expect(read.length).toBeLessThan(1_000)
    await zapier.close()
  })

  it("adopts nothing once it is closed", async () => {
    const { zapier } = make()
    await zapier.close()
    expect(await zapier.adopt([row])).toMatchObject({ error: { _tag: "Closed" } })
  })
})
