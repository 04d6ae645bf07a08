import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as CommandLine from "../utils/CommandLine.ts"
import * as World from "../utils/CommandLineWorld.ts"

describe("token", () => {
  it.live("prints a token that Zapier takes, and nothing else", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login(["--subject", "ada"])
      const { code, stderr, stdout } = yield* world.run(["token", "--subject", "ada"])
      expect([code, stderr]).toEqual([0, ""])
      const [issued] = yield* world.fake.issued
      expect(stdout).toBe(`${issued?.accessToken}\n`)
      // It is good for hours: nobody was asked.
      expect(yield* world.tokenRequests).toEqual(["authorization_code"])
    })
  )

  it.live("renews a token that has ended, and another that Zapier ended before its time", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      yield* world.expireAccessTokens
      const first = yield* world.run(["token"])
      expect(first).toMatchObject({ code: 0, stderr: "" })
      const issued = yield* world.fake.issued
      expect(first.stdout).toBe(`${issued.at(-1)?.accessToken}\n`)
      expect(yield* world.tokenRequests).toEqual(["authorization_code", "refresh_token"])
      // Which of them it is cannot be known here: the API tells whoever uses it.
      yield* world.fake.endAccessToken(first.stdout.trim())
      expect((yield* world.run(["request", "GET", "/v2/zaps"])).code).toBe(0)
      expect(yield* world.tokenRequests).toEqual(["authorization_code", "refresh_token", "refresh_token"])
    })
  )

  it.live("of two commands at a time, one renews a token that has ended, and both print the new one", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      yield* world.expireAccessTokens
      // So that the second comes while the first waits.
      yield* world.fake.setFaults([
        { fault: { _tag: "ResponseSlow", millis: 1_000 }, match: { grantType: "refresh_token" } }
      ])
      const both = [world.start(["token"]), world.start(["token"])]
      const [first, second] = yield* Effect.forEach(both, ({ ended }) => ended, { concurrency: 2 })
      expect(first).toMatchObject({ code: 0, stderr: "" })
      expect(second).toEqual(first)
      expect(first?.stdout).toBe(`${(yield* world.fake.issued).at(-1)?.accessToken}\n`)
      expect(yield* world.tokenRequests).toEqual(["authorization_code", "refresh_token"])
    })
  )

  it.live("that is stopped while Zapier is answering stores what it was answered, and ends", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      yield* world.expireAccessTokens
      yield* world.tokenResponses.close
      const running = world.start(["token"], CommandLine.tellingOfStop)
      while ((yield* world.tokenRequests).length < 2) yield* Effect.sleep(1)
      running.child.kill("SIGINT")
      yield* running.said("stderr", "stopped")
      yield* world.tokenResponses.open
      expect(yield* running.ended).toEqual({ code: 130, stdout: "", stderr: "stopped\n" })
      const next = yield* world.run(["token"])
      expect(next.stdout).toBe(`${(yield* world.fake.issued).at(-1)?.accessToken}\n`)
      expect(yield* world.tokenRequests).toEqual(["authorization_code", "refresh_token"])
    })
  )

  it.live("that is killed while Zapier is answering leaves a grant that goes on, where Zapier allows it", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      yield* world.expireAccessTokens
      yield* world.fake.changeSettings({ graceMillis: 600_000 })
      yield* world.tokenResponses.close
      const running = world.start(["token"])
      while ((yield* world.tokenRequests).length < 2) yield* Effect.sleep(1)
      running.child.kill("SIGKILL")
      expect((yield* running.ended).code).toBe(null)
      yield* world.tokenResponses.open
      expect((yield* world.run(["status", "--json"])).stdout).toContain('"_tag":"Refreshing"')
      yield* world.endLeases
      expect((yield* world.run(["status"])).stdout).toContain("The process that was refreshing it is gone")
      expect(yield* world.run(["token"])).toMatchObject({ code: 0, stderr: "" })
    })
  )

  it.live("that is stopped at any moment leaves a grant that goes on", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login()
      yield* world.expireAccessTokens
      const [whole] = yield* Effect.timed(world.start(["token"]).ended)
      // From before it has read anything until after it has printed. Whichever moment it is, nothing is lost.
      for (const part of [0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1]) {
        yield* world.expireAccessTokens
        const running = world.start(["token"])
        yield* Effect.sleep(Duration.times(whole, part))
        running.child.kill("SIGINT")
        const { stderr } = yield* running.ended
        expect(stderr).toBe("")
        expect(yield* world.run(["token"])).toEqual({
          code: 0,
          stdout: `${(yield* world.fake.issued).at(-1)?.accessToken}\n`,
          stderr: ""
        })
      }
    })
  )

  it.live("tells who is not connected how to be, and who has to connect again why", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      yield* world.login(["--subject", "ada"])
      const unknown = yield* world.run(["token", "--subject", "bob's"])
      expect(unknown).toEqual({
        code: 1,
        stdout: "",
        stderr: `error: "bob's" is not connected to Zapier. Connected: "ada". Run:\n  zapier-workflow-auth login --subject 'bob'\\''s'\n`
      })
      yield* world.expireAccessTokens
      yield* world.fake.revoke({ clientId: "acme" })
      const revoked = yield* world.run(["token"], { ZAPIER_SUBJECT: "ada" })
      expect([revoked.code, revoked.stdout]).toEqual([1, ""])
      expect(revoked.stderr).toContain('error: "ada" must connect again: Zapier no longer accepts the refresh token.')
    })
  )
})

describe("app-token", () => {
  it.live("prints a token of the app, and fetches another when it has ended", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const args = ["app-token", "--scope", "promotions:write"]
      const first = yield* world.run(args)
      expect([first.code, first.stderr]).toEqual([0, ""])
      expect(first.stdout).toBe(`${(yield* world.fake.issued).at(-1)?.accessToken}\n`)
      expect(yield* world.run(args)).toEqual(first)
      expect(yield* world.tokenRequests).toEqual(["client_credentials"])
      yield* world.expireAccessTokens
      const second = yield* world.run(args)
      expect(second.stdout).toBe(`${(yield* world.fake.issued).at(-1)?.accessToken}\n`)
      expect(yield* world.tokenRequests).toEqual(["client_credentials", "client_credentials"])
    })
  )

  it.live("says what Zapier refuses", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const wrong = yield* world.run(["app-token", "--scope", "zap"], { ZAPIER_CLIENT_SECRET: "wrong" })
      expect([wrong.code, wrong.stdout]).toEqual([1, ""])
      expect(wrong.stderr).toMatch(
        /^error: Zapier rejected the client id or secret\. .* Run:\n {2}zapier-workflow-auth doctor\n$/
      )
    })
  )
})
