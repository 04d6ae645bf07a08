import type { AddressInfo } from "node:net"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { makeApp } from "./node-http.ts"

const application = {
  name: "Acme",
  clientId: "abc",
  clientSecret: "s3cret",
  redirectUris: ["http://localhost:3000/callback"]
}

describe("node-http.ts", () => {
  const fake = FakeZapierPromise.make({ apps: [application] })
  const zapier = ZapierPromise.make({ application, fetch: fake.fetch, stores: "memory" })
  const server = makeApp(zapier)
  let origin = ""

  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
  beforeAll(() => void (origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  afterAll(async () => {
    server.close()
    await zapier.close()
  })

  // Like a browser. @effect-diagnostics globalFetch:off
  const visit = (path: string, user = "ada") =>
    fetch(`${origin}${path}`, { redirect: "manual", headers: user === "" ? {} : { cookie: `user=${user}` } })

  const locationOf = async (path: string, user?: string) => (await visit(path, user)).headers.get("location") ?? ""

  const back = (callback: string) => {
    const { pathname, search } = new URL(callback)
    return `${pathname}${search}`
  }

  test("sends who is not connected to Zapier, and shows the Zaps to who is", async () => {
    expect((await visit("/", "")).status).toBe(401)
    expect(await locationOf("/")).toBe("/connect")
    const callback = await fake.approve(await locationOf("/connect"))
    expect(await locationOf(back(callback))).toBe("/")
    const page = await visit("/")
    expect([page.status, (await page.text()).length > 0]).toEqual([200, true])
  })

  test("says what went wrong in words for users", async () => {
    const denied = await visit(back(await fake.deny(await locationOf("/connect", "eve"))), "eve")
    expect(await denied.text()).toBe("You did not allow access. Nothing was changed.")
    const callback = await fake.approve(await locationOf("/connect", "eve"))
    await fake.setFaults([{ fault: { _tag: "RateLimited", retryAfter: 7 }, match: { endpoint: "token" } }])
    const busy = await visit(back(callback), "eve")
    expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "7"])
    await fake.setFaults([])
    expect((await visit("/callback?code=stolen&state=guessed", "eve")).status).toBe(502)
    expect((await visit("/nothing")).status).toBe(404)
  })
})
