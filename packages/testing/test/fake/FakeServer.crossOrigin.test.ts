import { assert, describe, it } from "@effect/vitest"
import * as HashMap from "effect/HashMap"
import * as FakeFault from "../../src/fake/FakeFault.ts"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import * as FakeServer from "../../src/fake/FakeServer.ts"
import * as Flow from "../utils/flow.ts"

type Headers = { readonly [name: string]: string }

describe("the form of the consent page", () => {
  const post = (headers: Headers, base?: string) => {
    const fake = Flow.make()
    const url = `/v2/authorize?${fake.authorizeQuery()}`
    const form = FakeHttp.form("POST", url, { decision: "allow" }, headers)
    const response = fake.send({ ...form, base })
    return { response, codes: HashMap.size(fake.state.codes) }
  }

  it.each<readonly [string, Headers]>([
    ["of another origin", { host: "127.0.0.1:9270", origin: "https://evil.example" }],
    ["of another port of the same machine", { host: "127.0.0.1:9270", origin: "http://127.0.0.1:3000" }],
    ["that does not say its origin", { host: "127.0.0.1:9270", origin: "null" }],
    ["of another site", { "sec-fetch-site": "cross-site" }],
    ["of another origin of the same site", { "sec-fetch-site": "same-site" }],
    ["of another site, whatever the origin says", { origin: "https://api.zapier.com", "sec-fetch-site": "cross-site" }]
  ])("is refused from a page %s, and there is no code", (_, headers) => {
    for (const accept of ["text/html", "application/json"]) {
      const { codes, response } = post({ ...headers, accept })
      assert.deepStrictEqual([response.status, codes], [403, 0])
      assert.isUndefined(response.headers["location"])
      assert.include(response.body, "Another site sent this form")
    }
  })

  it.each<readonly [string, Headers, { readonly base?: string }]>([
    ["itself", { "sec-fetch-site": "same-origin", origin: "null" }, {}],
    ["itself, in a browser without Sec-Fetch-Site", { host: "127.0.0.1:9270", origin: "http://127.0.0.1:9270" }, {}],
    ["itself, in process", { origin: "https://api.zapier.com" }, {}],
    ["itself, behind a gateway", { host: "fake", origin: "https://zapier.test" }, { base: "https://zapier.test/x" }],
    ["a program that is no browser", { host: "127.0.0.1:9270" }, {}],
    ["a user who reloads", { "sec-fetch-site": "none" }, {}]
  ])("is taken from %s", (_, headers, { base }) => {
    const { codes, response } = post(headers, base)
    assert.deepStrictEqual([response.status, codes], [302, 1])
  })

  it("is not sent in secret: the browser says where it comes from", () => {
    const fake = Flow.make()
    const { headers } = fake.send(FakeHttp.request("GET", `/v2/authorize?${fake.authorizeQuery()}`))
    assert.strictEqual(headers["referrer-policy"], "same-origin")
  })
})

describe("other origins", () => {
  const origin = "https://app.example"

  const asks: Headers = {
    origin,
    "access-control-request-method": "PATCH",
    "access-control-request-headers": "authorization,content-type"
  }

  const isOpen = ({ headers }: FakeHttp.FakeResponse) =>
    Object.keys(headers).some((name) => name.startsWith("access-control-"))

  const paths = ["/v2/zaps", "/v1/apps", "/v2/zaps/1", "/oauth/token/", "/v3/unheard-of"]

  it("may read nothing by default", () => {
    const fake = Flow.make()
    for (const path of paths) {
      const preflight = fake.send(FakeHttp.request("OPTIONS", path, { headers: asks }))
      assert.strictEqual(preflight.status, path === "/v3/unheard-of" ? 404 : 405)
      const answer = fake.send(FakeHttp.request("GET", path, { headers: { origin } }))
      assert.deepStrictEqual([isOpen(preflight), isOpen(answer)], [false, false])
    }
  })

  const open = (faults: ReadonlyArray<FakeFault.Rule> = []) =>
    Flow.make({ faults, settings: { allowsCrossOrigin: true } })

  it("may send any call if allowed, and preflight requests are not counted", () => {
    const fake = open([{ fault: { _tag: "ResponseLost" } }])
    fake.state = { ...fake.state, settings: { ...fake.state.settings, rateLimits: true } }
    for (const path of paths) {
      const { headers, status } = fake.send(FakeHttp.request("OPTIONS", path, { headers: asks }))
      assert.strictEqual(status, 204)
      assert.deepInclude(headers, {
        "access-control-allow-origin": "*",
        "access-control-allow-headers": "authorization,content-type"
      })
      assert.include(headers["access-control-allow-methods"], "PATCH")
    }
    assert.deepStrictEqual([HashMap.size(fake.state.minutes), fake.state.faults.length], [0, 1])
  })

  it("may read each response if allowed, including rejections and faults", () => {
    const fake = open()
    const call = (path: string) => fake.send(FakeHttp.request("GET", path, { headers: { origin } }))
    for (const path of paths) {
      assert.strictEqual(call(path).headers["access-control-allow-origin"], "*")
    }
    for (const fault of FakeFault.ofEachKind) {
      fake.state = { ...fake.state, faults: [{ fault }] }
      const { headers, status } = call("/v1/categories")
      assert.strictEqual(headers["access-control-allow-origin"], status === 0 ? undefined : "*", fault._tag)
    }
  })

  it("may not have the consent page, also where that is allowed", () => {
    const fake = open()
    const url = `/v2/authorize?${fake.authorizeQuery()}`
    assert.strictEqual(fake.send(FakeHttp.request("OPTIONS", url, { headers: asks })).status, 405)
    assert.isFalse(isOpen(fake.send(FakeHttp.request("GET", url, { headers: { origin } }))))
  })

  it("an OPTIONS that is not a preflight gets the usual response", () => {
    const fake = open()
    const { status } = FakeServer.handle(fake.state, FakeHttp.request("OPTIONS", "/v2/zaps"), 0).response
    assert.strictEqual(status, 405)
  })
})
