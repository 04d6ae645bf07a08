import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as DateTime from "effect/DateTime"
import * as Headers from "effect/http/Headers"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as OAuthError from "../../src/internal/oauthError.ts"
import * as TokenOutcome from "../../src/oauth/TokenOutcome.ts"
import { reveal } from "../utils/Reveal.ts"

const asked: TokenOutcome.Asked = { scopes: ["zap"], startedAt: 1_000, now: 1_500 }

const year = 365 * 24 * 3_600 * 1_000

const documented = {
  access_token: "acc3ss",
  expires_in: 36_000,
  token_type: "Bearer",
  scope: "zap zap:write authentication",
  refresh_token: "r3fresh"
}

const interpret = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  TokenOutcome.interpret({ status, headers, body: typeof body === "string" ? body : JSON.stringify(body) }, asked)

const granted = (changes: Record<string, unknown>) => {
  const outcome = interpret({ ...documented, ...changes })
  return outcome._tag === "Granted" ? outcome.tokens : undefined
}

const odditiesOf = (changes: Record<string, unknown>) => {
  const outcome = interpret({ ...documented, ...changes })
  return outcome._tag === "Granted" ? (outcome.oddities ?? []) : outcome._tag
}

const lifetimeOf = (expires_in: unknown) => (granted({ expires_in })?.expiresAt ?? Number.NaN) - asked.startedAt

