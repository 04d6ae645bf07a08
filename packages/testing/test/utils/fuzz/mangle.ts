/** Requests that no client would send, and what may come of them at most. */
import type * as FakeHttp from "../../../src/fake/FakeHttp.ts"
import type { Chooser } from "./choose.ts"
import type { Oracle } from "./oracle.ts"

const flip = (choose: Chooser, bytes: Uint8Array) => {
  const flipped = bytes.slice()
  for (let i = choose.below(4); i >= 0 && flipped.length > 0; i--)
    flipped[choose.below(flipped.length)] = choose.below(256)
  return flipped
}

const manglings: ReadonlyArray<(choose: Chooser, request: FakeHttp.FakeRequest) => Partial<FakeHttp.FakeRequest>> = [
  (choose, { body }) => ({ body: flip(choose, body) }),
  (choose, { body }) => ({ body: flip(choose, body) }),
  (choose, { body }) => ({ body: body.slice(0, choose.below(body.length + 1)) }),
  (choose, { body }) => ({ body: new Uint8Array([...body, ...choose.bytes(choose.below(40))]) }),
  (choose) => ({ body: choose.bytes(choose.below(2_000)) }),
  (choose, { body }) => ({ body: new Uint8Array(choose.rarely(20) ? 1_000_000 : 20_000).fill(body[0] ?? 0x26) }),
  (choose, { query }) => ({ query: `${query}&${choose.hostile()}&client_id=${choose.hostile()}` }),
  (choose, { query }) => ({ query: choose.mutate(query) }),
  (choose, { path }) => ({ path: choose.mutate(path) }),
  (choose, { path }) => ({
    path: choose.of([`/${path}`, `${path}/`, `${path};x`, `${path}//`, path.toUpperCase(), "", "*", "/.."])
  }),
  (choose) => ({ method: choose.of(["BREW", "", "post", "CONNECT", "TRACE", "OPTIONS", "HEAD", "GET\n"]) }),
  (choose, { headers }) => ({
    headers: {
      ...headers,
      "content-type": choose.of([
        choose.hostile(),
        "multipart/form-data",
        "multipart/form-data; boundary=",
        `multipart/form-data; boundary="${"x".repeat(200)}"`,
        "multipart/form-data; boundary=----fuzz; charset=utf-16",
        "application/x-www-form-urlencoded; charset=utf-7",
        ";;;"
      ])
    }
  }),
  (choose, { headers }) => ({
    headers: {
      ...headers,
      authorization: choose.of([
        choose.hostile(),
        "Basic",
        "Basic ====",
        "Basic OjpBOg==",
        "Bearer",
        `Bearer ${"x".repeat(10_000)}`,
        choose.mutate(headers["authorization"] ?? "")
      ])
    }
  }),
  (choose, { headers }) => ({
    headers: { ...headers, [choose.of(["cookie", "__proto__", "host", ""])]: choose.hostile() }
  })
]

export const mangle = (choose: Chooser, request: FakeHttp.FakeRequest): FakeHttp.FakeRequest => ({
  ...request,
  ...choose.of(manglings)(choose, request)
})

const loosely = (text: string) =>
  text.replace(/%[\da-f]{2}/gi, (encoded) => String.fromCharCode(Number.parseInt(encoded.slice(1), 16)))

/** All that a request says, however it is written. */
const textOf = ({ body, headers, query }: FakeHttp.FakeRequest): string => {
  const raw = Array.from(body.subarray(0, 100_000), (byte) => String.fromCharCode(byte)).join("")
  const encoded = /^basic +([A-Za-z\d+/=]+)/i.exec(headers["authorization"] ?? "")?.[1]
  const credentials = encoded === undefined ? "" : Buffer.from(encoded, "base64").toString("latin1")
  return [raw, credentials, query]
    .flatMap((text) => [text, loosely(text), loosely(text.replace(/\+/g, " "))])
    .join("\n")
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token?: string
  readonly scope: string
}

/**
 * Notes the tokens that such a request was given. They are forbidden unless the request names an app and its secret, and
 * holds what the tokens are given for.
 */
export const accept = (oracle: Oracle, request: FakeHttp.FakeRequest, tokens: Tokens): void => {
  const text = textOf(request)
  const { access_token, refresh_token } = tokens
  if (request.method !== "POST" || request.path !== "/oauth/token/") throw new Error("tokens from nowhere")
  const app = oracle.apps.find(({ id, secret }) => text.includes(id) && text.includes(secret))
  if (app === undefined) throw new Error("tokens without a client's credentials")
  const scopes = tokens.scope.split(" ")
  if (refresh_token === undefined) {
    if (!text.includes("client_credentials")) throw new Error("an app's token that was not asked for")
    return oracle.giveToApp(app, scopes, access_token)
  }
  for (const [given, code] of oracle.codes.all) {
    if (!text.includes(given)) continue
    const isProven = code.verifier === undefined || text.includes(code.verifier)
    const isGood = code.app === app && code.grant === undefined && !oracle.isExpired(code) && isProven
    if (!isGood || !text.includes(code.redirectUri)) throw new Error("tokens for a code that is not good")
    return oracle.giveForCode(code, access_token, refresh_token)
  }
  for (const [given, grant] of oracle.refreshTokens.all) {
    if (!text.includes(given)) continue
    const isGood = grant.app === app && !grant.isRevoked && grant.refreshToken === given
    if (!isGood || !scopes.every((scope) => grant.scopes.includes(scope))) {
      throw new Error("tokens for a refresh token that is not good")
    }
    return oracle.give(grant, scopes, access_token, refresh_token)
  }
  throw new Error("tokens for nothing")
}

/** Whether a request has something in it that was used up, and whose coming again ends what it gave. */
export const endsSomething = (oracle: Oracle, request: FakeHttp.FakeRequest): boolean => {
  const text = textOf(request)
  for (const [given, code] of oracle.codes.all) if (code.grant !== undefined && text.includes(given)) return true
  for (const [given, grant] of oracle.refreshTokens.all) {
    if (grant.refreshToken !== given && text.includes(given)) return true
  }
  return false
}
