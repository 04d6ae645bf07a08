import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as TokenExchange from "../../src/oauth/TokenExchange.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { reveal } from "../utils/Reveal.ts"

const jwt = Tokens.secret("a.signed.jwt")
const access = Tokens.secret("acce55")
const resource = "https://connect.example/to/app"

// The names of RFC 8693 section 2.1, and of the token types of Zapier.
const grantType = ["grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"]
const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`

describe("TokenExchange", () => {
  it("exchanges a JWT for an access token with all scopes that the user may have", () => {
    expect(reveal(TokenExchange.accessToken(jwt, []))).toEqual({
      _tag: "TokenExchange",
      scopes: [],
      parameters: {
        secret: [
          grantType,
          ["subject_token", "a.signed.jwt"],
          ["subject_token_type", type("external-jwt")],
          ["requested_token_type", type("access-token")]
        ]
      }
    })
  })

  it("exchanges a JWT for an access token with certain scopes", () => {
    const { parameters, scopes } = reveal(TokenExchange.accessToken(jwt, ["zap", "zap:write"])) as {
      readonly scopes: unknown
      readonly parameters: { readonly secret: ReadonlyArray<unknown> }
    }
    expect(scopes).toEqual(["zap", "zap:write"])
    expect(parameters.secret).toContainEqual(["scope", "zap zap:write"])
  })

  it("exchanges an access token for a connect token of one resource", () => {
    expect(reveal(TokenExchange.connectToken(access, resource))).toEqual({
      _tag: "ConnectToken",
      scopes: ["connection:write"],
      parameters: {
        secret: [
          grantType,
          ["subject_token", "acce55"],
          ["subject_token_type", type("access-token")],
          ["requested_token_type", type("connect-token")],
          ["scope", "connection:write"],
          ["resource", resource]
        ]
      }
    })
  })

  it("shows no token when the request is printed", () => {
    const requests = [TokenExchange.accessToken(jwt, ["zap"]), TokenExchange.connectToken(access, resource)]
    expect(`${JSON.stringify(requests)} ${inspect(requests, { depth: 9 })}`).not.toMatch(/signed|acce55/)
  })
})
