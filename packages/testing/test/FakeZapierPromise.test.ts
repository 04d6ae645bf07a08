import { assert, describe, it } from "@effect/vitest"
import * as FakeControl from "../src/fake/FakeControl.ts"
import type * as FakeFault from "../src/fake/FakeFault.ts"
import * as FakeZapierPromise from "../src/FakeZapierPromise.ts"
import * as Flow from "./utils/flow.ts"

const app = { name: "Acme", clientId: "id", clientSecret: "s3cret", redirectUris: [Flow.redirectUri] }

const authorizationUrl = `https://api.zapier.com/v2/authorize?${new URLSearchParams({
  response_type: "code",
  client_id: app.clientId,
  redirect_uri: Flow.redirectUri,
  scope: "zap"
})}`

const make = (faults: ReadonlyArray<FakeFault.Rule> = []) => {
  const zapier = FakeZapierPromise.make({ apps: [app], faults })
  const token = async (form: Record<string, string>) => {
    const response = await zapier.fetch("https://zapier.com/oauth/token/", {
      method: "POST",
      headers: { authorization: Flow.basic(app.clientId, app.clientSecret) },
      body: new URLSearchParams(form)
    })
    return response.json() as Promise<{ access_token: string; refresh_token: string; expires_in: number }>
  }
  return {
    zapier,
    token,
    connect: async (user?: string) => {
      const code = new URL(await zapier.approve(authorizationUrl, { user })).searchParams.get("code") ?? ""
      return token({ grant_type: "authorization_code", code, redirect_uri: Flow.redirectUri })
    },
    status: async (token: string) => {
      const headers = { authorization: `Bearer ${token}` }
      return (await zapier.fetch("https://api.zapier.com/v2/zaps", { headers })).status
    }
  }
}

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail("it did not reject"),
    (reason: unknown) => reason
  )

describe("FakeZapierPromise", () => {
  it("connects a user, refreshes, and records the origin of each token", async () => {
    const { connect, status, token, zapier } = make()
    const { access_token, refresh_token } = await connect()
    assert.strictEqual(await status(access_token), 200)
    const refreshed = await token({ grant_type: "refresh_token", refresh_token })
    assert.strictEqual(await status(access_token), 401)
    assert.deepStrictEqual(
      (await zapier.tokenFamily(refreshed.access_token)).map(({ origin }) => origin._tag),
      ["Code", "RefreshToken"]
    )
    assert.deepStrictEqual(
      (await zapier.requests()).map(({ status }) => status),
      [200, 200, 200, 401]
    )
    assert.lengthOf(await zapier.issued(), 2)
  })

  it("has the real clock, which can be moved ahead and set", async () => {
    const { connect, status, zapier } = make()
    const { access_token } = await connect()
    await zapier.advance("9 hours")
    assert.strictEqual(await status(access_token), 200)
    await zapier.advance(3_600_000)
    assert.strictEqual(await status(access_token), 401)
    await zapier.setTime(0)
    assert.isBelow(await zapier.time(), 60_000)
    assert.strictEqual(await status(access_token), 200)
  })

  it("registers apps and users, denies, regenerates, revokes", async () => {
    const { connect, status, zapier } = make()
    const other = await zapier.registerApp({ name: "Other", redirectUris: [] })
    assert.notStrictEqual((await zapier.regenerateSecret(other.clientId)).clientSecret, other.clientSecret)
    await zapier.registerUser({ email: "bob@example.com" })
    const tokens = [await connect(), await connect("bob@example.com"), await connect("bob@example.com")]
    const statuses = () => Promise.all(tokens.map(({ access_token }) => status(access_token)))
    await zapier.endAccessToken(tokens[2]?.access_token ?? "")
    assert.deepStrictEqual(await statuses(), [200, 200, 401])
    await zapier.revoke({ user: "bob@example.com" })
    assert.deepStrictEqual(await statuses(), [200, 401, 401])
    const denied = new URL(await zapier.deny(authorizationUrl, { user: "bob@example.com" }))
    assert.strictEqual(denied.searchParams.get("error"), "access_denied")
  })

  it("changes settings, and restores a snapshot", async () => {
    const { connect, zapier } = make()
    await zapier.changeSettings({ accessTokenLifetime: 60 })
    const snapshot = await zapier.snapshot()
    const first = await connect()
    assert.deepInclude(first, { expires_in: 60 })
    await zapier.restore(snapshot)
    assert.deepStrictEqual(await connect(), first)
    await zapier.reset()
    assert.deepInclude(await connect(), { expires_in: 36_000 })
    assert.lengthOf(await zapier.requests(), 1)
  })

  it("rejects with the possible values", async () => {
    const { zapier } = make()
    const reasons = [
      await reasonOf(zapier.advance("some time")),
      await reasonOf(zapier.revoke({})),
      await reasonOf(zapier.registerApp({ name: "A", redirectUris: ["nonsense"] })),
      await reasonOf(zapier.setFaults([{ fault: { _tag: "ServerError", status: 1 } }]))
    ]
    for (const reason of reasons) {
      assert.instanceOf(reason, FakeControl.FakeControlError)
      assert.isAtLeast(reason.message.length, 20)
    }
    assert.throws(() => FakeZapierPromise.make({ apps: [app, app] }), /client id exists already/)
    const wrong = (options: object) => () => FakeZapierPromise.make(options)
    assert.throws(
      wrong({ setting: {} }),
      /setting is unknown; known: seed, settings, users, apps, faults, remember, fetch\./
    )
    assert.throws(wrong({ settings: { grace: 1 } }), /grace is unknown; known: .*graceMillis/)
    assert.throws(wrong({ remember: -1 }), /remember: /)
    assert.throws(wrong({ users: "ada" }), /users: /)
    const narrower = { scope: ["zap"] } as never
    const reason = await reasonOf(zapier.approve("https://api.zapier.com/v2/authorize", narrower))
    assert.include(String(reason), "scope is unknown; known: user, scopes.")
  })
})

