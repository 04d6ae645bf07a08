import { readdirSync } from "node:fs"
import { createServer } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as World from "../utils/CommandLineWorld.ts"

describe("login", () => {
  it.live("waits for the browser, stores the grant, and says what the user may", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const { code, page, stderr, stdout } = yield* world.login(["--subject", "ada", "--scope", "zap"])
      expect([code, stdout]).toEqual([0, 'Connected "ada". Scopes: zap.\n'])
      expect(stderr).toContain("Open this address in a browser on this machine, and allow access:")
      expect(page).toContain("<h1>Connected</h1>")
      expect(yield* world.tokenRequests).toEqual(["authorization_code"])
      expect((yield* world.run(["token", "--subject", "ada"])).code).toBe(0)
    })
  )

  it.live("asks for the profile and the Zaps of me, unless it is told", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      expect((yield* world.login()).stdout).toBe('Connected "me". Scopes: profile, zap.\n')
    })
  )

  it.live("tells both the browser and the terminal when the user says no", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const { ended, url } = yield* world.beginLogin(["--subject", "ada"])
      const page = yield* World.visit(yield* world.fake.deny(url))
      expect(page).toContain("<h1>Not connected</h1>")
      const { code, stderr, stdout } = yield* ended
      expect([code, stdout]).toEqual([1, ""])
      expect(stderr).toContain("error: access was not allowed on Zapier's consent page. Nothing was changed. Run:\n")
      expect(stderr).toContain("\n  zapier-workflow-auth login --subject ada")
      expect(yield* world.tokenRequests).toEqual([])
    })
  )

  it.live("is not ended by who is sent to it by anything but Zapier, and goes on waiting", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const { ended, url } = yield* world.beginLogin()
      const foreign = yield* World.visit(`${world.redirectUri}?code=stolen&state=foreign`)
      expect(foreign).toContain("still waits.")
      expect(foreign).not.toContain("foreign")
      expect(yield* World.visit(`${world.redirectUri}?code=a&code=b&state=c`)).toContain("still waits.")
      expect(yield* world.tokenRequests).toEqual([])
      yield* World.visit(yield* world.fake.approve(url))
      expect((yield* ended).code).toBe(0)
    })
  )

  it.live("takes the address that is pasted, where the browser does not come back to this machine", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const running = world.start(["login", "--paste"], {}, "Open")
      const said = yield* running.said("stderr", "paste the address that Zapier sends the browser to")
      const callback = yield* world.fake.approve(World.consentUrl(said))
      running.child.stdin.end(`\n ${callback} \n`)
      expect(yield* running.ended).toMatchObject({ code: 0, stdout: 'Connected "me". Scopes: profile, zap.\n' })
    })
  )

  it.live.each([
    ["nothing", "\n", "error: stdin ended before an address was pasted."],
    [
      "what belongs to no login",
      "https://acme.example/callback?code=a&state=b\n",
      "that address belongs to another login, or to one that expired."
    ],
    ["what is no address", "hello\n", "error: that is not the address that Zapier sent the browser to."]
  ])("refuses %s that is pasted", ([, pasted, problem]) =>
    Effect.gen(function* () {
      const world = yield* World.make
      const uri = "https://acme.example/callback"
      const { code, stderr } = yield* world.run(["login", "--redirect-uri", uri], {}, pasted)
      expect(code).toBe(1)
      expect(stderr).toContain(problem)
      expect(yield* world.tokenRequests).toEqual([])
    })
  )

  it.live("says who may be in the way when it cannot listen", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const port = Number(new URL(world.redirectUri).port)
      yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const other = createServer().listen(port, "127.0.0.1", () => resume(Effect.succeed(other)))
        }),
        (other) => Effect.sync(() => other.close())
      )
      const { code, stderr } = yield* world.run(["login", "--no-browser"])
      expect(code).toBe(1)
      expect(stderr).toMatch(/^error: cannot listen on 127\.0\.0\.1:\d+, .* another registered --redirect-uri\.\n$/)
    })
  )

  it.live("that is stopped by Ctrl-C ends with 130, and leaves neither a file nor a listener behind", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const running = world.start(["login", "--no-browser"], {}, "Open")
      yield* running.said("stderr", "authorize?")
      const files = readdirSync(world.directory).filter((name) => /^fake\.(key|sqlite)$/.test(name))
      running.child.kill("SIGINT")
      const { code, stderr, stdout } = yield* running.ended
      expect([code, stdout]).toEqual([130, ""])
      expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/^ {2}http/)
      expect(readdirSync(world.directory)).toEqual(files)
      const probe = createServer()
      yield* Effect.callback<void>((resume) => {
        probe.once("error", (error) => resume(Effect.die(error)))
        probe.listen(Number(new URL(world.redirectUri).port), "127.0.0.1", () => probe.close(() => resume(Effect.void)))
      })
    })
  )

  it.effect("gives up when nobody comes back in time, and has changed nothing", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const { ended } = yield* world.beginLogin(["--timeout", "60"])
      yield* TestClock.adjust("60 seconds")
      const { code, stderr } = yield* ended
      expect(code).toBe(1)
      expect(stderr).toContain(
        "error: the browser did not come back from the consent page within 60 s. Nothing was changed. Run:\n"
      )
      expect((yield* world.run(["status"])).stderr).toBe("Nobody is connected. Run:\n  zapier-workflow-auth login\n")
    })
  )
})
