import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as CommandLine from "../utils/CommandLine.ts"
import * as World from "../utils/CommandLineWorld.ts"
import { freePort } from "../utils/freePort.ts"

const last = (world: Effect.Success<typeof World.make>) =>
  Effect.map(world.fake.requests, (requests) => {
    const { request } = requests.at(-1) ?? {}
    return {
      line: `${request?.method} ${request?.path}`,
      query: request?.query,
      scheme: request?.headers["authorization"]?.split(" ")[0],
      type: request?.headers["content-type"],
      body: new TextDecoder().decode(request?.body)
    }
  })

describe("request", () => {
  it.live("calls with the credential that the endpoint takes, or with the one that is asked for", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      const user = yield* world.run(["request", "GET", "/v2/zaps?limit=1"])
      expect([user.code, user.stderr, JSON.parse(user.stdout).data.length]).toEqual([0, "", 1])
      expect(yield* last(world)).toMatchObject({ line: "GET /v2/zaps", query: "limit=1", scheme: "Bearer" })
      expect((yield* world.run(["request", "GET", "/v2/zaps?limit=1#x"])).code).toBe(2)
      expect((yield* world.run(["request", "GET", "/v1/apps"])).code).toBe(0)
      expect(yield* last(world)).toMatchObject({ query: "client_id=acme", scheme: undefined })
      expect((yield* world.run(["request", "GET", "/v2/apps", "--as", "client-id"])).code).toBe(0)
      expect(yield* last(world)).toMatchObject({ line: "GET /v2/apps", scheme: undefined })
      const app = yield* world.run(["request", "DELETE", "/v2/promotions/12"])
      expect([app.code, app.stderr]).toEqual([1, "error: Zapier responded with status 404. See its response above.\n"])
      // What was answered is what was asked for, whatever it says.
      expect(JSON.parse(app.stdout)).toHaveProperty("errors")
      expect(yield* last(world)).toMatchObject({ line: "DELETE /v2/promotions/12", scheme: "Bearer" })
      const unknown = yield* world.run(["request", "GET", "/v9/new", "--as", "app", "--scope", "promotions:write"])
      expect([unknown.code, unknown.stderr]).toEqual([
        1,
        "error: Zapier responded with status 404. See its response above.\n"
      ])
    })
  )

  it.live("sends a text, a file or stdin as they are", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login(["--scope", "zap:write"])
      const zap = JSON.stringify({ data: { title: "A Zap", steps: [] } })
      yield* world.run(["request", "POST", "/v2/zaps", "--data", zap])
      expect(yield* last(world)).toMatchObject({ line: "POST /v2/zaps", type: "application/json", body: zap })
      const file = join(world.directory, "zap.json")
      writeFileSync(file, `${zap} é`)
      yield* world.run(["request", "POST", "/v2/zaps", "-d", `@${file}`, "--content-type", "text/plain"])
      expect(yield* last(world)).toMatchObject({ type: "text/plain", body: `${zap} é` })
      yield* world.run(["request", "POST", "/v2/zaps", "-d", "@-"], {}, zap)
      expect(yield* last(world)).toMatchObject({ body: zap })
      const missing = yield* world.run(["request", "POST", "/v2/zaps", "-d", "@/nowhere"])
      expect(missing).toEqual({
        code: 1,
        stdout: "",
        stderr: "error: --data: cannot read /nowhere. Check the path and its permissions.\n"
      })
    })
  )

  it.live("renews a token that is not taken, but not again at once, and says to whom only the user can help", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      for (const { accessToken } of yield* world.fake.issued) yield* world.fake.endAccessToken(accessToken)
      expect((yield* world.run(["request", "GET", "/v2/zaps"])).code).toBe(0)
      expect(yield* world.tokenRequests).toEqual(["authorization_code", "refresh_token"])
      // The endpoint may be at fault: what it says is shown.
      for (const { accessToken } of yield* world.fake.issued) yield* world.fake.endAccessToken(accessToken)
      const refused = yield* world.run(["request", "GET", "/v2/zaps"])
      expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining("not_authenticated") })
      expect(yield* world.tokenRequests).toEqual(["authorization_code", "refresh_token"])
      yield* world.login()
      yield* world.fake.revoke({ clientId: "acme" })
      const revoked = yield* world.run(["request", "GET", "/v2/zaps"])
      expect([revoked.code, revoked.stdout]).toEqual([1, ""])
      expect(revoked.stderr).toMatch(
        /^error: "me" must connect again: .* Run:\n  zapier-workflow-auth login --subject me\n$/
      )
    })
  )

  it.live.each([
    [["GET", "/v9/new"], 1, "unknown endpoint: GET /v9/new."],
    [["GET", "v2/zaps"], 2, "a path that begins with one slash"],
    [["GET", "//evil.example/v2/zaps"], 2, "a path that begins with one slash"],
    [["GET", "https://evil.example/v2/zaps"], 2, "a path that begins with one slash"],
    [["FETCH", "/v2/zaps"], 2, "method"],
    [["GET", "/v2/zap-runs"], 1, "zap:runs"]
  ] as const)("refuses %j before anything is sent", ([args, code, problem]) =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      const before = (yield* world.fake.requests).length
      const refused = yield* world.run(["request", ...args])
      expect([refused.code, refused.stdout]).toEqual([code, ""])
      expect(refused.stderr).toContain(problem)
      expect((yield* world.fake.requests).length).toBe(before)
    })
  )

  it.live("writes a body as it comes, whatever its length, and says when it breaks off", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const response = Promise.withResolvers<ServerResponse>()
      const server = createServer((_, answer) => {
        answer.writeHead(200, { "Content-Type": "application/json" }).write("[1,")
        response.resolve(answer)
      })
      yield* Effect.promise(() => once(server.listen(0, "127.0.0.1"), "listening"))
      yield* Effect.addFinalizer(() => Effect.promise(() => new Promise<void>((done) => server.close(() => done()))))
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const recorder = CommandLine.recorder()
      const args = ["request", "GET", "/v2/apps", "--as", "client-id"]
      const running = yield* Effect.forkScoped(CommandLine.run(args, { ...world.env, ZAPIER_FAKE: origin }, recorder))
      const answer = yield* Effect.promise(() => response.promise)
      yield* Effect.promise(() => expect.poll(() => recorder.lines.stdout).toBe("[1,"))
      answer.destroy()
      expect(yield* Fiber.join(running)).toEqual({
        code: 1,
        stdout: "[1,",
        stderr: "error: the response (status 200) broke off. The part that came is above.\n"
      })
    })
  )

  it.live("says that nobody answers", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const origin = `http://127.0.0.1:${yield* Effect.promise(freePort)}`
      const { code, stderr } = yield* world.run(["request", "GET", "/v1/apps"], { ZAPIER_FAKE: origin })
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(
          /^error: The call never reached Zapier \(ECONNREFUSED\)\. Check .* Run:\n {2}zapier-workflow-auth doctor\n$/
        )
      ])
    })
  )
})
