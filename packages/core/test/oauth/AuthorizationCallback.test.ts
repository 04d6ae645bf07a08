import { describe, expect, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"
import * as AuthorizationCallback from "../../src/oauth/AuthorizationCallback.ts"
import * as OAuthError from "../../src/internal/oauthError.ts"

const opened = (input: AuthorizationCallback.Input) => {
  const parsed = AuthorizationCallback.parse(input)
  if (Result.isFailure(parsed)) return { problem: parsed.failure.problem }
  const { success } = parsed
  return success._tag === "Code"
    ? { code: Redacted.value(success.code), state: Redacted.value(success.state) }
    : { _tag: success._tag, error: success.error, state: Redacted.value(success.state) }
}

const Text = Schema.String.check(Schema.isPattern(/^[\x20-\x7E]{1,40}$/))

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

  it("reads codes that contain separators of parameters", () => {
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
    ["?state=b", "it has neither code nor error"],
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
    ["?code=a&state=b&error=access_denied", "it has both code and error"],
    ["?code=a&code=a&state=b", "code appears more than once"],
    ["?code=a&state=b&state=c", "state appears more than once"],
    ["?error=x&error=y&state=b", "error appears more than once"],
    ["?code=a%00&state=b", "code has characters that are not printable ASCII"],
    ["?code=a%0D%0Ab&state=b", "code has characters that are not printable ASCII"],
    ["?code=%C3%A9&state=b", "code has characters that are not printable ASCII"],
    ["?code=%ED%A0%80&state=b", "code has characters that are not printable ASCII"],
    ["?code=a&state=%7F", "state has characters that are not printable ASCII"],
    [`?code=${"a".repeat(4_097)}&state=b`, "code has more than 4096 characters"],
    [`?code=a&state=${"b".repeat(4_097)}`, "state has more than 4096 characters"]
  ])("refuses %j: %s", (input, problem) => {
    expect(opened(input)).toEqual({ problem })
  })

  it("refuses repeated parameters in a record, and reads no inherited ones", () => {
    expect(opened({ code: ["a", "b"], state: "c" })).toEqual({ problem: "code appears more than once" })
    expect(opened(Object.create({ code: "a", state: "b" }))).toEqual({ problem: "state is missing" })
  })

  it("takes as much as may be", () => {
    const longest = "a".repeat(4_096)
    expect(opened({ code: longest, state: "b" })).toEqual({ code: longest, state: "b" })
  })

  // What frameworks make of a query, and what programs without types pass on.
  const typeless = AuthorizationCallback.parse as (input: unknown) => ReturnType<typeof AuthorizationCallback.parse>

  it.each<readonly [unknown, string]>([
    [{ code: { a: "1" }, state: "x" }, "code is not text"],
    [{ code: [{ a: "1" }], state: "x" }, "code is not text"],
    [{ code: "a", state: 1 }, "state is not text"],
    [{ code: "a", state: ["x", {}] }, "state appears more than once"],
    [{ code: "a", state: [[["x"]]] }, "state is not text"],
    [{ error: true, state: "x" }, "error is not text"],
    [{ code: () => "a", state: "x" }, "code is not text"],
    [{ code: "a", state: [] }, "state is missing"],
    [{ code: "a", state: null }, "state is missing"],
    [["a"], "state is missing"],
    [null, "the callback must be its URL or its query parameters"],
    [undefined, "the callback must be its URL or its query parameters"],
    [5, "the callback must be its URL or its query parameters"],
    [() => "?code=a", "the callback must be its URL or its query parameters"]
  ])("refuses %j: %s", (input, problem) => {
    const parsed = typeless(input)
    expect(Result.isFailure(parsed) && parsed.failure.problem).toBe(problem)
  })

  it("takes a parameter that is null for missing, as URLSearchParams.get says it", () => {
    const parsed = typeless({ code: "a", state: "b", error: null })
    expect(Result.map(parsed, ({ _tag }) => _tag)).toEqual(Result.succeed("Code"))
  })

  const Parameters = Schema.Record(
    Schema.Union([Schema.Literals(["code", "state", "error", "__proto__"]), Schema.String]),
    Schema.Union([Schema.String, Schema.Array(Schema.String)])
  )

  it.prop("never throws, and repeats nothing of a rejected input", [Schema.String, Parameters], ([text, record]) => {
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
