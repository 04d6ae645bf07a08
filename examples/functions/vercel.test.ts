import { afterAll, expect, it, vi } from "@effect/vitest"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
// Loaded before `fetch` is replaced.
import "@zapier-workflow-auth/node-adapter/ZapierPromise"
import * as Effect from "effect/Effect"
import { describeWithPostgres } from "../../packages/node-adapter/test/utils/PostgresSuite.ts"
import { describeWithRedis } from "../../packages/node-adapter/test/utils/RedisSuite.ts"
import type * as Vercel from "./vercel.ts"

const origin = "https://acme.example"

const app = { name: "Acme", clientId: "acme", clientSecret: "s3cret", redirectUris: [`${origin}/zapier/callback`] }

const fake = FakeZapier.make({ apps: [app] })

afterAll(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

const connectsAndCalls = (place: string, server: () => { readonly url: string }) =>
  it("connects a user, and calls, by what is in the environment", async () => {
    vi.unstubAllEnvs()
    vi.stubEnv("VERCEL", "1")
    vi.stubEnv(place, server().url)
    vi.stubEnv("ZAPIER_ENCRYPTION_KEYS", btoa("0123456789abcdef0123456789abcdef"))
    vi.stubEnv("ZAPIER_CLIENT_ID", app.clientId)
    vi.stubEnv("ZAPIER_CLIENT_SECRET", app.clientSecret)
    vi.stubEnv("ZAPIER_REDIRECT_URIS", `${origin}/zapier/callback`)
    vi.stubGlobal(
      "fetch",
      await Effect.runPromise(Effect.provideService(FakeZapier.fetch, FakeZapier.FakeZapier, fake))
    )
    // A separate instance for each store.
    const { default: vercel }: typeof Vercel = await import(/* @vite-ignore */ `./vercel.ts?${place}`)
    const cookies = new Map([["user", "ada"]])
    const ask = async (path: string, method = "GET") => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ")
      const headers = { cookie, "sec-fetch-site": "same-origin", origin }
      const response = await vercel.fetch(new Request(new URL(path, origin), { method, headers }))
      for (const line of response.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
      return response
    }

    const first = await ask("/")
    expect([first.status, first.headers.get("location"), await first.text()]).toEqual([303, "/zapier/connect", ""])
    const consent = await ask("/zapier/connect")
    const callback = await Effect.runPromise(fake.approve(consent.headers.get("location") ?? ""))
    expect((await ask(callback)).headers.get("location")).toBe("/")
    const zaps = await ask("/")
    expect(zaps.status).toBe(200)
    expect(await zaps.json()).toMatchObject({ data: expect.any(Array) })
    expect((await ask("/zapier/disconnect", "POST")).status).toBe(303)
    expect((await ask("/")).status).toBe(303)
  })

describeWithRedis("the example of a Vercel function, with Redis", (server) => {
  connectsAndCalls("ZAPIER_REDIS_URL", server)
})

describeWithPostgres("the example of a Vercel function, with Postgres", (server) => {
  connectsAndCalls("ZAPIER_DATABASE_URL", server)
})