describe("TokenOutcome.interpret, of a success", () => {
  it("reads the documented response, with its lifetime counted from the start of the request", () => {
    expect(reveal(interpret(documented))).toEqual({
      _tag: "Granted",
      tokens: {
        accessToken: { secret: "acc3ss" },
        refreshToken: { secret: "r3fresh" },
        scopes: ["zap", "zap:write", "authentication"],
        obtainedAt: 1_000,
        expiresAt: 36_001_000
      }
    })
  })

  it.each(["application/json", "multipart/form-data", "text/html", ""])(
    "reads JSON by its content under any Content-Type: %j",
    (type) => {
      expect(interpret(documented, 200, { "content-type": type })._tag).toBe("Granted")
    }
  )

  it.each([
    [36_000, 36_000_000],
    [1, 1_000],
    [0.5, 500],
    [1.0005, 1_000],
    ["3600", 3_600_000],
    [" 3600 ", 3_600_000],
    ["1.5", 1_500],
    [1e9, year],
    [Number.MAX_VALUE, year],
    [1e-9, 1]
  ])("expires_in %j is taken, as %i ms", (expires_in, millis) => {
    expect(lifetimeOf(expires_in)).toBe(millis)
  })

  it.each([
    undefined,
    null,
    0,
    -1,
    "0",
    "-5",
    "",
    " ",
    "soon",
    "NaN",
    "Infinity",
    "1e400",
    "36,000",
    true,
    false,
    [],
    [5],
    {}
  ])("expires_in %j says nothing, and the documented 36,000 s are taken", (expires_in) => {
    expect(lifetimeOf(expires_in)).toBe(36_000_000)
  })

  it("takes no infinite number of seconds, as JSON can spell it", () => {
    expect(interpret('{"access_token":"a","token_type":"Bearer","expires_in":1e999}')).toMatchObject({
      tokens: { expiresAt: asked.startedAt + 36_000_000 },
      oddities: ["expires_in"]
    })
  })

  it.each([["Bearer"], ["bearer"], ["BEARER"], [undefined], [null]])(
    "token_type %j is as it should be",
    (token_type) => {
      expect(odditiesOf({ token_type })).toEqual([])
    }
  )

  it.each([["mac"], ["Bearer "], ["not-bearer"], [""], [1], [["Bearer"]], [{}], [false]])(
    "token_type %j is odd, and the token is taken",
    (token_type) => {
      expect(odditiesOf({ token_type })).toEqual(["token_type"])
    }
  )

  it.each([undefined, null, "", " "])("scope %j means the scopes that were asked for", (scope) => {
    expect(granted({ scope })?.scopes).toEqual(["zap"])
  })

  it("keeps unknown scopes, and repeated ones once", () => {
    expect(granted({ scope: "zap future:scope zap “odd”" })?.scopes).toEqual(["zap", "future:scope", "“odd”"])
  })

  it.each([
    ["zap,zap:write", ["zap", "zap:write"]],
    ["zap, zap:write ,zap", ["zap", "zap:write"]],
    [
      ["zap", "zap:write", "zap"],
      ["zap", "zap:write"]
    ],
    [
      ["zap profile,external", 5, null, ["mcp:run"]],
      ["zap", "profile", "external"]
    ],
    [{ zap: true }, ["zap"]],
    [7, ["zap"]],
    [true, ["zap"]],
    [",", ["zap"]],
    ["", ["zap"]],
    [[], ["zap"]],
    [[{}], ["zap"]]
  ])("scope %j is odd, and means %j", (scope, scopes) => {
    expect(granted({ scope })?.scopes).toEqual(scopes)
    expect(odditiesOf({ scope })).toEqual(["scope"])
  })

  it.each([
    [5, undefined],
    [["r3fresh"], undefined],
    [{ token: "r3fresh" }, undefined],
    [false, undefined],
    ["", undefined],
    [" \n", undefined],
    ["half a \ud800 pair", undefined],
    ["r3\nfresh", "r3\nfresh"],
    ["ré", "ré"]
  ])("refresh_token %j is odd, and is %j", (refresh_token, expected) => {
    const token = granted({ refresh_token })?.refreshToken
    expect(token && Redacted.value(token)).toBe(expected)
    expect(odditiesOf({ refresh_token })).toEqual(["refresh_token"])
  })

  it.each([0, -1, "soon", "", true, [36_000], {}, 32_000_000, "1e400"])("expires_in %j is odd", (expires_in) => {
    expect(odditiesOf({ expires_in })).toEqual(["expires_in"])
  })

  it("finds no oddity in the documented response, and names every other one without its value", () => {
    expect(odditiesOf({})).toEqual([])
    expect(odditiesOf({ scope: null, token_type: null, refresh_token: null, expires_in: null, error: null })).toEqual(
      []
    )
    const odd = { scope: "v4lue,", token_type: "v4lue", refresh_token: ["v4lue"], expires_in: "v4lue", error: "v4lue" }
    expect(odditiesOf(odd)).toEqual(["error", "expires_in", "refresh_token", "scope", "token_type"])
    expect(JSON.stringify(odditiesOf(odd))).not.toContain("v4lue")
  })

  it.each([
    ["a byte order mark", `\uFEFF${JSON.stringify(documented)}`],
    ["white space around", ` \r\n\t${JSON.stringify(documented)}\n\n \u00A0`],
    ["duplicate members, of which the last counts", `{"access_token":"old",${JSON.stringify(documented).slice(1)}`],
    ["a member named __proto__", `{"__proto__":{"error":"invalid_grant"},${JSON.stringify(documented).slice(1)}`],
    ["very deep members", `{"deep":${"[".repeat(20_000)}${"]".repeat(20_000)},${JSON.stringify(documented).slice(1)}`]
  ])("reads JSON with %s", (_, body) => {
    expect(reveal(interpret(body))).toEqual(reveal(interpret(documented)))
  })

  it("reads parameters as a form has them, and says that they are odd", () => {
    const form =
      "access_token=acc3ss&scope=zap%2Czap%3Awrite&token_type=bearer&expires_in=3600&refresh_token=r3%2Bfresh"
    expect(reveal(interpret(`${form}\n`))).toEqual({
      _tag: "Granted",
      tokens: {
        accessToken: { secret: "acc3ss" },
        refreshToken: { secret: "r3+fresh" },
        scopes: ["zap", "zap:write"],
        obtainedAt: 1_000,
        expiresAt: 3_601_000
      },
      oddities: ["body", "scope"]
    })
    expect(interpret("error=invalid_grant&error_description=x", 400)).toEqual({ _tag: "InvalidGrant" })
  })

  it.each([
    '<a href="/?x=1&access_token=acc3ss&y=2">',
    "access_token=acc3ss&text=<p>",
    "<p>access_token=acc3ss",
    "access_token",
    "=acc3ss"
  ])("takes no page for a form: %s", (page) => {
    expect(interpret(page)).toMatchObject({ _tag: "Malformed", problem: "it is not a JSON object" })
  })

  it.each([
    "abc\ndef",
    "abc\r\nx: y",
    "\u0000",
    "\u007f",
    "é",
    "\u2028",
    "\ud800",
    " a",
    "a ",
    " ",
    5,
    ["a"],
    {},
    true
  ])("an access token that no header can carry is malformed, and shows nowhere: %j", (access_token) => {
    const malformed = { _tag: "Malformed", status: 200, problem: "its access token cannot be sent in a header" }
    expect(interpret({ ...documented, access_token, refresh_token: undefined })).toEqual(malformed)
    // The refresh token beside it is not lost.
    const outcome = interpret({ ...documented, access_token, refresh_token: "r3fresh" })
    expect(outcome).toMatchObject(malformed)
    expect("refreshToken" in outcome && outcome.refreshToken && Redacted.value(outcome.refreshToken)).toBe("r3fresh")
  })

  it.each([undefined, null, "", " ", "\ud800", 5, ["r"], {}])(
    "a refresh token that no form can carry is not kept beside an unusable access token: %j",
    (refresh_token) => {
      expect(interpret({ access_token: "abc\ndef", refresh_token })).not.toHaveProperty("refreshToken")
    }
  )

  it.each(["!~", "a", "A-._~+/9==", "{}", 'a"b', "a b"])(
    "an access token that a header can carry is taken: %j",
    (token) => {
      expect(granted({ access_token: token })).toBeDefined()
    }
  )

  it.each([undefined, null, ""])("refresh_token %j means that the old one stays good", (refresh_token) => {
    expect(granted({ refresh_token })).toBeDefined()
    expect(granted({ refresh_token })).not.toHaveProperty("refreshToken")
  })

  it.each([{ access_token: undefined }, { access_token: "" }, { access_token: null }, { access_token: 5 }])(
    "%j is malformed",
    (changes) => {
      expect(interpret({ ...documented, ...changes })).toMatchObject({ _tag: "Malformed", status: 200 })
    }
  )

  it("ignores further members, an error beside a token included", () => {
    expect(granted({ iss: "https://zapier.com", id_token: "x", error: "invalid_grant" })).toBeDefined()
  })

  const Token = Schema.String.check(Schema.isPattern(/^[\x21-\x7E]{1,60}$/))
  const ScopeList = Schema.NonEmptyArray(Schema.String.check(Schema.isPattern(/^[a-z:]{1,12}$/)))

  it.prop("gives back any tokens and scopes", [Token, Token, ScopeList], ([access_token, refresh_token, scopes]) => {
    const tokens = granted({ access_token, refresh_token, scope: scopes.join(" ") })
    expect([
      tokens && Redacted.value(tokens.accessToken),
      tokens?.refreshToken && Redacted.value(tokens.refreshToken)
    ]).toEqual([access_token, refresh_token])
    expect(tokens?.scopes).toEqual([...new Set(scopes)])
  })
})

