import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AuthorizationUrl from "../../src/oauth/AuthorizationUrl.ts"
import * as ZapierUrls from "../../src/zapier/ZapierUrls.ts"

const parameters: AuthorizationUrl.Parameters = {
  clientId: "abc",
  redirectUri: "https://app.example/callback?tenant=1",
  scopes: ["zap", "zap:write"],
  state: Redacted.make("st4te")
}

const parsed = (more: Partial<AuthorizationUrl.Parameters> = {}, urls = ZapierUrls.production) =>
  new URL(Redacted.value(AuthorizationUrl.build(urls, { ...parameters, ...more })))

const required = {
  response_type: "code",
  client_id: "abc",
  redirect_uri: "https://app.example/callback?tenant=1",
  scope: "zap zap:write",
  response_mode: "query",
  state: "st4te"
}

// Texts that survive encoding: half a surrogate pair has none.
const Text = Schema.String.check(Schema.makeFilter((text: string) => text.isWellFormed()))

describe("AuthorizationUrl.build", () => {
  it("has each given parameter of RFC 6749 section 4.1.1 once, and no other", () => {
    expect([...parsed().searchParams]).toEqual(Object.entries(required))
  })

  it("has every parameter that Zapier documents", () => {
    const url = parsed({
      codeChallenge: "ch4llenge",
      signUp: { email: "ada@example.com", firstName: "Ada", lastName: "Example" },
      campaign: { referer: "acme", utmCampaign: "c", utmContent: "t", utmMedium: "m", utmSource: "s" }
    })
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ...required,
      code_challenge: "ch4llenge",
      code_challenge_method: "S256",
      sign_up_email: "ada@example.com",
      sign_up_first_name: "Ada",
      sign_up_last_name: "Example",
      referer: "acme",
      utm_campaign: "c",
      utm_content: "t",
      utm_medium: "m",
      utm_source: "s"
    })
  })

  it("leads to the current consent page, to the older one when asked to, and to where the URLs say", () => {
    const at = (url: URL) => url.origin + url.pathname
    expect(at(parsed())).toBe("https://api.zapier.com/v2/authorize")
    expect(at(parsed({ page: "Current" }))).toBe("https://api.zapier.com/v2/authorize")
    expect(at(parsed({ page: "Legacy" }))).toBe("https://zapier.com/oauth/authorize/")
    expect(at(parsed({}, ZapierUrls.at("http://127.0.0.1:1/")))).toBe("http://127.0.0.1:1/v2/authorize")
  })

  it("separates scopes by %20 or +, which mean the same in a query", () => {
    expect(parsed().search).toMatch(/scope=zap(\+|%20)zap%3Awrite/)
  })

  it.prop(
    "preserves any parameters",
    { state: Text, redirectUri: Text, clientId: Text, email: Text, firstName: Text, referer: Text },
    ({ clientId, email, firstName, redirectUri, referer, state }) => {
      const { searchParams } = parsed({
        clientId,
        redirectUri,
        state: Redacted.make(state),
        signUp: { email, firstName },
        campaign: { referer }
      })
      expect(Object.fromEntries(searchParams)).toEqual({
        ...required,
        client_id: clientId,
        redirect_uri: redirectUri,
        state,
        sign_up_email: email,
        sign_up_first_name: firstName,
        referer
      })
    }
  )

  it("shows only that it is a redacted authorization URL", () => {
    const url = AuthorizationUrl.build(ZapierUrls.production, parameters)
    expect(JSON.stringify(url)).not.toContain("st4te")
    expect(inspect(url, { depth: 9, showHidden: true })).not.toContain("st4te")
    expect(JSON.stringify(url)).toBe(`"<redacted:authorization URL>"`)
  })
})
