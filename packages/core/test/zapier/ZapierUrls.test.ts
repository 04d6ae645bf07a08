import { describe, expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as ZapierUrls from "../../src/zapier/ZapierUrls.ts"

describe("ZapierUrls", () => {
  it("are Zapier's documented ones by default, the slashes at their ends included", () => {
    expect(ZapierUrls.production).toEqual({
      authorize: "https://api.zapier.com/v2/authorize",
      authorizeLegacy: "https://zapier.com/oauth/authorize/",
      token: "https://zapier.com/oauth/token/",
      api: "https://api.zapier.com",
      connect: "https://connect.zapier.com"
    })
  })

  it.each(["http://127.0.0.1:3000", "http://127.0.0.1:3000/"])("are all at one origin when it is %s", (origin) => {
    expect(ZapierUrls.at(origin)).toEqual({
      authorize: "http://127.0.0.1:3000/v2/authorize",
      authorizeLegacy: "http://127.0.0.1:3000/oauth/authorize/",
      token: "http://127.0.0.1:3000/oauth/token/",
      api: "http://127.0.0.1:3000",
      connect: "http://127.0.0.1:3000"
    })
  })

  it.each(["https://gateway.example/zapier", "http://127.0.0.1:9270", "http://localhost:1", "http://[::1]:1"])(
    "may be at %s",
    (origin) => {
      expect(ZapierUrls.check(ZapierUrls.at(origin))).toEqual(Result.succeed(ZapierUrls.at(origin)))
    }
  )

  it.each([
    ["http://10.0.0.1", "it must be https; http is allowed only for localhost"],
    ["http://0.0.0.0", "it must be https; http is allowed only for localhost"],
    ["http://128.0.0.1", "it must be https; http is allowed only for localhost"],
    ["http://evillocalhost", "it must be https; http is allowed only for localhost"],
    ["http://a.localhost", "it must be https; http is allowed only for localhost"],
    ["http://localhost.evil.example", "it must be https; http is allowed only for localhost"],
    ["http://127.0.0.1.evil.example", "it must be https; http is allowed only for localhost"],
    ["http://localhost@evil.example", "it has a user name or password"],
    ["http://[::ffff:127.0.0.1]", "it must be https; http is allowed only for localhost"],
    ["ftp://127.0.0.1", "it is not https"],
    ["https://ada:s3cret@gateway.example", "it has a user name or password"],
    ["https://gateway.example\n", "it contains a line break, at position"],
    ["gateway.example", "it is not absolute"],
    ["", "it is not absolute"]
  ])("must not be at %j: %s", (origin, problem) => {
    const checked = ZapierUrls.check(ZapierUrls.at(origin))
    expect(Result.isFailure(checked) && checked.failure.message).toMatch(/^urls\.authorize: /)
    expect(Result.isFailure(checked) && checked.failure.problem.startsWith(problem)).toBe(true)
    expect(JSON.stringify(checked)).not.toContain("s3cret")
  })

  it.each(["authorize", "authorizeLegacy", "token", "api", "connect"] as const)(
    "names %s where it is that one",
    (name) => {
      const checked = ZapierUrls.check({ ...ZapierUrls.production, [name]: undefined })
      expect(Result.isFailure(checked) && checked.failure.message).toMatch(new RegExp(`^urls\\.${name}: it is missing`))
    }
  )

  it.each([null, 42, "https://api.zapier.com"])("are not %j", (urls) => {
    const checked = ZapierUrls.check(urls as unknown as ZapierUrls.Urls)
    expect(Result.isFailure(checked) && checked.failure.setting).toBe("urls")
  })
})
