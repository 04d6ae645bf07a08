import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { type Grant, GrantStore, type Key } from "@zapier-workflow-auth/core/store/GrantStore"
import type * as Pause from "@zapier-workflow-auth/core/machine/Pause"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as SqliteClient from "../../src/stores/SqliteClient.ts"
import * as SqlStores from "../../src/stores/SqlStores.ts"
import { run } from "../utils/CommandLine.ts"

const now = Date.parse("2026-11-25T09:00:00Z")

const hour = 3_600_000

const tokens = (left: number, refreshToken = true): Tokens.Tokens => ({
  accessToken: Tokens.secret("an-access-token"),
  ...(refreshToken ? { refreshToken: Tokens.secret("a-refresh-token") } : {}),
  scopes: ["zap", "profile"],
  obtainedAt: now + left - 10 * hour,
  expiresAt: now + left
})

const held = { family: "consent-1", generation: 3 }

const active = (fields: Partial<Extract<Grant, { readonly _tag: "Active" }>> = {}): Grant => ({
  _tag: "Active",
  ...held,
  tokens: tokens(2 * hour),
  responseLost: false,
  ...fields
})

const paused = (cause: Pause.Cause, until = now + 4_500): Grant => active({ pause: { until, failures: 1, cause } })

const refreshing = (deadline: number, responseLost = false): Grant => ({
  _tag: "Refreshing",
  ...held,
  tokens: { ...tokens(-1), refreshToken: Tokens.secret("a-refresh-token") },
  responseLost,
  lease: { owner: "another", deadline },
  attempt: 1
})

const reconnect = (why: Extract<Grant, { readonly _tag: "ReconnectRequired" }>["why"]): Grant => ({
  _tag: "ReconnectRequired",
  ...held,
  tokens: tokens(-1),
  why,
  since: now - hour
})

/** A database as an app leaves it. Neither its key nor a secret of it is there. */
const withGrants = Effect.fnUntraced(function* (entries: ReadonlyArray<readonly [Partial<Key>, Grant]>) {
  yield* TestClock.setTime(now)
  const root = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "zapier-status-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const directory = join(root, "data")
  mkdirSync(directory, { mode: 0o700 })
  const stores = Layer.fresh(SqlStores.layer.pipe(Layer.provideMerge(SqliteClient.layerDefault({ directory }))))
  yield* Effect.provide(
    Effect.gen(function* () {
      const store = yield* GrantStore
      for (const [key, grant] of entries) {
        yield* store.compareAndSet({ clientId: "acme", subject: "ada", ...key }, Option.none(), grant)
      }
      const sql = yield* SqlClient
      yield* sql`UPDATE zapier_grants SET record = '{}' WHERE subject = 'mallory'`
    }),
    stores
  )
  return (...args: ReadonlyArray<string>) => run(["status", ...args], { ZAPIER_DATA_DIRECTORY: directory })
})

/** The rows of all tables. A note is the last cell of the row above it. */
const rowsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("Client application"))
    .reduce<Array<Array<string>>>((rows, line) => {
      const row = rows.at(-1)
      if (!line.startsWith("  ") || row === undefined) {
        rows.push(line.split(/ {2,}/))
        return rows
      }
      row[4] = row[4] === undefined ? line.trim() : `${row[4]} ${line.trim()}`
      return rows
    }, [])

