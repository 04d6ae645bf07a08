/** Functions: processes that stand still once they have responded, go on with their next request, or are killed instead. */
import { describe, expect, it } from "@effect/vitest"
import * as ZapierProcesses from "./utils/ZapierProcesses.ts"

const { failures } = ZapierProcesses

const settings = { requestTimeout: 20_000, responseTimeout: 60_000 }

const subjects = ["ada", "grace", "mary"]

const functions = 4

const requests = 30

// In seconds: nearly every request finds a token that has ended.
const lifetime = 0.02

/** Numbers below a bound, in no order and always the same. */
const drawn = () => {
  let state = 7
  return (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % bound
  }
}

// Windows has no SIGSTOP.
describe.skipIf(process.platform === "win32")("ZapierPromise in functions that are frozen (needs SIGSTOP)", () => {
  it("loses no grant, whichever function is thawed for a request, and however many are killed", async () => {
    await using world = await ZapierProcesses.make(settings)
    const { server } = world
    const first = world.startApp()
    server.setLifetime(lifetime)
    for (const subject of subjects) await world.connect(first, subject)
    const below = drawn()
    const running = [first, ...Array.from({ length: functions - 1 }, () => world.startApp())]
    const hasBegun = new Set([first])
    let killed = 0
    for (let count = 0; count < requests; count++) {
      const index = below(functions)
      let app = running[index] ?? first
      if (below(8) === 0) {
        await app.kill()
        killed++
        running[index] = app = world.startApp()
      }
      if (hasBegun.has(app)) app.resume()
      hasBegun.add(app)
      expect(failures([await app.ask("callAndSettle", subjects[below(subjects.length)] ?? "ada")])).toEqual([])
      app.pause()
    }
    expect(killed).toBeGreaterThan(0)
    const refreshes = server.tokenRequests().filter(({ grantType }) => grantType === "refresh_token")
    expect(refreshes.length).toBeGreaterThan(3)
    expect(refreshes.filter(({ status }) => status !== 200)).toEqual([])
  })
})
