import { execFile } from "node:child_process"
import { request, type IncomingHttpHeaders } from "node:http"
import { connect } from "node:net"
import { networkInterfaces } from "node:os"
import { text } from "node:stream/consumers"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as CallbackServer from "../../src/cli/run/callbackServer.ts"
import * as Loopback from "../../src/cli/run/loopback.ts"
import * as Peer from "../../src/cli/run/peer.ts"
import { freePort } from "../utils/freePort.ts"

const consent = "https://zapier.example/authorize?client_id=acme&state=the-state"

interface Response {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A request as anybody can send it, with any headers. */
const get = (url: string, headers: Record<string, string> = {}, method = "GET", host = new URL(url).hostname) =>
  Effect.promise(
    () =>
      new Promise<Response>((resolve, reject) => {
        const { pathname, port, search } = new URL(url)
        const sent = request(
          { host: host.replace(/[[\]]/g, ""), port, path: pathname + search, method, headers, agent: false },
          (response) => {
            void text(response).then((body) =>
              resolve({ status: response.statusCode, headers: response.headers, body })
            )
          }
        )
        sent.on("error", reject).end()
      })
  )

const cookieOf = ({ headers }: Response) => headers["set-cookie"]?.[0]?.split(";")[0] ?? ""

/** A login that waits, and what it was given to complete. */
const waiting = Effect.fnUntraced(function* (host = "127.0.0.1") {
  const redirectUri = `http://${host}:${yield* Effect.promise(freePort)}/callback`
  const completed: Array<string> = []
  const server = yield* CallbackServer.make({
    redirectUri,
    consent: Redacted.make(consent),
    complete: (query) => Effect.sync(() => completed.push(query))
  })
  const isReached = (address: string) =>
    Effect.callback<boolean>((resume) => {
      const socket = connect({ host: address, port: Number(new URL(redirectUri).port) })
      socket.once("connect", () => resume(Effect.sync(() => socket.destroy()).pipe(Effect.as(true))))
      socket.once("error", () => resume(Effect.succeed(false)))
    })
  return { ...server, redirectUri, completed, isReached, callback: `${redirectUri}?code=a&state=the-state` }
})

const ended = (result: Effect.Effect<number, { readonly message: string }>) =>
  Effect.map(Effect.flip(result), ({ message }) => message)

const here = Object.values(networkInterfaces()).flatMap((found) => found ?? [])

const hasIPv6 = here.some(({ address }) => address === "::1")

describe("the callback server", () => {
  it.live("sends one browser to the consent page, as often as it asks, and takes the code from it", () =>
    Effect.gen(function* () {
      const login = yield* waiting()
      const first = yield* get(login.start)
      expect([first.status, first.headers.location]).toEqual([302, consent])
      expect(first.headers["set-cookie"]?.[0]).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Max-Age=900$/)
      const cookie = cookieOf(first)
      const again = yield* get(login.start, { cookie })
      expect([again.status, again.headers.location]).toEqual([302, consent])
      const back = yield* get(login.callback, { cookie: `other=1; ${cookie}` })
      expect([back.status, login.completed]).toEqual([200, ["?code=a&state=the-state"]])
      yield* login.result
    })
  )

  it.live("knows the browser, whatever other login it has begun at another port", () =>
    Effect.gen(function* () {
      const [login, other] = [yield* waiting(), yield* waiting()]
      const jar = new Map<string, string>()
      const browse = Effect.fnUntraced(function* (url: string) {
        const response = yield* get(url, { cookie: [...jar].map((cookie) => cookie.join("=")).join("; ") })
        const [name = "", value = ""] = cookieOf(response).split("=")
        if (name !== "") jar.set(name, value)
        return response.status
      })
      expect([yield* browse(login.start), yield* browse(other.start)]).toEqual([302, 302])
      expect([yield* browse(login.callback), yield* browse(other.callback)]).toEqual([200, 200])
      yield* Effect.all([login.result, other.result])
    })
  )

  it.live("takes the code without a cookie, if the consent page was opened by the address that was printed", () =>
    Effect.gen(function* () {
      const login = yield* waiting()
      expect((yield* get(login.callback)).status).toBe(200)
      expect(login.completed).toHaveLength(1)
    })
  )

  it.live.each([
    ["none", () => ({})],
    ["another", (cookie: string) => ({ cookie: `${cookie}x` })]
  ] as const)("ends the login when a second browser, whose cookie is %s, opens the page", ([, headers]) =>
    Effect.gen(function* () {
      const login = yield* waiting()
      const first = yield* get(login.start)
      const second = yield* get(login.start, headers(cookieOf(first)))
      expect([second.status, second.headers.location, second.headers["set-cookie"]]).toEqual([
        409,
        undefined,
        undefined
      ])
      expect(second.body).toContain("The login was ended")
      expect(yield* ended(login.result)).toMatch(/^two browsers opened the page of this login/)
      expect(login.completed).toEqual([])
    })
  )

  it.live.each([
    ["no", () => ({})],
    ["another", (cookie: string) => ({ cookie: `${cookie}x` })]
  ] as const)("takes no code from a browser with %s cookie, once another has opened the page", ([, headers]) =>
    Effect.gen(function* () {
      const login = yield* waiting()
      const first = yield* get(login.start)
      expect((yield* get(login.callback, headers(cookieOf(first)))).status).toBe(409)
      expect(yield* ended(login.result)).toContain("another user of this machine")
      expect(login.completed).toEqual([])
    })
  )

  it.live("takes no code of another login, whoever brings it, and goes on waiting", () =>
    Effect.gen(function* () {
      const login = yield* waiting()
      const cookie = cookieOf(yield* get(login.start))
      for (const query of ["code=a&state=earlier", "code=a", "", "code=a&state=the-state&state=the-state", "state="]) {
        const response = yield* get(`${login.redirectUri}?${query}`, { cookie })
        expect([response.status, response.body.includes("still waits.")]).toEqual([400, true])
      }
      expect(login.completed).toEqual([])
      expect((yield* get(login.callback, { cookie })).status).toBe(200)
    })
  )

  it.live("does nothing for a page of another origin, another method, another path, or a prefetch", () =>
    Effect.gen(function* () {
      const login = yield* waiting()
      const { host, port } = new URL(login.redirectUri)
      for (const path of [login.start, login.callback]) {
        for (const foreign of [
          "evil.example",
          `evil.example:${port}`,
          "127.0.0.1",
          `localhost:${port}`,
          `${host}.evil.example`
        ]) {
          expect((yield* get(path, { host: foreign })).status, foreign).toBe(404)
        }
        for (const method of ["HEAD", "POST", "OPTIONS"]) expect((yield* get(path, {}, method)).status).toBe(404)
        expect((yield* get(path, { "sec-purpose": "prefetch;prerender" })).status).toBe(503)
      }
      for (const path of ["/start", "/", "//", "//:", "/callback/", "/%00"]) {
        expect((yield* get(`http://${host}${path}`)).status, path).toBe(404)
      }
      expect(login.completed).toEqual([])
      expect((yield* get(login.start)).status).toBe(302)
    })
  )

  it.live.skipIf(process.platform !== "linux" || process.geteuid?.() !== 0)(
    "does not show the page to another user, and goes on waiting (only root can become one)",
    () =>
      Effect.gen(function* () {
        for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
          if (host === "[::1]" && !hasIPv6) continue
          const login = yield* waiting(host)
          const status = (uid: number) =>
            Effect.callback<string>((resume) => {
              const options = { uid, gid: uid, cwd: "/" }
              execFile("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", login.start], options, (_, stdout) =>
                resume(Effect.succeed(stdout))
              )
            })
          expect(yield* status(65534)).toBe("404")
          expect((yield* get(login.start)).status).toBe(302)
          expect(yield* status(65534)).toBe("404")
          const user = yield* Effect.forkChild(login.result)
          expect(user.pollUnsafe()).toBe(undefined)
        }
      })
  )

  it.live("listens where the redirect URI leads, and nowhere else", () =>
    Effect.gen(function* () {
      const outside = here.filter(({ internal, scopeid }) => !internal && !scopeid).map(({ address }) => address)
      // All of 127.0.0.0/8 is there on Linux.
      if (process.platform === "linux") outside.push("127.0.0.2")
      const four = yield* waiting()
      expect(yield* four.isReached("127.0.0.1")).toBe(true)
      const both = yield* waiting("localhost")
      expect([yield* both.isReached("127.0.0.1"), yield* both.isReached("::1")]).toEqual([true, hasIPv6])
      const logins = [four, both]
      if (hasIPv6) {
        const six = yield* waiting("[::1]")
        expect([yield* six.isReached("::1"), yield* six.isReached("127.0.0.1")]).toEqual([true, false])
        expect((yield* get(six.start)).status).toBe(302)
        expect((yield* get(both.callback, { host: new URL(both.start).host }, "GET", "::1")).status).toBe(200)
        logins.push(six)
      }
      for (const login of logins) {
        for (const address of outside) expect(yield* login.isReached(address), address).toBe(false)
      }
    })
  )

  it.live("says which address is taken, of both that localhost has", () =>
    Effect.gen(function* () {
      const other = yield* waiting()
      const error = yield* Effect.flip(
        CallbackServer.make({
          redirectUri: other.redirectUri.replace("127.0.0.1", "localhost"),
          consent: Redacted.make(consent),
          complete: () => Effect.void
        })
      )
      expect(error.message).toContain(`cannot listen on ${new URL(other.redirectUri).host}`)
    })
  )

  it("knows whose connection it is, as Linux tells", () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2437 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 502 1 0
   1: 0100007F:D431 0100007F:2437 01 00000000:00000000 00:00000000 00000000  1001        0 503 1 0
   2: 0100007F:2437 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 504 1 0
`
    expect(Peer.ownersIn(table, { localPort: 0x2437, remotePort: 0xd431 })).toEqual([1001])
    expect(Peer.ownersIn(table, { localPort: 0x2437, remotePort: 0xd432 })).toEqual([])
    for (const text of ["", "\n\n", "nonsense\nnonsense", table.slice(0, 250)]) {
      expect(Peer.ownersIn(text, { localPort: 1, remotePort: 2 })).toEqual([])
    }
  })

  it("knows the addresses of a redirect URI", () => {
    for (const [uri, addresses] of [
      ["http://127.0.0.1:1/", ["127.0.0.1"]],
      ["http://127.8.9.1:1/", ["127.8.9.1"]],
      ["http://[::1]:1/", ["::1"]],
      ["http://localhost:1/", ["127.0.0.1", "::1"]]
    ] as const) {
      expect(Loopback.addressesOf(new URL(uri))).toEqual(addresses)
    }
  })
})
