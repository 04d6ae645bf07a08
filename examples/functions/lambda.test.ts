import { afterAll, expect, it, vi } from "@effect/vitest"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
// Loaded before `fetch` is replaced.
import "@zapier-workflow-auth/node-adapter/ZapierPromise"
import * as Effect from "effect/Effect"
import { describeWithPostgres } from "../../packages/node-adapter/test/utils/PostgresSuite.ts"
import type * as Lambda from "./lambda.ts"

const domainName = "acme.example"

const redirectUri = `https://${domainName}/zapier/callback`

const app = { name: "Acme", clientId: "acme", clientSecret: "s3cret", redirectUris: [redirectUri] }

const fake = FakeZapier.make({ apps: [app] })

afterAll(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

describeWithPostgres("the example of a Lambda function", (server) => {
  it("connects a user, calls, also in another instance, and disconnects", async () => {
    vi.stubEnv("AWS_LAMBDA_FUNCTION_NAME", "acme")
    vi.stubEnv("DATABASE_URL", server().url)
    vi.stubEnv("ZAPIER_ENCRYPTION_KEYS", btoa("0123456789abcdef0123456789abcdef"))
    vi.stubEnv("ZAPIER_CLIENT_ID", app.clientId)
    vi.stubEnv("ZAPIER_CLIENT_SECRET", app.clientSecret)
    vi.stubEnv("ZAPIER_REDIRECT_URIS", redirectUri)
    vi.stubGlobal(
      "fetch",
      await Effect.runPromise(Effect.provideService(FakeZapier.fetch, FakeZapier.FakeZapier, fake))
    )
    // Each instance is a separate module over the same library, loaded before `fetch` was replaced.
    const instance = async (name: string) => {
      const { handler }: typeof Lambda = await import(/* @vite-ignore */ `./lambda.ts?${name}`)
      return handler
    }
    const cookies = new Map([["user", "ada"]])
    const ask = async (handler: Awaited<ReturnType<typeof instance>>, path: string, method = "GET") => {
      const url = new URL(path, `https://${domainName}`)
      const event: Lambda.Event = {
        rawPath: url.pathname,
        rawQueryString: url.search.slice(1),
        headers: { "sec-fetch-site": "same-origin", origin: url.origin },
        cookies: [...cookies].map(([name, value]) => `${name}=${value}`),
        requestContext: { domainName, http: { method } },
        isBase64Encoded: false
      }
      const result = await handler(event)
      for (const line of result.cookies) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
      return result
    }

    const one = await instance("one")
    expect((await ask(one, "/")).headers["location"]).toBe("/zapier/connect")
    const consent = await ask(one, "/zapier/connect")
    const callback = await Effect.runPromise(fake.approve(consent.headers["location"] ?? ""))
    expect(await ask(one, callback)).toMatchObject({ statusCode: 303, headers: { location: "/" } })
    const other = await instance("other")
    const zaps = await ask(other, "/")
    expect(zaps.statusCode).toBe(200)
    expect(JSON.parse(atob(zaps.body))).toMatchObject({ data: expect.any(Array) })
    expect((await ask(other, "/zapier/disconnect", "POST")).statusCode).toBe(303)
    expect((await ask(other, "/")).headers["location"]).toBe("/zapier/connect")
  })
})
