/**
 * A token endpoint that lies, hangs or attacks: its texts reach no user, its bad tokens are rejected, the app survives.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { gzipSync } from "node:zlib"
import { from } from "../browser.ts"
import { type Case, type Kind, type Seen, sitesOf, when } from "../case.ts"
import * as Page from "../page.ts"
import type { Site } from "../sites.ts"
import { secretsOf, type Stage } from "../stage.ts"
import type { Lie } from "../zapier.ts"

const marker = "lie-marker"

const html = `<html><script>alert("${marker}")</script></html>`

const json = (body: unknown, status = 200): Lie => text(typeof body === "string" ? body : JSON.stringify(body), status)

const text =
  (body: string | Buffer, status = 200, headers: Record<string, string | Array<string>> = {}): Lie =>
  (response) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body)
  }

const granted = (member: Record<string, unknown>) => ({
  access_token: `${marker}-access`,
  refresh_token: `${marker}-refresh`,
  token_type: "Bearer",
  expires_in: 36_000,
  scope: "zap",
  ...member
})

/** A redirect to a server that records its visitors. */
const leading =
  (status: number): Lie =>
  (response, trap) => {
    response.writeHead(status, { Location: `${trap}/oauth/token/` }).end()
  }

/** An endless body. */
const endless =
  (head: string, pause: number): Lie =>
  async (response) => {
    response.writeHead(200, { "Content-Type": "application/json" })
    response.write(head)
    while (!response.destroyed && response.socket?.destroyed === false) {
      response.write(" ".repeat(pause === 0 ? 65_536 : 1))
      await sleep(pause)
    }
  }

/** Bytes on the socket, which need not be HTTP. */
const bytes =
  (all: string): Lie =>
  (response) => {
    response.socket?.end(all)
  }

