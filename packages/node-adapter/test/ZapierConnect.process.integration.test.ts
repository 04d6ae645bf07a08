/**
 * The example web app in a process of its own, in which much goes wrong: neither what it exports, nor what it logs, nor what
 * its error reporter finds, holds a secret.
 */
import { fork } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer, text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { expect, it } from "@effect/vitest"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import { inText } from "../../core/test/utils/Leaks.ts"
import * as World from "./utils/ConnectWorld.ts"
import { describeWithPostgres } from "./utils/PostgresSuite.ts"

const program = fileURLToPath(new URL("./fixtures/tracedWebApp.ts", import.meta.url))

const redirectUri = "http://localhost:3000/zapier/callback"

const app = { ...World.application(redirectUri), clientSecret: "cl1ent/s3cret+0f-acme" }

const listen = async (handle: RequestListener) => {
  const server = createServer(handle)
  await once(server.listen(0, "127.0.0.1"), "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    }
  }
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const says =
  (status: number, body: string, type = "text/html"): Answer =>
  (_, response) =>
    void response.writeHead(status, { "content-type": type }).end(body)

const reset: Answer = (_, response) => void response.destroy()

const breaksOff: Answer = (_, response) => {
  response.writeHead(200, { "content-length": "100" }).write("{")
  setImmediate(() => response.destroy())
}

/** A fake over HTTP that answers the next requests as it is told, and notes what it is sent and sends. */
const startZapier = async () => {
  const fake = FakeZapierPromise.make({
    apps: [app],
    users: [{ email: "ada@example.com", firstName: "Ada", lastName: "Example" }]
  })
  const secrets = new Set<string>()
  const next = { token: [] as Array<Answer>, api: [] as Array<Answer> }
  const server = await listen((request, response) => {
    const handle = async () => {
      const body = await buffer(request)
      const { authorization = "" } = request.headers
      secrets.add(authorization.replace(/^\w+ /, ""))
      const isToken = request.url === "/oauth/token/"
      const form = new URLSearchParams(isToken ? body.toString() : "")
      for (const name of ["code", "code_verifier", "refresh_token"]) secrets.add(form.get(name) ?? "")
      const answer = next[isToken ? "token" : "api"].shift()
      if (answer !== undefined) return answer(request, response)
      const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)])
      const init = { method: request.method ?? "GET", headers, ...(body.length === 0 ? {} : { body }) }
      const answered = await fake.fetch(new URL(request.url ?? "/", server.url), init)
      response.writeHead(answered.status, Object.fromEntries(answered.headers)).end(await answered.text())
    }
    handle().catch(() => response.destroy())
  })
  return { fake, next, secrets, ...server }
}

const startCollector = async () => {
  const received = new Map<string, string>()
  const server = await listen((request, response) => {
    const { url = "" } = request
    text(request).then(
      (body) => {
        received.set(url, `${received.get(url) ?? ""}${body}\n`)
        response.writeHead(200, { "content-type": "application/json" }).end("{}")
      },
      () => response.destroy()
    )
  })
  return { received, ...server }
}