describe("TokenOutcome.interpret, of an error", () => {
  it.each([
    [400, "invalid_grant", { _tag: "InvalidGrant" }],
    [401, "invalid_grant", { _tag: "InvalidGrant" }],
    [401, "invalid_client", { _tag: "InvalidClient" }],
    [400, "invalid_client", { _tag: "InvalidClient" }],
    [200, "invalid_grant", { _tag: "InvalidGrant" }],
    [400, "invalid_request", { _tag: "Refused", error: "invalid_request" }],
    [400, "invalid_scope", { _tag: "Refused", error: "invalid_scope" }],
    [400, "unauthorized_client", { _tag: "Refused", error: "unauthorized_client" }],
    [400, "unsupported_grant_type", { _tag: "Refused", error: "unsupported_grant_type" }],
    [400, "server_error", { _tag: "Unavailable", status: 400, retryAfter: undefined }],
    [200, "temporarily_unavailable", { _tag: "Unavailable", status: 200, retryAfter: undefined }],
    [400, "t0ken-in-an-error-code", { _tag: "Refused", error: OAuthError.other }]
  ])("%i %s", (status, error, expected) => {
    expect(interpret({ error, error_description: "d3scription" }, status)).toEqual(expected)
  })

  it.each([
    [401, "<html>", { _tag: "InvalidClient" }],
    [400, "<html>", { _tag: "Malformed", status: 400, problem: "it contains no error code" }],
    [403, "", { _tag: "Malformed", status: 403, problem: "it contains no error code" }],
    [400, '{"error":{}}', { _tag: "Malformed", status: 400, problem: "it contains no error code" }],
    [200, "<html>", { _tag: "Malformed", status: 200, problem: "it is not a JSON object" }],
    [200, "", { _tag: "Malformed", status: 200, problem: "it is not a JSON object" }],
    [200, "[]", { _tag: "Malformed", status: 200, problem: "it is not a JSON object" }],
    [200, "null", { _tag: "Malformed", status: 200, problem: "it is not a JSON object" }],
    [200, '{"access_token":"acc3ss","expi', { _tag: "Malformed", status: 200, problem: "it is not a JSON object" }],
    [200, "{}", { _tag: "Malformed", status: 200, problem: "it contains no access token" }],
    [204, "", { _tag: "Malformed", status: 204, problem: "it is not a JSON object" }]
  ])("%i %j", (status, body, expected) => {
    expect(interpret(body, status)).toEqual(expected)
  })

  it.each([0, 300, 301, 302, 303, 307, 308])("%i is a redirect, and nothing in it is believed", (status) => {
    expect(interpret(documented, status)).toMatchObject({
      _tag: "Malformed",
      status,
      problem: expect.stringMatching("redirect")
    })
  })

  it("429 says when to come back, or the documented cool-down", () => {
    expect(interpret("", 429, { "retry-after": "7" })).toEqual({ _tag: "RateLimited", retryAfter: 7_000 })
    expect(interpret("", 429)).toEqual({ _tag: "RateLimited", retryAfter: 60_000 })
    expect(interpret("", 429, { "retry-after": "soon" })).toEqual({ _tag: "RateLimited", retryAfter: 60_000 })
    const dates = { date: "Thu, 01 Jan 2026 00:00:00 GMT", "retry-after": "Thu, 01 Jan 2026 00:00:07 GMT" }
    expect(interpret("", 429, dates)).toEqual({ _tag: "RateLimited", retryAfter: 7_000 })
  })

  it("maps 5xx to unavailable for any body", () => {
    expect(interpret({ error: "invalid_grant" }, 500)).toEqual({
      _tag: "Unavailable",
      status: 500,
      retryAfter: undefined
    })
    expect(interpret("", 503, { "retry-after": "2" })).toEqual({ _tag: "Unavailable", status: 503, retryAfter: 2_000 })
    expect(interpret("", 503, { "retry-after": "-1" })).toMatchObject({ retryAfter: 60_000 })
  })
})

