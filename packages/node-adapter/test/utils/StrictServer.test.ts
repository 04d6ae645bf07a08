/** Tests that pass because of a server that is not strict would prove nothing. */
import { describe, expect, it } from "@effect/vitest"
import * as StrictServer from "./StrictServer.ts"

const { clientId, clientSecret, redirectUris } = StrictServer.application

interface Tokens {
  readonly access_token?: string
  readonly refresh_token?: string
}

// Any client will do, if it is none of this library. @effect-diagnostics globalFetch:off
const clientOf = ({ approve, origin }: StrictServer.StrictServer) => ({
  code: () => {
    const asked = new URLSearchParams({ redirect_uri: redirectUris[0], state: "a state" })
    const callback = new URL(approve(`${origin}/v2/authorize?${asked.toString()}`))
    expect(callback.searchParams.get("state")).toBe("a state")
    return callback.searchParams.get("code") ?? ""
  },
  token: async (grantType: string, parameters: { readonly [name: string]: string }, secret: string = clientSecret) => {
    const response = await fetch(`${origin}/oauth/token/`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` },
      body: new URLSearchParams({ grant_type: grantType, redirect_uri: redirectUris[0], ...parameters })
    })
    const { access_token = "", refresh_token = "" } = (await response.json()) as Tokens
    return { status: response.status, access: access_token, refresh: refresh_token }
  },
  call: async (accessToken: string, method = "GET", path = "/v2/zaps") => {
    const { status } = await fetch(`${origin}${path}`, { method, headers: { authorization: `Bearer ${accessToken}` } })
    return status
  }
})

describe("StrictServer", () => {
  it("rotates both tokens, and ends the grant when a refresh token comes again", async () => {
    await using server = await StrictServer.start()
    const { call, code, token } = clientOf(server)
    const first = await token("authorization_code", { code: code() })
    expect(await call(first.access)).toBe(200)
    const second = await token("refresh_token", { refresh_token: first.refresh })
    expect(await Promise.all([call(first.access), call(second.access)])).toEqual([401, 200])
    expect((await token("refresh_token", { refresh_token: first.refresh })).status).toBe(400)
    expect(await call(second.access)).toBe(401)
    expect((await token("refresh_token", { refresh_token: second.refresh })).status).toBe(400)
    expect(server.tokenRequests().map(({ status }) => status)).toEqual([200, 200, 400, 400])
  })

  it("takes a code once, and ends the grant when it comes again", async () => {
    await using server = await StrictServer.start()
    const { call, code, token } = clientOf(server)
    const once = code()
    const { access } = await token("authorization_code", { code: once })
    const other = await token("authorization_code", { code: code() })
    expect((await token("authorization_code", { code: once })).status).toBe(400)
    expect(await Promise.all([call(access), call(other.access)])).toEqual([401, 200])
    server.endAccessTokens()
    expect(await call(other.access)).toBe(401)
  })

  it("tells the app's token, a wrong secret, and what it does not know", async () => {
    await using server = await StrictServer.start()
    const { call, token } = clientOf(server)
    const { access } = await token("client_credentials", {})
    const promotion = "/v2/promotions/12"
    expect(await Promise.all([call(access), call(access, "DELETE", promotion)])).toEqual([401, 200])
    expect((await token("client_credentials", {}, "another")).status).toBe(401)
    expect(await call(access, "DELETE", promotion)).toBe(200)
    expect(await Promise.all([call("", "DELETE", promotion), call(access, "GET", "/v2/apps")])).toEqual([401, 404])
  })

  it("acts at once on a request whose response it holds back", async () => {
    await using server = await StrictServer.start()
    const { call, token } = clientOf(server)
    const held = server.hold()
    const response = token("client_credentials", {})
    await held.received
    expect(server.tokenRequests()).toEqual([{ grantType: "client_credentials", status: 200 }])
    // Only the next one.
    expect((await token("client_credentials", {})).status).toBe(200)
    held.respond()
    await held.responded
    // The later one has replaced it.
    expect(await call((await response).access, "DELETE", "/v2/promotions/12")).toBe(401)
  })
})
