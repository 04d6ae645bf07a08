import { describe, expect, it } from "@effect/vitest"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Effect from "effect/Effect"
import { run } from "../utils/CommandLine.ts"

const scopes = (...args: ReadonlyArray<string>) => run(["scopes", ...args])

describe("scopes", () => {
  it.effect.each([
    [["GET /v2/zaps"], "zap\n"],
    [["GET /v2/zaps", "POST /v2/zaps"], "zap\nzap:write\n"],
    [["get  /v2/zaps?limit=5", "patch /v2/zaps/12", "PATCH /v2/zaps/{id}"], "zap\nzap:update\n"],
    [["GET /v2/authentications", "GET /v1/profiles/me"], "connection:read\nprofile\n"],
    [["POST /v2/zaps/12/enable"], ""]
  ] as const)("of %j are the least that reach them all", ([endpoints, least]) =>
    Effect.gen(function* () {
      expect(yield* scopes(...endpoints)).toEqual({ code: 0, stdout: least, stderr: "" })
    })
  )

  it.effect("are JSON for programs", () =>
    Effect.gen(function* () {
      expect((yield* scopes("GET /v2/zaps", "--json")).stdout).toBe('["zap"]\n')
      const lines = (yield* scopes("--json")).stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
      expect(lines.map(({ endpoint }) => endpoint)).toEqual(Endpoint.names)
    })
  )

  it.effect("tells what takes no user's grant, and asks for nothing because of it", () =>
    Effect.gen(function* () {
      const app = yield* scopes("DELETE /v2/promotions/12", "GET /v2/zaps")
      expect([app.code, app.stdout]).toEqual([0, "zap\n"])
      expect(app.stderr).toContain("note: DELETE /v2/promotions/{enrollment_id} takes a token of the app itself.")
      const id = yield* scopes("GET /v1/apps")
      expect([id.code, id.stdout]).toEqual([0, ""])
      expect(id.stderr).toContain("takes the client id only")
    })
  )

  it.effect("lists all endpoints, with what each takes", () =>
    Effect.gen(function* () {
      const { stdout } = yield* scopes()
      const [head, ...rows] = stdout.trimEnd().split("\n")
      expect(head).toMatch(/^ENDPOINT +CREDENTIAL +SCOPE \(ANY ONE\)$/)
      // A row goes on in indented lines.
      const whole = rows.join("\n").replace(/\n +/g, "  ").split("\n")
      expect(whole).toHaveLength(Endpoint.names.length)
      for (const name of Endpoint.names) {
        const row = whole.find((line) => line.split(/ {2,}/)[0] === name) ?? ""
        for (const scope of Endpoint.requirement(name).scopes) expect(row).toContain(scope)
      }
    })
  )

  it.effect.each([
    "zaps",
    "GET",
    "/v2/zaps",
    "GET /v3/zaps",
    "GET /v2/zaps now",
    "FETCH /v2/zaps",
    "toString /",
    "\u001b[2J"
  ])("refuses %j", (text) =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* scopes("GET /v2/zaps", text)
      expect([code, stdout]).toEqual([1, ""])
      expect(stderr).toMatch(/^error: unknown endpoint: "[^\n]*"\..* Run:\n {2}zapier-workflow-auth scopes\n$/)
      expect(stderr).not.toContain("\u001b")
    })
  )
})