describe("TokenOutcome.retryAfter", () => {
  const now = Date.UTC(2026, 0, 1)
  const hour = 3_600_000

  it.each([
    ["0", 0],
    [" 120 ", 120_000],
    ["3600", hour],
    ["3601", hour],
    ["99999999999999999999999", hour],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Thursday, 01-Jan-26 00:00:30 GMT", 30_000],
    ["Thu Jan  1 00:00:30 2026", 30_000],
    ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
    ["Fri, 01 Jan 2027 00:00:00 GMT", hour]
  ])("%j is %s ms", (header, expected) => {
    expect(TokenOutcome.retryAfter({ "retry-after": header }, now)).toBe(expected)
  })

  it.each([
    "",
    " ",
    "-1",
    "-5",
    "+5",
    "1.5",
    "1e3",
    "0x10",
    "5, 5",
    "soon",
    "in 30",
    "30 minutes or so",
    "NaN",
    "Infinity",
    "2026-01-01T00:00:30Z",
    "Thu, 01 Jan 2026 00:00:30 CET",
    "Thu, 31 Feb 2026 00:00:30 GMT",
    "9".repeat(101),
    `Thu, 01 Jan 2026 00:00:30 GMT${" ".repeat(100_000)}`
  ])("%j cannot be read, and is the documented cool-down", (header) => {
    for (const date of [{}, { date: "Thu, 01 Jan 2026 00:00:00 GMT" }]) {
      expect(TokenOutcome.retryAfter({ ...date, "retry-after": header }, now)).toBe(60_000)
    }
  })

  it("says nothing without the header", () => {
    expect(TokenOutcome.retryAfter({}, now)).toBe(undefined)
    expect(TokenOutcome.retryAfter({ date: "Thu, 01 Jan 2026 00:00:00 GMT" }, now)).toBe(undefined)
  })

  const Offset = Schema.Int.check(Schema.isBetween({ minimum: -100_000, maximum: 100_000 }))
  const dateAt = (seconds: number) => Headers.formatHttpDate(DateTime.makeUnsafe(now + seconds * 1_000))
  const within = (millis: number) => Math.min(Math.max(millis, 0), hour)

  it.prop(
    "measures a date from the response's own Date, not from the local clock",
    [Offset, Offset, Schema.Int],
    (_) => {
      const [sentAt, wait, clock] = _
      const headers = { date: dateAt(sentAt), "retry-after": dateAt(sentAt + wait) }
      expect(TokenOutcome.retryAfter(headers, clock)).toBe(within(wait * 1_000))
    }
  )

  it.prop("measures a date from the local clock if the response has no readable Date", [Offset, Offset], (_) => {
    const [at, wait] = _
    const clock = now + at * 1_000
    for (const date of [undefined, "", "-1", "just now", "2026-01-01"]) {
      const headers = { date, "retry-after": dateAt(at + wait) }
      expect(TokenOutcome.retryAfter(headers, clock)).toBe(within(wait * 1_000))
    }
  })

  it.prop("seconds count from no clock", [Offset, Offset, Schema.Int], ([wait, sentAt, clock]) => {
    const headers = { date: dateAt(sentAt), "retry-after": `${Math.abs(wait)}` }
    expect(TokenOutcome.retryAfter(headers, clock)).toBe(within(Math.abs(wait) * 1_000))
  })

  // Texts, and what means something.
  const Header = Schema.Union([Schema.String, Schema.Int])
  const textOf = (header: string | number) =>
    typeof header === "string" ? header : header % 2 === 0 ? `${Math.abs(header)}` : dateAt(header % 1_000_000)

  it.prop("is at most an hour for any headers", [Header, Header, Schema.Int], (_) => {
    const [header, date, clock] = _
    const wait = TokenOutcome.retryAfter({ date: textOf(date), "retry-after": textOf(header) }, clock) ?? -1
    expect(wait >= 0 && wait <= hour).toBe(true)
  })
})

