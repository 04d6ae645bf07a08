/** The process is paused while a token request is open, and the response comes meanwhile. */
import { setTimeout } from "node:timers/promises"
import { describe, expect, it } from "@effect/vitest"
import * as ZapierProcesses from "./utils/ZapierProcesses.ts"
import type * as ZapierPromise from "../src/ZapierPromise.ts"
import type { StrictServer } from "./utils/StrictServer.ts"

const { eventually, failures, untilActive, valueOf } = ZapierProcesses

// The pause lasts longer than both, and much less long than the lease.
const settings = { requestTimeout: 1_000, responseTimeout: 3_000 }

/**
 * Pauses the app as soon as the server has its token request, and resumes it past every timeout, when the response has
 * been there for long.
 */
const paused = async <A>(
  server: StrictServer,
  app: ZapierProcesses.App,
  begin: () => Promise<ReadonlyArray<ZapierPromise.Result<A>>>
) => {
  const held = server.hold()
  const results = begin()
  await Promise.race([held.received, results])
  app.pause()
  const before = app.heard()
  await setTimeout(200)
  held.respond()
  await held.responded
  await setTimeout(settings.responseTimeout + 500)
  // It has stood still: else it would have said by now what came of it.
  expect(app.heard()).toBe(before)
  app.resume()
  return await results
}

// Windows has no SIGSTOP.
describe.skipIf(process.platform === "win32")("ZapierPromise in a process that is paused (needs SIGSTOP)", () => {
  it.concurrent("stores the response to a login", async () => {
    await using world = await ZapierProcesses.make(settings)
    const { server } = world
    const app = world.startApp()
    const { url } = valueOf(await app.ask("authorizationUrl", "ada"))
    const callback = server.approve(url)
    const results = await paused(server, app, () => app.askTimes(1, "handleCallback", "ada", callback))
    expect(failures(results)).toEqual([])
    await untilActive(app, "ada")
    expect(await eventually(() => app.ask("callAsUser", "ada"))).toBe(200)
    const another = world.startApp()
    expect(await eventually(() => another.ask("callAsUser", "ada"))).toBe(200)
    expect(server.tokenRequests()).toEqual([{ grantType: "authorization_code", status: 200 }])
  })

  it.concurrent("stores the response to a refresh that many callers wait for", async () => {
    await using world = await ZapierProcesses.make(settings)
    const { server } = world
    const app = world.startApp()
    await world.connectExpired(app, "ada")
    const results = await paused(server, app, () => app.askTimes(50, "callAsUser", "ada"))
    expect(failures(results)).toEqual([])
    expect(await eventually(() => app.ask("callAsUser", "ada"))).toBe(200)
    expect(valueOf(await app.ask("status", "ada"))._tag).toBe("Active")
    const another = world.startApp()
    expect(await eventually(() => another.ask("callAsUser", "ada"))).toBe(200)
    expect(server.tokenRequests()).toEqual([
      { grantType: "authorization_code", status: 200 },
      { grantType: "refresh_token", status: 200 }
    ])
  })

  it.concurrent("stores the response to a refresh after the API rejected the token", async () => {
    await using world = await ZapierProcesses.make(settings)
    const { server } = world
    const app = world.startApp()
    await world.connect(app, "ada")
    expect(await eventually(() => app.ask("callAsUser", "ada"))).toBe(200)
    server.endAccessTokens()
    const results = await paused(server, app, () => app.askTimes(50, "callAsUser", "ada"))
    expect(failures(results)).toEqual([])
    expect(await eventually(() => app.ask("callAsUser", "ada"))).toBe(200)
    const another = world.startApp()
    expect(await eventually(() => another.ask("callAsUser", "ada"))).toBe(200)
    expect(server.tokenRequests()).toEqual([
      { grantType: "authorization_code", status: 200 },
      { grantType: "refresh_token", status: 200 }
    ])
  })

  it.concurrent("stores the response to a request for the app's token", async () => {
    await using world = await ZapierProcesses.make(settings)
    const { server } = world
    const app = world.startApp()
    const results = await paused(server, app, () => app.askTimes(50, "appToken"))
    expect(failures(results)).toEqual([])
    expect(await eventually(() => app.ask("callAsApp"))).toBe(200)
    const another = world.startApp()
    expect(await eventually(() => another.ask("callAsApp"))).toBe(200)
    expect(server.tokenRequests()).toEqual([{ grantType: "client_credentials", status: 200 }])
  })
})
