/** What a client is started over may be away at first; and a process may forget its client. */
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as PostgresClient from "../src/stores/PostgresClient.ts"
import * as SqlStores from "../src/stores/SqlStores.ts"
import * as ZapierConnect from "../src/ZapierConnect.ts"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import { describeWithPostgres } from "./utils/PostgresSuite.ts"

const redirectUri = "https://acme.example/zapier/callback"

const app = { name: "Acme", clientId: "acme", clientSecret: "s3cret", redirectUris: [redirectUri] }

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zapier-start-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const absent = { ok: true, value: { _tag: "Absent", subject: "ada" } }

const failed = { ok: false, error: { _tag: "StoreFailed", isRetryable: true } }

const program = fileURLToPath(new URL("fixtures/unclosedProcess.ts", import.meta.url))

/** What such a process says before it ends, which it has to do by itself. */
const unclosed = async (where: "SQLite" | "Postgres", place: string): Promise<unknown> =>
  JSON.parse((await promisify(execFile)(process.execPath, [program, where, place])).stdout)

describeWithPostgres("ZapierPromise and ZapierConnect over a Postgres that is away at first", (server) => {
  it("start when it is there", async () => {
    const client = PostgresClient.layer({ url: Redacted.make(server().url), connectTimeout: "1 hour" })
    const stores = SqlStores.layer.pipe(Layer.provide(client))
    const zapier = ZapierPromise.fromLayer(Layer.provide(ZapierNode.layerWithoutStores({ application: app }), stores))
    const connect = ZapierConnect.toWebHandler({
      redirectUri,
      scopes: ["zap"],
      subject: () => "ada",
      zapier: zapier.layer
    })
    const status = () => connect.handler(new Request("https://acme.example/zapier/status"))
    await server().stop()
    expect(await Promise.all([zapier.status("ada"), zapier.status("ada")])).toMatchObject([failed, failed])
    expect((await status()).status).toBe(503)
    await server().start()
    expect(await zapier.status("ada")).toEqual(absent)
    expect((await status()).status).toBe(200)
    // A server that goes away later is no other matter.
    await server().stop()
    expect(await zapier.status("ada")).toMatchObject(failed)
    await server().start()
    expect(await zapier.status("ada")).toEqual(absent)
    await Promise.all([zapier.close(), connect.dispose()])
  })

  it("end with their process, when nobody closes them", async () => {
    expect(await unclosed("Postgres", server().url)).toEqual([true, 200, []])
  })
})

describe("ZapierPromise over a database that is locked at first", () => {
  it("starts when it is free", async () => {
    const fake = FakeZapierPromise.make({ apps: [app] })
    const options = {
      application: app,
      fetch: fake.fetch,
      stores: { directory: join(folder, "locked"), busyTimeout: 10 }
    }
    const before = ZapierPromise.make(options)
    expect(await before.status("ada")).toEqual(absent)
    await before.close()
    const other = new DatabaseSync(join(folder, "locked", "auth.sqlite"))
    other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE another (id INTEGER)")
    await using zapier = ZapierPromise.make(options)
    expect(await zapier.status("ada")).toMatchObject(failed)
    other.close()
    expect(await zapier.status("ada")).toEqual(absent)
  })
})

describe("a process that does not close its client", () => {
  it("ends when it has nothing to do", async () => {
    expect(await unclosed("SQLite", join(folder, "unclosed"))).toEqual([true, 200, []])
  })
})
