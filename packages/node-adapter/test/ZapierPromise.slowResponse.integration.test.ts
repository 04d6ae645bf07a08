/** Zapier responds later than any caller waits. */
import { setTimeout } from "node:timers/promises"
import { describe, expect, it } from "@effect/vitest"
import * as ZapierProcesses from "./utils/ZapierProcesses.ts"

const { eventually, failures, kinds, untilActive, valueOf } = ZapierProcesses

const settings = { requestTimeout: 500, responseTimeout: 60_000 }

describe("ZapierPromise and a slow response", () => {
  it.each(["expired", "was rejected"])(
    "refreshes a token that %s once, however many wait for it in however many processes",
    async (why) => {
      await using world = await ZapierProcesses.make(settings)
      const { server } = world
      const [first, second] = [world.startApp(), world.startApp()]
      await (why === "expired" ? world.connectExpired(first, "ada") : world.connect(first, "ada"))
      if (why === "was rejected") server.endAccessTokens()
      const held = server.hold()
      const early = first.askTimes(200, "callAsUser", "ada")
      await Promise.race([held.received, early])
      const elsewhere = second.askTimes(50, "callAsUser", "ada")
      // All of them are told before the response comes: nobody has a token that is good.
      const told = [...(await early), ...(await elsewhere)]
      expect(kinds(told)).toEqual(["retryable"])
      const late = [first.askTimes(50, "callAsUser", "ada"), second.askTimes(50, "callAsUser", "ada")]
      held.respond()
      expect(failures((await Promise.all(late)).flat())).toEqual([])
      for (const app of [first, second]) {
        expect(await eventually(() => app.ask("callAsUser", "ada"))).toBe(200)
        expect(valueOf(await app.ask("status", "ada"))._tag).toBe("Active")
      }
      expect(server.tokenRequests()).toEqual([
        { grantType: "authorization_code", status: 200 },
        { grantType: "refresh_token", status: 200 }
      ])
    }
  )

  it("completes a login", async () => {
    await using world = await ZapierProcesses.make(settings)
    const { server } = world
    const app = world.startApp()
    const { url } = valueOf(await app.ask("authorizationUrl", "ada"))
    const held = server.hold()
    const login = app.askTimes(1, "handleCallback", "ada", server.approve(url))
    await Promise.race([held.received, login])
    await setTimeout(settings.requestTimeout + 500)
    held.respond()
    expect(failures(await login)).toEqual([])
    await untilActive(app, "ada")
    expect(await eventually(() => app.ask("callAsUser", "ada"))).toBe(200)
    expect(server.tokenRequests()).toEqual([{ grantType: "authorization_code", status: 200 }])
  })

  it("asks once for the app's token, in however many processes", async () => {
    await using world = await ZapierProcesses.make(settings)
    const { server } = world
    const [first, second] = [world.startApp(), world.startApp()]
    const held = server.hold()
    const early = first.askTimes(50, "appToken")
    await Promise.race([held.received, early])
    const told = [...(await early), ...(await second.askTimes(50, "appToken"))]
    expect(kinds(told)).toEqual(["retryable"])
    held.respond()
    for (const app of [first, second]) expect(await eventually(() => app.ask("callAsApp"))).toBe(200)
    expect(server.tokenRequests()).toEqual([{ grantType: "client_credentials", status: 200 }])
  })
})
