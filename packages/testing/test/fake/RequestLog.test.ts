import { assert, describe, it } from "@effect/vitest"
import { inspect } from "node:util"
import type * as FakeFault from "../../src/fake/FakeFault.ts"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import * as FakeServer from "../../src/fake/FakeServer.ts"
import * as FakeState from "../../src/fake/FakeState.ts"
import * as RequestLog from "../../src/fake/RequestLog.ts"

const secrets = ["c0de", "st4te", "s3cret", "r3fresh", "t0ken", "v3rifier"]

const request = FakeHttp.form(
  "POST",
  "/oauth/token/?code=c0de&state=st4te&page=2",
  { grant_type: "refresh_token", refresh_token: "r3fresh", client_secret: "s3cret", code_verifier: "v3rifier" },
  { authorization: "Bearer t0ken" }
)

const entryOf = (request: FakeHttp.FakeRequest, ...faults: ReadonlyArray<FakeFault.Rule>) =>
  new RequestLog.Entry(request, FakeServer.handle(FakeState.make({ faults }), request, 0), 0)

describe("RequestLog", () => {
  it("shows a request as a line, with its secrets masked", () => {
    assert.strictEqual(
      RequestLog.line(request, 200),
      "POST /oauth/token/?code=REDACTED&state=REDACTED&page=2 grant_type=refresh_token&refresh_token=REDACTED" +
        "&client_secret=REDACTED&code_verifier=REDACTED [Bearer] -> 200"
    )
  })

  it("prints no secret, and keeps the request for assertions", () => {
    const entry = entryOf(request)
    const shown = `${String(entry)} ${JSON.stringify(entry)} ${inspect(entry, { depth: 9 })}`
    for (const secret of secrets) assert.notInclude(shown, secret)
    assert.strictEqual(entry.request.headers["authorization"], "Bearer t0ken")
  })

  it("shows the injected fault, and that a request never arrived", () => {
    const apps = FakeHttp.request("GET", "/v1/categories")
    assert.strictEqual(entryOf(apps).line, "GET /v1/categories -> 200")
    const lost = entryOf(apps, { fault: { _tag: "ResponseLost" } })
    assert.strictEqual(lost.line, "GET /v1/categories -> 200 (ResponseLost)")
    const unseen = entryOf(apps, { fault: { _tag: "RequestLost" } })
    assert.strictEqual(unseen.line, "GET /v1/categories -> no response (RequestLost)")
    assert.deepStrictEqual([lost.fault, unseen.fault], [{ _tag: "ResponseLost" }, { _tag: "RequestLost" }])
  })

  it("omits missing members", () => {
    assert.strictEqual(RequestLog.line(FakeHttp.request("GET", "/v1/apps"), 401), "GET /v1/apps -> 401")
  })
})
