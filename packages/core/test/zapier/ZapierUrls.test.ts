import { describe, expect, it } from "@effect/vitest"
import * as ZapierUrls from "../../src/zapier/ZapierUrls.ts"

describe("ZapierUrls", () => {
  it("are Zapier's documented ones by default, the slashes at their ends included", () => {
    expect(ZapierUrls.production).toEqual({
      authorize: "https://api.zapier.com/v2/authorize",
      authorizeLegacy: "https://zapier.com/oauth/authorize/",
      token: "https://zapier.com/oauth/token/",
      api: "https://api.zapier.com"
    })
  })

  it.each(["http://127.0.0.1:3000", "http://127.0.0.1:3000/"])("are all at one origin when it is %s", (origin) => {
    expect(ZapierUrls.at(origin)).toEqual({
      authorize: "http://127.0.0.1:3000/v2/authorize",
      authorizeLegacy: "http://127.0.0.1:3000/oauth/authorize/",
      token: "http://127.0.0.1:3000/oauth/token/",
      api: "http://127.0.0.1:3000"
    })
  })
})