describe("TokenOutcome, of anything", () => {
  const Json = Schema.Record(
    Schema.Literals(["access_token", "refresh_token", "token_type", "scope", "expires_in", "error"]),
    Schema.Union([
      Schema.String,
      Schema.Finite,
      Schema.Boolean,
      Schema.Null,
      Schema.Literals(["Bearer", "invalid_grant"])
    ])
  )
  const tags = ["Granted", "InvalidGrant", "InvalidClient", "Refused", "RateLimited", "Unavailable", "Malformed"]

  it.prop(
    "never throws, always ends in an outcome, and repeats nothing that is secret",
    [Schema.Int, Schema.String, Json, Schema.String],
    ([status, text, json, header]) => {
      const planted = { ...json, access_token: "acc3ss", refresh_token: "r3fresh" }
      for (const body of [text, JSON.stringify(json), JSON.stringify(planted), JSON.stringify(planted).slice(0, -1)]) {
        for (const code of [status, 200, 400]) {
          const outcome = TokenOutcome.interpret({ status: code, headers: { "retry-after": header }, body }, asked)
          expect(tags).toContain(outcome._tag)
          const shown = JSON.stringify(outcome) + inspect(outcome, { depth: 9, showHidden: true })
          expect(shown).not.toMatch(/acc3ss|r3fresh/)
        }
      }
    }
  )

  it.prop(
    "a lifetime is a whole number of milliseconds, at least one and at most a year",
    [Schema.Unknown],
    ([any]) => {
      const millis = TokenOutcome.lifetime(any)
      expect(Number.isSafeInteger(millis) && millis >= 1 && millis <= year).toBe(true)
    }
  )
})

