import { describe, expect, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"
import * as AuthorizationCallback from "../../src/oauth/AuthorizationCallback.ts"
import * as OAuthError from "../../src/oauth/OAuthError.ts"

const opened = (input: AuthorizationCallback.Input) => {
  const parsed = AuthorizationCallback.parse(input)
  if (Result.isFailure(parsed)) return { problem: parsed.failure.problem }
  const { success } = parsed
  return success._tag === "Code"
    ? { code: Redacted.value(success.code), state: Redacted.value(success.state) }
    : { _tag: success._tag, error: success.error, state: Redacted.value(success.state) }
}

const Text = Schema.NonEmptyString.check(Schema.makeFilter((text: string) => text.isWellFormed()))

describe("AuthorizationCallback.parse", () => {
  it.prop("reads the same out of every form that a callback may be given in", [Text, Text], ([code, state]) => {
    const parameters = new URLSearchParams({ code, state })
    const inputs: ReadonlyArray<AuthorizationCallback.Input> = [
      `https://app.example/callback?${parameters}`,
      `https://app.example/callback?tenant=1&${parameters}#fragment?code=other`,
      `/callback?${parameters}`,
      `?${parameters}`,
      `${parameters}`,
      new URL(`https://app.example/callback?${parameters}`),
      parameters,
      { code, state },
      { code: [code], state: [state], error: undefined }
    ]
    for (const input of inputs) expect(opened(input)).toEqual({ code, state })
  })

  it("reads codes that hold what separates parameters elsewhere", () => {
    expect(opened("?code=a%26state%3Db%2Bc%20d&state=xyz")).toEqual({ code: "a&state=b+c d", state: "xyz" })
    expect(opened("code=a?b&state=xyz")).toEqual({ code: "a?b", state: "xyz" })
    expect(opened("code=a&state=https://x?y")).toEqual({ code: "a", state: "https://x?y" })
  })

  it("ignores other parameters", () => {
    expect(opened("?code=a&state=b&iss=https%3A%2F%2Fzapier.com&scope=zap&error_description=&session_state=1")).toEqual(
      {
        code: "a",
        state: "b"
      }
    )
  })

  it.each(["access_denied", "invalid_request", "invalid_scope", "server_error", "temporarily_unavailable"])(
    "tells %s",
    (error) => {
      expect(opened({ error, state: "b", error_description: "whatever" })).toEqual({ _tag: "Error", error, state: "b" })
    }
  )

  it.each([
    ["?state=b", "neither code nor error is there"],
    ["?code=a", "state is missing"],
    ["?error=access_denied", "state is missing"],
    ["", "state is missing"],
    ["https://app.example/callback", "state is missing"],
    ["https://app.example/callback&code=a&state=b", "state is missing"],
    ["h2+x.y-z://callback&code=a&state=b", "state is missing"],
    ["https://app.example/callback#code=a&state=b", "state is missing"],
    ["?code=&state=b", "code is empty"],
    ["?code=a&state=", "state is empty"],
    ["?error=&state=b", "error is empty"],
    ["?code=a&state=b&error=access_denied", "code and error are both there"],
    ["?code=a&code=a&state=b", "code is there more than once"],
    ["?code=a&state=b&state=c", "state is there more than once"],
    ["?error=x&error=y&state=b", "error is there more than once"]
  ])("refuses %j: %s", (input, problem) => {
    expect(opened(input)).toEqual({ problem })
  })

  it("refuses repeated parameters in a record, and reads no inherited ones", () => {
    expect(opened({ code: ["a", "b"], state: "c" })).toEqual({ problem: "code is there more than once" })
    expect(opened(Object.create({ code: "a", state: "b" }))).toEqual({ problem: "state is missing" })
  })

  it.each<readonly [unknown, string]>([
    [{ code: { a: "1" }, state: "b" }, "code is not text"],
    [{ code: "a", state: { b: "1" } }, "state is not text"],
    [{ code: ["a"], state: [{}] }, "state is not text"],
    [{ error: 42, state: "b" }, "error is not text"],
    [{ code: null, state: "b" }, "code is not text"],
    [{ code: [["a"]], state: "b" }, "code is not text"],
    [null, "it is neither a URL nor its parameters"],
    [undefined, "it is neither a URL nor its parameters"],
    [42, "it is neither a URL nor its parameters"],
    [[], "state is missing"]
  ])("refuses what a server has made of odd parameters: %j, because %s", (input, problem) => {
    expect(opened(input as AuthorizationCallback.Input)).toEqual({ problem })
  })

  const Parameters = Schema.Record(
    Schema.Union([Schema.Literals(["code", "state", "error", "__proto__"]), Schema.String]),
    Schema.Union([Schema.String, Schema.Array(Schema.String)])
  )

  it.prop("never throws, and repeats nothing of what it refuses", [Schema.String, Parameters], ([text, record]) => {
    const hidden = "h1dden"
    for (const input of [text, record, `?code=${hidden}&code=${text}`, { ...record, state: [hidden, hidden] }]) {
      const parsed = AuthorizationCallback.parse(input)
      const shown = inspect(parsed, { depth: 9, showHidden: true }) + JSON.stringify(parsed)
      expect(shown).not.toContain(hidden)
    }
  })

  it.prop("repeats an error code only if OAuth defines it", [Text], ([error]) => {
    expect([error, OAuthError.other]).toContain(opened({ error: `${error}x`, state: "b" }).error?.replace(/x$/, ""))
    expect(opened({ error: `t0ken-${error}`, state: "b" }).error).toBe(OAuthError.other)
  })
})
