/** Tests an app without Effect that takes a custom `fetch`, as most HTTP and OAuth libraries do. */
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import { expect, test } from "vitest"

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

// The app under test.
const consentUrl =
  "https://api.zapier.com/v2/authorize?response_type=code&client_id=abc&scope=zap" +
  "&redirect_uri=https%3A%2F%2Facme.example%2Fcallback"
const tokens = async (fetch: typeof globalThis.fetch, form: Record<string, string>) => {
  const headers = { authorization: `Basic ${btoa("abc:s3cret")}` }
  const body = new URLSearchParams(form)
  const response = await fetch("https://zapier.com/oauth/token/", { method: "POST", headers, body })
  return response.json() as Promise<{ access_token: string; refresh_token: string }>
}
const zaps = (fetch: typeof globalThis.fetch, token: string) =>
  fetch("https://api.zapier.com/v2/zaps", { headers: { authorization: `Bearer ${token}` } })

test("a user is connected, for ten hours and from then on", async () => {
  const zapier = FakeZapierPromise.make({ apps: [app] })
  const callback = new URL(await zapier.approve(consentUrl))
  const code = callback.searchParams.get("code") ?? ""
  const redirect_uri = "https://acme.example/callback"

  const first = await tokens(zapier.fetch, { grant_type: "authorization_code", code, redirect_uri })
  expect((await zaps(zapier.fetch, first.access_token)).status).toBe(200)

  await zapier.advance("10 hours")
  expect((await zaps(zapier.fetch, first.access_token)).status).toBe(401)

  const second = await tokens(zapier.fetch, { grant_type: "refresh_token", refresh_token: first.refresh_token })
  expect((await zaps(zapier.fetch, second.access_token)).status).toBe(200)
})