describe("the limits of a response", () => {
  const asked = { scopes: ["zap"], startedAt: 0, now: 1_000 }
  const body = JSON.stringify({ access_token: "a", token_type: "Bearer", expires_in: 10 })

  it.each([
    [{ _tag: "Malformed", status: 199, problem: "" }, false],
    [{ _tag: "Malformed", status: 200, problem: "" }, true],
    [{ _tag: "Malformed", status: 299, problem: "" }, true],
    [{ _tag: "Malformed", status: 300, problem: "" }, false],
    [{ _tag: "Unavailable", status: 500, retryAfter: undefined }, true],
    [{ _tag: "NoResponse" }, true],
    [{ _tag: "InvalidGrant" }, false],
    [{ _tag: "RateLimited", retryAfter: 1 }, false],
    [{ _tag: "InvalidClient" }, false],
    [{ _tag: "Refused", error: "invalid_scope" }, false],
    [{ _tag: "NotSent", code: "ENOTFOUND" }, false],
    [{ _tag: "NotTried" }, false]
  ] as const)("tells if the server may have acted: %j", (outcome, mayHave) => {
    expect(TokenOutcome.mayHaveActed(outcome)).toBe(mayHave)
  })

  it("rejects redirects, from status 300 on", () => {
    expect(TokenOutcome.interpret({ status: 300, headers: {}, body }, asked)._tag).toBe("Malformed")
    expect(TokenOutcome.interpret({ status: 299, headers: {}, body }, asked)._tag).toBe("Granted")
  })

  it("ignores a body that was truncated for its length", () => {
    const cutOff = { headers: {}, body, isTruncated: true }
    expect(TokenOutcome.interpret({ status: 200, ...cutOff }, asked)).toEqual({
      _tag: "Malformed",
      status: 200,
      problem: "it is longer than 64 kB"
    })
    expect(TokenOutcome.interpret({ status: 400, ...cutOff }, asked)).toMatchObject({ status: 400 })
    expect(TokenOutcome.interpret({ status: 503, ...cutOff }, asked)._tag).toBe("Unavailable")
    expect(TokenOutcome.interpret({ status: 401, ...cutOff }, asked)._tag).toBe("InvalidClient")
  })

  it.each([
    ["text/html; charset=utf-8", "text/html"],
    ["TEXT/HTML", "text/html"],
    ["application/json", "application/json"],
    ["application/octet-stream", "application/octet-stream"],
    ["application/problem+json", "application/problem+json"],
    ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded"],
    ["application/xhtml+xml", "application/xhtml+xml"],
    ["application/xml", "application/xml"],
    ["multipart/form-data", "multipart/form-data"],
    ["text/plain", "text/plain"],
    ["text/xml", "text/xml"],
    ["acc3ss/r3fresh", "another"],
    [`text/html${"x".repeat(200)}`, "another"]
  ])("says that the content type is %s, if that is a common one", (type, said) => {
    const page = { headers: { "content-type": type }, body: "<html>acc3ss" }
    for (const [status, problem] of [
      [200, "it is not a JSON object"],
      [400, "it contains no error code"]
    ] as const) {
      expect(TokenOutcome.interpret({ status, ...page }, asked)).toEqual({
        _tag: "Malformed",
        status,
        problem: `${problem} (Content-Type: ${said})`
      })
    }
  })

  it.each([
    ["", false],
    ["{", false],
    ["[]", false],
    ['{"a": "}', false],
    ['{"a": "}"}', true],
    ["{} \r\n", true],
    ["{}{}", false],
    ["<p>}", false]
  ])("%j is complete: %s", (text, isComplete) => {
    expect(TokenOutcome.isComplete(text)).toBe(isComplete)
  })
})
