/** What holds of the facade in a function, which is frozen or ended once it has responded. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AsyncLocalStorage } from "node:async_hooks"
import { afterEach, describe, expect, it, vi } from "@effect/vitest"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as EmbeddedStores from "../src/stores/EmbeddedStores.ts"
import * as ZapierPromise from "../src/ZapierPromise.ts"

const app = { name: "Acme", clientId: "acme", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

const fiveMinutes = 5 * 60_000

const folders: Array<string> = []

afterEach(() => {
  vi.unstubAllEnvs()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Connects a user, whose token then has so many milliseconds left. */
const setup = async (left: number, options: Partial<ZapierPromise.Options> = {}) => {
  const directory = mkdtempSync(join(tmpdir(), "zapier-functions-"))
  folders.push(directory)
  const fake = FakeZapier.make({ apps: [app] })
  /** Token requests are carried out, and not responded to while this is pending. */
  const held = { until: Promise.resolve(), onRequest: () => {} }
  const served = await Effect.runPromise(Effect.provideService(FakeZapier.fetch, FakeZapier.FakeZapier, fake))
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await served(input, init)
    if (String(input instanceof Request ? input.url : input).endsWith("/oauth/token/")) {
      held.onRequest()
      await held.until
    }
    return response
  }
  const make = () => ZapierPromise.make({ application: app, stores: { directory }, fetch, ...options })
  await using first = ZapierPromise.make({ application: app, stores: { directory }, fetch })
  const begun = await first.authorizationUrl({ subject: "ada", scopes: ["zap"] })
  if (!begun.ok) throw new Error(begun.error.message)
  await first.handleCallback(await Effect.runPromise(fake.approve(begun.value.url)), { subject: "ada" })
  const age = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const store = yield* GrantStore
    const key = { clientId: app.clientId, subject: "ada" }
    const { value, version } = Option.getOrThrow(yield* store.get(key))
    if (value._tag !== "Active") throw new Error(value._tag)
    const tokens: Tokens.Tokens = {
      ...value.tokens,
      obtainedAt: now - 36e6 + left,
      expiresAt: now + left
    }
    yield* store.compareAndSet(key, Option.some(version), { ...value, tokens })
  })
  await Effect.runPromise(Effect.provide(age, EmbeddedStores.layer({ directory })))
  const tokenRequests = async () =>
    (await Effect.runPromise(fake.requests)).filter(({ request }) => request.path === "/oauth/token/").length - 1
  return { make, held, tokenRequests }
}

describe("ZapierPromise in a function", () => {
  it("has waitUntil keep it going while a token is renewed ahead, in the context of the request", async () => {
    const request = new AsyncLocalStorage<string>()
    const given: Array<{ readonly by: string | undefined; readonly promise: Promise<void> }> = []
    const waitUntil = (promise: Promise<void>) => given.push({ by: request.getStore(), promise })
    const { held, make, tokenRequests } = await setup(fiveMinutes - 60_000, { waitUntil })
    const zapier = make()
    const gate = Promise.withResolvers<void>()
    held.until = gate.promise
    const requested = new Promise<void>((resolve) => (held.onRequest = resolve))
    const token = await request.run("request-1", () => zapier.accessToken("ada"))
    expect(token.ok).toBe(true)
    // The token is handed out before the claim of its refresh is stored.
    await requested
    expect(given.map(({ by }) => by)).toEqual(["request-1"])
    let isSettled = false
    const settled = given[0]?.promise.then(() => (isSettled = true))
    expect(await zapier.status("ada")).toMatchObject({ value: { _tag: "Refreshing" } })
    expect(isSettled).toBe(false)
    gate.resolve()
    await settled
    expect(await zapier.status("ada")).toMatchObject({ value: { _tag: "Active", generation: 2 } })
    expect(await tokenRequests()).toBe(1)
    // Nothing is under way any more.
    const before = given.length
    await zapier.accessToken("ada")
    expect(given.length).toBe(before)
    await zapier.close()
  })

  it("goes on when waitUntil throws, as it does outside of a request", async () => {
    const { make } = await setup(fiveMinutes - 60_000, {
      waitUntil: () => {
        throw new Error("called outside a request scope")
      }
    })
    const zapier = make()
    expect(await zapier.accessToken("ada")).toMatchObject({ ok: true })
    await zapier.close()
  })

  it("has settled to wait for where there is no waitUntil", async () => {
    const { make, tokenRequests } = await setup(fiveMinutes - 60_000)
    const zapier = make()
    await zapier.settled()
    await zapier.accessToken("ada")
    await zapier.settled()
    expect(await zapier.status("ada")).toMatchObject({ value: { _tag: "Active", generation: 2 } })
    expect(await tokenRequests()).toBe(1)
    await zapier.close()
  })

  it.each(["AWS_LAMBDA_FUNCTION_NAME", "VERCEL", "K_SERVICE"])(
    "renews nothing ahead where %s says that it may be frozen, unless it is kept going or a margin is set",
    async (variable) => {
      vi.stubEnv(variable, "1")
      const { make, tokenRequests } = await setup(fiveMinutes - 60_000)
      const zapier = make()
      await zapier.accessToken("ada")
      await zapier.settled()
      expect(await tokenRequests()).toBe(0)
      await zapier.close()
      for (const options of [{ settings: { expiryMargin: fiveMinutes } }, { waitUntil: () => undefined }] as const) {
        const other = await setup(fiveMinutes - 60_000, options)
        const kept = other.make()
        await kept.accessToken("ada")
        await kept.settled()
        expect(await other.tokenRequests()).toBe(1)
        await kept.close()
      }
    }
  )

  it("renews a token that has ended before it gives one, so that nothing is left to do", async () => {
    vi.stubEnv("VERCEL", "1")
    const { make, tokenRequests } = await setup(-1)
    const zapier = make()
    expect(await zapier.accessToken("ada")).toMatchObject({ ok: true })
    expect(await zapier.status("ada")).toMatchObject({ value: { _tag: "Active", generation: 2 } })
    expect(await tokenRequests()).toBe(1)
    await zapier.close()
  })

  it("has settled to wait for after a call that was aborted while its token was renewed", async () => {
    vi.stubEnv("AWS_LAMBDA_FUNCTION_NAME", "acme")
    const { held, make } = await setup(-1)
    const zapier = make()
    const gate = Promise.withResolvers<void>()
    held.until = gate.promise
    const controller = new AbortController()
    const aborted = zapier.accessToken("ada", { signal: controller.signal }).catch(() => "aborted")
    const stateOf = async () => {
      const status = await zapier.status("ada")
      return status.ok ? status.value._tag : status.error._tag
    }
    while ((await stateOf()) !== "Refreshing") await new Promise((resolve) => setImmediate(resolve))
    controller.abort()
    expect(await aborted).toBe("aborted")
    const settled = zapier.settled()
    gate.resolve()
    await settled
    expect(await zapier.status("ada")).toMatchObject({ value: { _tag: "Active", generation: 2 } })
    await zapier.close()
  })

  it("refuses a waitUntil that is no function", async () => {
    const zapier = ZapierPromise.make({ application: app, stores: "memory", waitUntil: "yes" as never })
    expect(await zapier.status("ada")).toMatchObject({ error: { _tag: "InvalidConfig", setting: "waitUntil" } })
  })
})
