/** What frameworks bring to the routes, and what becomes of the response: over HTTP, as they are called by frameworks. */
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as send,
  type ServerResponse
} from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as ZapierExpress from "../src/ZapierExpress.ts"
import * as ZapierHono from "../src/ZapierHono.ts"
import * as ZapierNext from "../src/ZapierNext.ts"
import type { HandlerOptions } from "../src/ZapierPromise.ts"

type Handler = (request: Request, options?: HandlerOptions) => Promise<Response | undefined>

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
}

/** Serves a middleware as Express does, mounted at a path, and sends one request to it. */
const exchange = async (handler: Handler, { body, headers = {}, method = "GET", path = "/zapier/status" }: Sent) => {
  const middleware = ZapierExpress.routes({ handler }, (request: IncomingMessage & { readonly originalUrl: string }) =>
    request.headers["x-user"]?.toString()
  )
  const passed: Array<unknown> = []
  const server = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    // Something before it has set cookies and headers.
    response.setHeader("set-cookie", ["session=1"])
    response.setHeader("content-security-policy", "default-src 'self'")
    const originalUrl = incoming.url ?? ""
    incoming.url = originalUrl.replace(/^\/zapier/, "")
    middleware(Object.assign(incoming, { originalUrl }), response, (error) => {
      passed.push(error)
      response.writeHead(404).end("the app's own")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  try {
    return await new Promise<{
      status: number
      headers: IncomingMessage["headers"]
      text: string
      passed: typeof passed
    }>((resolve, reject) => {
      const sending = send({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
        let text = ""
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text, passed }))
      })
      sending.on("error", reject).end(body)
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe("a request over node:http", () => {
  const seen = async (sent: Sent) => {
    const requests: Array<Request> = []
    const { status } = await exchange(async (request) => {
      requests.push(request)
      return new Response("ok")
    }, sent)
    return { status, request: requests[0] }
  }

  it("has the path that came, also where the routes are mounted at a prefix", async () => {
    const { request } = await seen({ path: "/zapier/connect?return=%2Fa%3Fb", headers: { host: "acme.example" } })
    expect(request?.url).toBe("http://acme.example/zapier/connect?return=%2Fa%3Fb")
  })

  it("has all values of a header", async () => {
    const headers = {
      cookie: ["a=1", "b=2"],
      "x-forwarded-for": ["10.0.0.1", "10.0.0.2"],
      "Sec-Fetch-Site": "same-origin"
    }
    const { request } = await seen({ headers })
    expect(request?.headers.get("cookie")).toBe("a=1; b=2")
    expect(request?.headers.get("x-forwarded-for")).toBe("10.0.0.1, 10.0.0.2")
    expect(request?.headers.get("sec-fetch-site")).toBe("same-origin")
  })

  it.each([
    ["//evil.example/zapier/status", "http://acme.example//evil.example/zapier/status"],
    ["http://evil.example/zapier/status?a=b", "http://acme.example/zapier/status?a=b"]
  ])("keeps the app's host for the target %s", async (path, url) => {
    expect((await seen({ path, headers: { host: "acme.example" } })).request?.url).toBe(url)
  })

  it("is handled although its host is none", async () => {
    expect((await seen({ headers: { host: "a b<>" } })).request?.url).toBe("http://localhost/zapier/status")
  })

  it("may have the body of a form, which nobody has to read", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" }
    const { request, status } = await seen({ method: "POST", headers: form, body: `a=${"b".repeat(100_000)}` })
    expect([request?.method, status]).toEqual(["POST", 200])
  })

  it.each(["OPTIONS", "PUT", "TRACE", "PROPFIND"])("is left to the app where its method is %s", async (method) => {
    expect(await seen({ method })).toEqual({ status: 404, request: undefined })
  })

  it("names the user by the framework's own request", async () => {
    const { text } = await exchange(
      async (request, options) => new Response(String(await options?.subject?.(request))),
      { headers: { "x-user": "ada" } }
    )
    expect(text).toBe("ada")
  })

  it("is aborted when who sent it is gone", async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    const middleware = ZapierExpress.routes({
      handler: async ({ signal }: Request) => {
        signal.addEventListener("abort", () => resolve())
        ask()
        await aborted
        return new Response("too late")
      }
    })
    const server = createServer((incoming, response) =>
      middleware(Object.assign(incoming, { originalUrl: incoming.url ?? "" }), response, () => response.end())
    )
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
    const sending = send({ host: "127.0.0.1", port: (server.address() as AddressInfo).port, path: "/zapier/connect" })
    sending.on("error", () => {}).end()
    await asked
    sending.destroy()
    await aborted
    server.close()
  })
})

describe("a response over node:http", () => {
  it("has all of its cookies, beside those of others, and its own headers", async () => {
    const headers = new Headers({ "content-security-policy": "default-src 'none'", location: "/settings" })
    headers.append("set-cookie", "one=1; Path=/")
    headers.append("set-cookie", "two=2, or more; HttpOnly")
    const response = await exchange(async () => new Response("page", { status: 303, headers }), {})
    expect(response).toMatchObject({ status: 303, text: "page" })
    expect(response.headers).toMatchObject({ "content-security-policy": "default-src 'none'", location: "/settings" })
    expect(response.headers["set-cookie"]).toEqual(["session=1", "one=1; Path=/", "two=2, or more; HttpOnly"])
  })

  it("is the app's own where the request is for no route", async () => {
    const response = await exchange(async () => undefined, {})
    expect([response.status, response.text, response.passed]).toEqual([404, "the app's own", [undefined]])
  })

  it("is the app's own error where the handler throws", async () => {
    const error = new Error("a bug")
    const response = await exchange(() => Promise.reject(error), {})
    expect(response.passed).toEqual([error])
  })
})

describe("Hono and Next", () => {
  const request = new Request("https://acme.example/zapier/status", { headers: { "x-user": "ada" } })
  const handler: Handler = async (asked, options) =>
    asked.url.endsWith("/status") ? new Response(String(await options?.subject?.(asked))) : undefined

  it("are given the response of a route", async () => {
    const hono = ZapierHono.routes({ handler }, (context: { readonly req: { readonly raw: Request } }) =>
      context.req.raw.headers.get("x-user")
    )
    const next = ZapierNext.routes({ handler }, ({ headers }: Request) => headers.get("x-user"))
    const responses = [await hono({ req: { raw: request } }, async () => {}), await next.GET(request)]
    expect(await Promise.all(responses.map(async (response) => response?.text()))).toEqual(["ada", "ada"])
  })

  it("go on, or say that nothing is there, where a request is for no route", async () => {
    const other = new Request("https://acme.example/zapier/other", { method: "POST" })
    let isPassed = false
    const passed = await ZapierHono.routes({ handler })({ req: { raw: other } }, async () => void (isPassed = true))
    expect([passed, isPassed]).toEqual([undefined, true])
    expect((await ZapierNext.routes({ handler }).POST(other)).status).toBe(404)
  })
})
