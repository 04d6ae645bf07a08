import { assert, describe, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as FakeHttp from "../src/FakeHttp.ts"
import * as RequestLog from "../src/RequestLog.ts"

const secrets = ["c0de", "st4te", "s3cret", "r3fresh", "t0ken", "v3rifier"]

const request = FakeHttp.form(
  "POST",
  "/oauth/token/?code=c0de&state=st4te&page=2",
  { grant_type: "refresh_token", refresh_token: "r3fresh", client_secret: "s3cret", code_verifier: "v3rifier" },
  { authorization: "Bearer t0ken" }
)

const response = FakeHttp.json(200, {})

describe("RequestLog", () => {
  it("shows a request as a line, with its secrets masked", () => {
    assert.strictEqual(
      RequestLog.line(request, 200),
      "POST /oauth/token/?code=REDACTED&state=REDACTED&page=2 grant_type=refresh_token&refresh_token=REDACTED" +
        "&client_secret=REDACTED&code_verifier=REDACTED [Bearer] -> 200"
    )
  })

  it("prints no secret, and keeps the request for assertions", () => {
    const entry = RequestLog.entry(request, response, 0)
    const shown = `${String(entry)} ${JSON.stringify(entry)} ${inspect(entry, { depth: 9 })}`
    for (const secret of secrets) assert.notInclude(shown, secret)
    assert.strictEqual(entry.request.headers["authorization"], "Bearer t0ken")
  })

  it("leaves out what is not there", () => {
    assert.strictEqual(RequestLog.line(FakeHttp.request("GET", "/v1/apps"), 401), "GET /v1/apps -> 401")
  })
})