const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`

// With these, no user may be connected afterwards.
const unusable: ReadonlyArray<readonly [string, Lie]> = [
  ["a page", text(html, 200, { "Content-Type": "text/html" })],
  ["a page declared as JSON", text(html)],
  ["a page with status 500", text(html, 500, { "Content-Type": "text/html" })],
  ["a page with status 403", text(html, 403, { "Content-Type": "text/html" })],
  ["an unknown status", text(html, 799)],
  ["nothing", text("")],
  ["nothing, with status 204", text("", 204)],
  ["status 304", text("", 304)],
  ["status 401 with a challenge", text(html, 401, { "WWW-Authenticate": `Basic realm="${marker}"` })],
  ["a redirect elsewhere, 301", leading(301)],
  ["a redirect elsewhere, 302", leading(302)],
  ["a redirect elsewhere, 303", leading(303)],
  ["a redirect elsewhere, 307", leading(307)],
  ["a redirect elsewhere, 308", leading(308)],
  ["a redirect to a script", text("", 302, { Location: `javascript:alert("${marker}")` })],
  ["an error with markup", json({ error: html, error_description: html, error_uri: html }, 400)],
  ["a rejected grant with markup", json({ error: "invalid_grant", error_description: html }, 400)],
  ["a rejected client with markup", json({ error: "invalid_client", error_description: html }, 401)],
  ["an error that is an object", json({ error: { toString: marker } }, 400)],
  ["a token with a line break", json(granted({ access_token: `${marker}\r\nX-Planted: 1` }))],
  ["a token with NUL", json(granted({ access_token: `${marker}\u0000` }))],
  ["a token of other characters", json(granted({ access_token: `${marker}é` }))],
  ["an empty token", json(granted({ access_token: "" }))],
  ["a token that is a number", json(granted({ access_token: 5 }))],
  ["a token that is null", json(granted({ access_token: null }))],
  ["a token that is a list", json(granted({ access_token: [marker] }))],
  ["a token that is an object", json(granted({ access_token: { toString: marker } }))],
  ["a token in a prototype", json(`{"__proto__":{"access_token":"${marker}"},"token_type":"Bearer"}`)],
  ["a list", json([granted({})])],
  ["a text", json(JSON.stringify(marker))],
  ["null", json("null")],
  ["depth", json(deep)],
  ["JSON that breaks off", json(`{"access_token":"${marker}`)],
  ["JSON with more behind it", json(`${JSON.stringify(granted({}))}${marker}`)],
  ["5 MB", json(`{"access_token":"${marker}","x":"${"x".repeat(5_000_000)}"}`)],
  ["a token of 1 MB", json(granted({ access_token: marker.repeat(100_000) }))],
  ["20 MB that are sent as few", text(gzipSync(Buffer.alloc(20_000_000, " ")), 200, { "Content-Encoding": "gzip" })],
  ["invalid gzip", text(marker, 200, { "Content-Encoding": "gzip" })],
  ["an unknown coding", text(marker, 200, { "Content-Encoding": marker })],
  ["a body without an end", endless('{"access_token":"', 0)],
  ["a slow endless body", endless('{"access_token":"', 50)],
  ["invalid HTTP", bytes(`${marker}\r\n\r\n`)],
  ["headers without an end", bytes(`HTTP/1.1 200 OK\r\n${`X-Large: ${"x".repeat(1_000)}\r\n`.repeat(100)}\r\n`)],
  ["a body shorter than its length", bytes(`HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"access_token":"${marker}`)],
  ["a length that is no number", bytes(`HTTP/1.1 200 OK\r\nContent-Length: ${marker}\r\n\r\n{}`)],
  ["broken chunks", bytes(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${marker}`)],
  ["a closed connection", (response) => void response.socket?.destroy()],
  ["a reset connection", (response) => void response.socket?.resetAndDestroy()]
]

// With these, a user may be connected: usable tokens are used.
const usable: ReadonlyArray<readonly [string, Lie]> = [
  ["a token with a space", json(granted({ access_token: `${marker} ${marker}` }))],
  ["a token that is markup with spaces", json(granted({ access_token: `<img src=x ${marker}>` }))],
  [
    "cookies and a redirect",
    text(JSON.stringify(granted({})), 200, { "Set-Cookie": [`${marker}=1`], Refresh: `0;url=//${marker}` })
  ],
  ["a scope with markup", json(granted({ scope: html }))],
  ["a scope that is an object", json(granted({ scope: { toString: html } }))],
  ["a kind of token with markup", json(granted({ token_type: html }))],
  ["a lifetime without an end", json('{"access_token":"lie-marker","token_type":"Bearer","expires_in":1e999}')],
  ["a lifetime below zero", json(granted({ expires_in: -5 }))],
  ["a lifetime that is markup", json(granted({ expires_in: html }))],
  ["a refresh token with a line break", json(granted({ refresh_token: `${marker}\r\nX-Planted: 1` }))],
  ["more members with markup", json(granted({ [html]: html, message: html, redirect: `//${marker}` }))],
  ["a page's content type", text(JSON.stringify(granted({})), 200, { "Content-Type": "text/html" })]
]

const tell = async (stage: Stage, site: Site, lie: Lie, accept: string, isUsable: boolean): Promise<Seen> => {
  const user = stage.user("ada")
  const browser = stage.browser(site, user)
  const callback = await stage.callback(browser)
  stage.world.zapier.lieAbout(secretsOf(callback).code, lie)
  const response = await browser.visit(callback, { headers: [["Accept", accept], ...from.otherSite] })
  const status = await stage.browser(site, user).visit("/zapier/status")
  return (
    when(response.status === 0, "the callback gets no response") ??
    // A user may read the scopes that they allowed.
    when(response.raw.replaceAll(/"scopes":\[[^\]]*\]/g, "").includes(marker), "the response repeats it") ??
    Page.runs(response) ??
    Page.lacks(response) ??
    Page.lacks(status) ??
    when(stage.exchanges(callback) !== 1, `the code is sent ${stage.exchanges(callback)} times`) ??
    when(response.status < 400 && !isUsable, "the user is told that it worked") ??
    when((await stage.isConnected(site, user)) && !isUsable, "its token is accepted") ??
    when(stage.world.zapier.trapped.length > 0, "the app follows the redirect")
  )
}

const toldIn =
  (isUsable: boolean) =>
  ([what, lie]: readonly [string, Lie]): Case => ({
    wants: `${what} from the token endpoint to reach a user, or to end the app`,
    // In parallel, because some lies take long.
    attempt: async (stage) => {
      const all = await Promise.all(
        sitesOf(stage).flatMap((site) =>
          ["text/html", "application/json"].map(async (accept) => {
            const seen = await tell(stage, site, lie, accept, isUsable)
            return seen === undefined ? undefined : `${seen} (${site.name})`
          })
        )
      )
      return all.find((seen) => seen !== undefined)
    }
  })

export const lyingZapier: Kind = {
  name: "a malicious token endpoint",
  cases: [...unusable.map(toldIn(false)), ...usable.map(toldIn(true))]
}
