/** The store of `own-store.ts` passes the conformance suite, and an app keeps its users there. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import * as StoreLawsPromise from "@zapier-workflow-auth/testing/StoreLawsPromise"
import { afterAll, describe, expect, it } from "vitest"
import { open } from "./own-store.ts"

const folder = mkdtempSync(join(tmpdir(), "own-store-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("a store of your own", () => {
  const store = open(":memory:")
  for (const { check, name } of StoreLawsPromise.all(() => store, { runs: 5 })) it(name, check)

  const file = join(folder, "laws.sqlite")
  for (const { check, name } of StoreLawsPromise.persistent(() => open(file), { runs: 5 })) it(name, check)

  it("keeps an app's users, encrypted", async () => {
    const custom = open(join(folder, "app.sqlite"))
    const options = {
      application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] },
      stores: { custom },
      encryption: "jnZ2eN4vJdQxEcdEAGKIdOSrKcGyE8ZrLEkwKTqGRcI="
    }
    const zapier = ZapierPromise.make(options)
    await zapier.adopt([{ subject: "ada", refreshToken: "a-refresh-token", scopes: ["zap"] }])
    await zapier.close()
    const after = ZapierPromise.make(options)
    expect(await after.status("ada")).toMatchObject({ ok: true, value: { _tag: "Active", scopes: ["zap"] } })
    await after.close()
    const { record } = (await custom.grants.get({ clientId: "abc", subject: "ada" })) ?? {}
    expect(record).toContain('"seal"')
    expect(record).not.toContain("a-refresh-token")
  })
})