describe("status", () => {
  it.effect("shows each grant in a line of its own, whatever is in its record", () =>
    Effect.gen(function* () {
      const code = "E\n\u001b[2Jacme  eve  active\r\n\u009b1m"
      const status = yield* withGrants([[{}, paused({ _tag: "NotSent", code })]])
      const { stdout } = yield* status()
      expect(rowsOf(stdout)).toHaveLength(2)
      expect(rowsOf(stdout)[1]?.[4]).toContain("(E\\u000a\\u001b[2Jacme  eve  active\\u000d\\u000a\\u009b1m)")
    })
  )

  it.effect("tells which grants cannot be read, and shows the others", () =>
    Effect.gen(function* () {
      const status = yield* withGrants([
        [{ subject: "mallory" }, active()],
        [{ subject: "nora" }, active()]
      ])
      const { code, stdout } = yield* status()
      expect(code).toBe(0)
      const rows = rowsOf(stdout).slice(1)
      expect(rows.map(([subject, state]) => [subject, state])).toEqual([
        ["nora", "active"],
        ["mallory", "unreadable"]
      ])
      expect(rows[1]?.at(-1)).toContain("has not changed it; it was altered, or a newer version wrote it")
      const lines = (yield* status("--json")).stdout.trimEnd().split("\n")
      expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
        { subject: "nora", _tag: "Active" },
        {
          clientId: "acme",
          subject: "mallory",
          _tag: "Unreadable",
          note: expect.stringContaining("has not changed it")
        }
      ])
    })
  )

  it.effect.each([
    ["good", active(), "active", "2h", ""],
    ["about to end", active({ tokens: tokens(59_001) }), "active", "60 s", ""],
    ["ended", active({ tokens: tokens(0) }), "active", "expired", ""],
    [
      "without a refresh token",
      active({ tokens: tokens(hour, false) }),
      "active",
      "1h",
      "Zapier gave no refresh token"
    ],
    [
      "told to wait",
      paused({ _tag: "RateLimited" }),
      "active",
      "2h",
      "Not refreshed for another 5 s (until 2026-11-25T09:00:04.500Z): Zapier's rate limit was reached"
    ],
    ["met with a failure", paused({ _tag: "Unavailable", status: 503 }), "active", "2h", "Zapier responded with 503"],
    [
      "met with nonsense",
      paused({ _tag: "Malformed", status: 200, problem: "it is not a JSON object" }),
      "active",
      "2h",
      "Zapier's response (status 200) was malformed"
    ],
    [
      "offline",
      paused({ _tag: "NotSent", code: "ENOTFOUND" }),
      "active",
      "2h",
      "Zapier could not be reached (ENOTFOUND)"
    ],
    ["met with silence", paused({ _tag: "NoResponse" }), "active", "2h", "Zapier's response did not arrive"],
    ["told to wait, long ago", paused({ _tag: "RateLimited" }, now), "active", "2h", ""],
    [
      "of an answer that was lost",
      active({ responseLost: true }),
      "active",
      "2h",
      "The response to the last refresh was lost"
    ],
    ["being renewed", refreshing(now + 1), "refreshing", "expired", "Being refreshed."],
    [
      "renewed after a loss",
      refreshing(now + 1, true),
      "refreshing",
      "expired",
      "Being refreshed, after a response was lost"
    ],
    ["left behind", refreshing(now), "refreshing", "expired", "The process that was refreshing it is gone"],
    ["revoked", reconnect("Revoked"), "reconnect", "expired", "no longer accepts the refresh token"],
    ["lost", reconnect("ResponseLost"), "reconnect", "expired", "The response to a refresh was lost"],
    ["at its end", reconnect("NoRefreshToken"), "reconnect", "expired", "Zapier gave no refresh token"]
  ] as const)("shows a grant that is %s", ([, grant, state, left, note]) =>
    Effect.gen(function* () {
      const status = yield* withGrants([[{}, grant]])
      const { code, stderr, stdout } = yield* status()
      expect([code, stderr]).toEqual([0, ""])
      const [head, row = []] = rowsOf(stdout)
      expect(stdout.split("\n")[0]).toBe("Client application acme:")
      expect(head).toEqual(["SUBJECT", "STATE", "TIME LEFT", "SCOPES"])
      expect(row.slice(0, 4)).toEqual(["ada", state, left, "zap profile"])
      expect(row[4] ?? "").toContain(note)
      if (note === "") expect(row).toHaveLength(4)
    })
  )

  it.effect("prints a line of JSON for each, without a token", () =>
    Effect.gen(function* () {
      const status = yield* withGrants([
        [{ subject: "ada" }, active()],
        [{ subject: "bob" }, reconnect("Revoked")]
      ])
      const lines = (yield* status("--json")).stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
      expect(lines).toEqual([
        {
          clientId: "acme",
          subject: "ada",
          _tag: "Active",
          scopes: ["zap", "profile"],
          accessTokenExpiresAt: now + 2 * hour,
          secondsLeft: 7_200,
          generation: 3
        },
        expect.objectContaining({ subject: "bob", _tag: "ReconnectRequired", secondsLeft: 0, note: expect.any(String) })
      ])
    })
  )

  it.effect("lists more than a page of several client applications, or one, or one state, or one user", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 250 }, (_, index) => `u${String(index).padStart(3, "0")}`)
      const status = yield* withGrants([
        ...many.map((subject, index) => [{ subject }, index % 50 === 0 ? reconnect("Revoked") : active()] as const),
        [{ clientId: "other", subject: "u000" }, active()]
      ])
      const count = (stdout: string) => rowsOf(stdout).filter(([first]) => first !== "SUBJECT").length
      expect(count((yield* status()).stdout)).toBe(251)
      expect(count((yield* status("--client-id", "acme")).stdout)).toBe(250)
      expect(count((yield* status("--state", "reconnect")).stdout)).toBe(5)
      expect(count((yield* status("--subject", "u000")).stdout)).toBe(2)
      expect(count((yield* status("--subject", "u000", "--state", "active")).stdout)).toBe(1)
      expect(yield* status("--subject", "nobody")).toEqual({
        code: 0,
        stdout: "",
        stderr: "No matching connections.\n"
      })
      expect(yield* status("--subject", "nobody", "--json")).toMatchObject({ code: 0, stdout: "" })
    })
  )

  it.effect("shows names that come from anywhere without harm", () =>
    Effect.gen(function* () {
      const hostile = ["\u001b[2J", "\u202Eada", "a\nb", 'say "hi"', "", "日本"]
      const status = yield* withGrants(hostile.map((subject) => [{ subject }, active()]))
      const { stdout } = yield* status()
      for (const character of ["\u001b", "\u202E", "\t", "\r"]) expect(stdout).not.toContain(character)
      expect(rowsOf(stdout)).toHaveLength(hostile.length + 1)
      expect((yield* status("--json")).stdout).not.toContain("\u001b")
    })
  )

  it.effect("says so where there is no database", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run(["status", "--data-directory", join(import.meta.dirname, "nowhere")])
      expect(code).toBe(0)
      expect(stderr).toMatch(/^Nobody is connected: .* does not exist\. Run:\n {2}zapier-workflow-auth login /)
    })
  )
})
