import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Application } from "../../src/oauth/ClientApplication.ts"
import * as TokenRequest from "../../src/oauth/TokenRequest.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import * as ZapierUrls from "../../src/zapier/ZapierUrls.ts"

const application: Application = {
  clientId: "client",
  clientSecret: Redacted.make("s3cret"),
  redirectUris: ["https://app.example/callback"],
  authentication: "Basic"
}

const { token } = ZapierUrls.production

const code: TokenRequest.TokenRequest = {
  _tag: "AuthorizationCode",
  code: Tokens.secret("c0de"),
  codeVerifier: undefined,
  redirectUri: "https://app.example/callback",
  scopes: ["zap"]
}

const formOf = (request: HttpClientRequest.HttpClientRequest) =>
  request.body._tag === "Uint8Array" ? [...new URLSearchParams(new TextDecoder().decode(request.body.body))] : []

// What a server does with the header (RFC 6749 section 2.3.1).
const decodeBasic = (header: string | undefined) => {
  const decoded = Buffer.from(header?.replace("Basic ", "") ?? "", "base64").toString("utf8")
  const colon = decoded.indexOf(":")
  const formDecode = (text: string) => decodeURIComponent(text.replaceAll("+", " "))
  return [formDecode(decoded.slice(0, colon)), formDecode(decoded.slice(colon + 1))]
}

const Text = Schema.NonEmptyString.check(Schema.makeFilter((text: string) => text.isWellFormed()))

describe("TokenRequest.toHttp", () => {
  it("posts a form to the token endpoint, with nothing in the URL", () => {
    const request = TokenRequest.toHttp(code, application, token)
    expect([request.method, request.url, [...request.urlParams]]).toEqual(["POST", token, []])
    expect(request.headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/)
    expect(request.headers["accept"]).toBe("application/json")
  })

  it("exchanges a code with its redirect URI, and with PKCE's verifier where there is one", () => {
    const exchange = [
      ["grant_type", "authorization_code"],
      ["code", "c0de"],
      ["redirect_uri", "https://app.example/callback"]
    ]
    expect(formOf(TokenRequest.toHttp(code, application, token))).toEqual(exchange)
    const bound = { ...code, codeVerifier: Tokens.secret("v3rifier") }
    expect(formOf(TokenRequest.toHttp(bound, application, token))).toEqual([...exchange, ["code_verifier", "v3rifier"]])
  })

  it("refreshes without naming scopes, so that they stay as they are", () => {
    const refresh = { _tag: "Refresh", refreshToken: Tokens.secret("r3fresh"), scopes: ["zap"] } as const
    expect(formOf(TokenRequest.toHttp(refresh, application, token))).toEqual([
      ["grant_type", "refresh_token"],
      ["refresh_token", "r3fresh"]
    ])
  })

  it("asks for a token of the app, with scopes if there are any", () => {
    const ask = (scopes: ReadonlyArray<string>) =>
      formOf(TokenRequest.toHttp({ _tag: "ClientCredentials", scopes }, application, token))
    expect(ask(["a", "b"])).toEqual([
      ["grant_type", "client_credentials"],
      ["scope", "a b"]
    ])
    expect(ask([])).toEqual([["grant_type", "client_credentials"]])
  })

  it.prop("authenticates by a header that decodes to the very id and secret", [Text, Text], ([id, secret]) => {
    const by = { ...application, clientId: id, clientSecret: Redacted.make(secret) }
    const request = TokenRequest.toHttp(code, by, token)
    expect(decodeBasic(request.headers["authorization"])).toEqual([id, secret])
    expect(formOf(request).map(([name]) => name)).toEqual(["grant_type", "code", "redirect_uri"])
  })

  it("form-encodes both parts of the header before it joins them", () => {
    const by = { clientId: "a:b c", clientSecret: Redacted.make("1%+é") }
    expect(Buffer.from(TokenRequest.basic(by).slice(6), "base64").toString()).toBe("a%3Ab+c:1%25%2B%C3%A9")
  })

  it.prop("authenticates in the body when told to, and then in no header", [Text, Text], ([id, secret]) => {
    const by: Application = {
      ...application,
      clientId: id,
      clientSecret: Redacted.make(secret),
      authentication: "Body"
    }
    const request = TokenRequest.toHttp({ _tag: "ClientCredentials", scopes: [] }, by, token)
    expect(request.headers["authorization"]).toBeUndefined()
    expect(formOf(request)).toEqual([
      ["grant_type", "client_credentials"],
      ["client_id", id],
      ["client_secret", secret]
    ])
  })

  it.prop("carries any code, redirect URI, verifier and refresh token unharmed", [Text, Text, Text], ([a, b, c]) => {
    const exchange = { ...code, code: Tokens.secret(a), redirectUri: b, codeVerifier: Tokens.secret(c) }
    expect(formOf(TokenRequest.toHttp(exchange, application, token)).map(([, value]) => value)).toEqual([
      "authorization_code",
      a,
      b,
      c
    ])
    const refresh = { _tag: "Refresh", refreshToken: Tokens.secret(a), scopes: [] } as const
    expect(formOf(TokenRequest.toHttp(refresh, application, token))[1]).toEqual(["refresh_token", a])
  })

  it("shows no secret when the request is printed", () => {
    for (const authentication of ["Basic", "Body"] as const) {
      const request = TokenRequest.toHttp(code, { ...application, authentication }, token)
      const shown = `${JSON.stringify(request)} ${inspect(request, { depth: 9 })} ${String(request)}`
      for (const secret of ["s3cret", "c0de", TokenRequest.basic(application)]) expect(shown).not.toContain(secret)
    }
  })
})