describe("its fetch", () => {
  const categories = "https://api.zapier.com/v1/categories"

  it("rejects as fetch does when the connection breaks", async () => {
    const { zapier } = make()
    await zapier.addFault({ fault: { _tag: "ResponseLost" } })
    await zapier.addFault({ fault: { _tag: "ConnectionReset" } })
    for (const code of ["UND_ERR_SOCKET", "ECONNRESET"]) {
      const reason = await reasonOf(zapier.fetch(categories))
      assert.instanceOf(reason, TypeError)
      assert.strictEqual((reason.cause as { readonly code: string }).code, code)
    }
  })

  it("rejects with the reason of its signal, before, while and after it waits", async () => {
    const { zapier } = make([
      { fault: { _tag: "RequestSilent" } },
      { fault: { _tag: "ResponseSlow", millis: 3_600_000 } }
    ])
    for (let i = 0; i < 2; i++) {
      const controller = new AbortController()
      const waiting = reasonOf(zapier.fetch(new Request(categories, { signal: controller.signal })))
      while ((await zapier.requests()).length <= i) await new Promise((resolve) => setImmediate(resolve))
      controller.abort(new Error("enough"))
      assert.deepInclude(await waiting, { message: "enough" })
    }
    const aborted = await reasonOf(zapier.fetch(categories, { signal: AbortSignal.abort() }))
    assert.deepInclude(aborted, { name: "AbortError" })
    assert.lengthOf(await zapier.requests(), 2)
  })

  it("rejects an invalid request", async () => {
    assert.instanceOf(await reasonOf(make().zapier.fetch("/v1/categories")), TypeError)
  })

  it("returns a response with a failing body when it is truncated", async () => {
    const { zapier } = make([{ fault: { _tag: "TruncatedBody", bytes: 10 } }])
    const response = await zapier.fetch(categories)
    assert.strictEqual(response.status, 200)
    const reader = response.body?.getReader()
    assert.lengthOf((await reader?.read())?.value ?? [], 10)
    assert.instanceOf(await reasonOf(Promise.resolve(reader?.read())), TypeError)
  })
})
