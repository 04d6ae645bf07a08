/** A process is killed without having closed anything. */
import { describe, expect, it } from "@effect/vitest"
import * as ZapierProcesses from "./utils/ZapierProcesses.ts"

const { eventually, kinds } = ZapierProcesses

const settings = { requestTimeout: 500, responseTimeout: 60_000 }

describe("ZapierPromise after a process was killed", () => {
  it("goes on with the tokens that it left behind", async () => {
    await using world = await ZapierProcesses.make(settings)
    const { server } = world
    const first = world.startApp()
    await world.connect(first, "ada")
    expect(await eventually(() => first.ask("callAsUser", "ada"))).toBe(200)
    expect(await eventually(() => first.ask("callAsApp"))).toBe(200)
    await first.kill()
    const second = world.startApp()
    expect(await eventually(() => second.ask("callAsUser", "ada"))).toBe(200)
    expect(await eventually(() => second.ask("callAsApp"))).toBe(200)
    expect(server.tokenRequests()).toEqual([
      { grantType: "authorization_code", status: 200 },
      { grantType: "client_credentials", status: 200 }
    ])
    await world.connect(second, "eve")
    expect(await eventually(() => second.ask("callAsUser", "eve"))).toBe(200)
  })

  it("does not repeat a request that may still be answered, and connects that user and others meanwhile", async () => {
    await using world = await ZapierProcesses.make(settings)
    const { server } = world
    const first = world.startApp()
    await world.connectExpired(first, "ada")
    const held = server.hold()
    const calls = first.askTimes(10, "callAsUser", "ada")
    await Promise.race([held.received, calls])
    await first.kill()
    const second = world.startApp()
    const results = await second.askTimes(10, "callAsUser", "ada")
    expect(kinds(results)).toEqual(["retryable"])
    expect(server.tokenRequests().map(({ grantType }) => grantType)).toEqual(["authorization_code", "refresh_token"])
    for (const subject of ["eve", "ada"]) {
      await world.connect(second, subject)
      expect(await eventually(() => second.ask("callAsUser", subject))).toBe(200)
    }
    expect(server.tokenRequests().filter(({ grantType }) => grantType === "refresh_token").length).toBe(1)
  })
})
