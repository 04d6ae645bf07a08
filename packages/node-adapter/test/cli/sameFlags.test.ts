import { describe, expect, it } from "@effect/vitest"
import { withFlagsOf } from "../../src/cli/sameFlags.ts"

const login = "zapier-workflow-auth login"
const doctor = "zapier-workflow-auth doctor"

describe("withFlagsOf", () => {
  it("proposes the same login, at the same server", () => {
    const args = [
      "login",
      "-s",
      "ada b",
      "--scope",
      "zap",
      "--scope=profile",
      "--fake",
      "http://127.0.0.1:1",
      "--paste"
    ]
    expect(withFlagsOf([...args, "--timeout", "1", "--json"], login)).toBe(
      `${login} --subject 'ada b' --scope zap --scope profile --paste --fake http://127.0.0.1:1`
    )
  })

  it("keeps the flags that the proposal has", () => {
    expect(withFlagsOf(["token", "--subject", "eve", "--fake", "a"], `${login} --subject bob`)).toBe(
      `${login} --subject bob --fake a`
    )
  })

  it("checks the same files and server, and no user", () => {
    const args = ["--config", "c.env", "token", "--subject", "eve", "--data-directory", "/d", "--key-file=k"]
    expect(withFlagsOf(args, doctor)).toBe(`${doctor} --data-directory /d --key-file k --config c.env`)
  })

  it("takes the scopes of an app's token for none of a user", () => {
    expect(withFlagsOf(["request", "GET", "/v2/zaps", "--scope", "zap"], login)).toBe(login)
  })

  it("leaves other commands alone, and what follows --", () => {
    expect(withFlagsOf(["token", "--fake", "a"], "chmod 600 key")).toBe("chmod 600 key")
    expect(withFlagsOf(["scopes", "--fake", "a"], "zapier-workflow-auth scopes")).toBe("zapier-workflow-auth scopes")
    expect(withFlagsOf(["request", "--", "--fake", "a"], doctor)).toBe(doctor)
  })
})