describeWithPostgres("The example web app", (postgres) => {
  it("exports, logs and reports no secret", { timeout: 120_000 }, async () => {
    await using zapier = await startZapier()
    await using collector = await startCollector()
    const encryptionKey = randomBytes(32).toString("base64")
    const child = fork(program, [collector.url, zapier.url, redirectUri], {
      execArgv: [],
      silent: true,
      env: {
        DATABASE_URL: postgres().url,
        ZAPIER_ENCRYPTION_KEYS: encryptionKey,
        ZAPIER_CLIENT_ID: app.clientId,
        ZAPIER_CLIENT_SECRET: app.clientSecret,
        ZAPIER_REDIRECT_URIS: redirectUri
      }
    })
    await using _child = {
      [Symbol.asyncDispose]: async () => {
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
      }
    }
    const output = Promise.all(
      [child.stdout, child.stderr].map(async (stream) => (stream === null ? "" : text(stream)))
    )
    const ended = once(child, "exit")
    const [said] = (await Promise.race([once(child, "message"), ended])) as [{ readonly port?: number } | null]
    if (typeof said?.port !== "number") throw new Error(`the app did not start:\n${(await output).join("\n")}`)
    const { port } = said

    const browser = new World.Browser()
    browser.cookies.set("user", "ada")
    const visit = async (url: string, init: RequestInit = {}, by = browser) => {
      const { pathname, search } = new URL(url, redirectUri)
      const request = by.request(`http://127.0.0.1:${port}${pathname}${search}`, { redirect: "manual", ...init })
      // As a browser sends it: no trace headers. @effect-diagnostics-next-line globalFetch:off
      const response = by.keep(await fetch(request))
      return { status: response.status, location: response.headers.get("location") ?? "", text: await response.text() }
    }
    const begin = async () => {
      const { location } = await visit("/zapier/connect", { headers: { "sec-fetch-site": "same-origin" } })
      const callback = await zapier.fake.approve(location)
      for (const url of [location, callback]) {
        for (const name of ["code", "state"]) zapier.secrets.add(new URL(url).searchParams.get(name) ?? "")
      }
      return callback
    }
    const statuses: Array<number> = []
    const note = async (visited: Promise<{ readonly status: number }>) => void statuses.push((await visited).status)

    // Callbacks of all kinds.
    for (const answer of [
      says(503, "away"),
      says(400, '{"error":"invalid_grant"}', "application/json"),
      says(200, "<p>"),
      reset
    ]) {
      const callback = await begin()
      zapier.next.token.push(answer)
      await note(visit(callback))
    }
    const planted = "code=pl4nted-c0de&state=pl4nted-5tate"
    zapier.secrets.add("pl4nted-c0de").add("pl4nted-5tate")
    await note(visit(`/zapier/callback?${planted}`))
    await note(visit(`/zapier/callback?${planted}`, { method: "HEAD" }))
    await note(visit(`/zapier/elsewhere?${planted}`))
    await note(visit(`/zapier/callback?error=access_denied&state=pl4nted-5tate`))
    await note(visit(await begin(), {}, new World.Browser("eve")))
    const callback = await begin()
    await note(visit(callback))
    await note(visit(callback))
    expect(statuses).toEqual([502, 400, 502, 502, 400, 405, 404, 400, 400, 303, 200])

    // Calls of all kinds: the app logs each error that it gets.
    expect((await visit("/")).text).toContain("<ul><li>")
    // Somebody who does not wait.
    const abort = new AbortController()
    const left = Promise.withResolvers<void>()
    zapier.next.api.push((_, response) => {
      response.on("close", () => left.resolve())
      abort.abort()
    })
    await visit("/", { signal: abort.signal }).catch(() => undefined)
    await left.promise
    const unauthorized = says(401, "{}")
    for (const [api, token] of [
      [[says(200, "<html>")], []],
      [[says(500, "<html>")], []],
      [[breaksOff], []],
      [[reset], []],
      [[unauthorized, reset], []],
      [[unauthorized, says(200, "<html>")], []],
      [[unauthorized], [says(503, "away")]]
    ] as ReadonlyArray<readonly [ReadonlyArray<Answer>, ReadonlyArray<Answer>]>) {
      zapier.next.api.push(...api)
      zapier.next.token.push(...token)
      expect((await visit("/")).status).toBe(503)
    }
    await note(visit("/zapier/disconnect", { method: "POST", headers: { origin: "http://localhost:3000" } }))

    child.kill("SIGTERM")
    await ended
    const [stdout = "", stderr = ""] = await output
    for (const { accessToken, refreshToken } of await zapier.fake.issued()) {
      zapier.secrets.add(accessToken).add(refreshToken ?? "")
    }

    // It has shown a lot.
    const traces = collector.received.get("/v1/traces") ?? ""
    const parts: ReadonlyArray<readonly [string | undefined, ReadonlyArray<string>]> = [
      [
        traces,
        ["ZapierAuth.handleCallback", "TokenEndpoint.request", "zapsOf", "/zapier/callback?", `${zapier.url}/v2/zaps`]
      ],
      [collector.received.get("/v1/logs"), ["Sent HTTP response"]],
      [collector.received.get("/v1/metrics"), ["zapier_auth_token_requests"]],
      [stdout, ["Sent HTTP response", "DecodeError", "TransportError"]],
      [stderr, ["span [", "log ["]]
    ]
    for (const [all, some] of parts) expect(some.filter((part) => all?.includes(part) !== true)).toEqual([])

    const secrets = new Map(
      [...zapier.secrets].filter(({ length }) => length > 0).map((secret, n) => [`secret ${n}`, secret])
    )
    secrets.set("client secret", app.clientSecret).set("encryption key", encryptionKey)
    secrets.set("database password", new URL(postgres().url).password)
    expect(secrets.size).toBeGreaterThan(20)
    const shown = [...collector.received, ["stdout", stdout] as const, ["stderr", stderr] as const]
    expect(shown.map(([where, all]) => [where, inText(all, secrets)])).toEqual(shown.map(([where]) => [where, []]))
  })
})
