import { describe, expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Driver from "../../src/machine/Driver.ts"
import * as DriverState from "../../src/machine/DriverState.ts"
import * as Lease from "../../src/machine/Lease.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import * as UserGrantDriver from "../../src/machine/UserGrantDriver.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import * as Settings from "../../src/Settings.ts"

const settings = Result.getOrThrow(Settings.make())
const driver = Driver.make(UserGrantDriver.driven(settings), { ...settings, owner: "a" })

const tokens = (n: number, expiresAt: number): Tokens.Tokens => ({
  accessToken: Tokens.secret(`access-${n}`),
  refreshToken: Tokens.secret(`refresh-${n}`),
  scopes: ["zap"],
  obtainedAt: 0,
  expiresAt
})

type Input = Parameters<typeof driver.step>[1]

const started = () => {
  let state: Parameters<typeof driver.step>[0] = driver.initial
  const feed = (elapsed: number, input: Input) => {
    const next = driver.step(state, input, { wall: elapsed, elapsed })
    state = next.state
    return next.outputs.map(({ _tag }) => _tag)
  }
  return { feed, state: () => state }
}

describe("Driver: grace", () => {
  it("ends with its operation", () => {
    const { feed, state } = started()
    feed(1, { _tag: "Asked", caller: 0 })
    feed(settings.storeTimeout + 1, { _tag: "Woken" })
    expect(DriverState.wakeAt(state())).toBe(settings.storeTimeout + 1 + DriverState.grace)
    // The store has responded just in time: nothing is late any more, and nobody need wake the driver for it.
    feed(settings.storeTimeout + 1, {
      _tag: "Loaded",
      id: 0,
      state: UserGrant.granted("consent", tokens(1, 1)),
      version: 1
    })
    expect(DriverState.wakeAt(state())).toBe(settings.requestTimeout + 1)
  })

  it("applies to each deadline, even if it falls into a pause during another's", () => {
    const { feed, state } = started()
    feed(1, { _tag: "Asked", caller: 0 })
    feed(1, { _tag: "Loaded", id: 0, state: UserGrant.granted("consent", tokens(1, 1)), version: 1 })
    const { store } = state()
    const claimed = store._tag === "Saving" ? store.next.state : UserGrant.absent
    expect(feed(1, { _tag: "Saved", id: 1 })).toEqual(["Publish", "Send"])
    // The caller's time is over. A last look at the record finds nothing new.
    expect(feed(settings.requestTimeout + 1, { _tag: "Woken" })).toEqual(["Load"])
    feed(settings.requestTimeout + 1, { _tag: "Loaded", id: 3, state: claimed, version: 2 })
    // The process stands still until that of the request is over as well.
    const late = settings.responseTimeout + 10_000
    expect(feed(late, { _tag: "Woken" })).toEqual(["Load"])
    expect(DriverState.wakeAt(state())).toBeGreaterThan(late)
    // The response was in the socket.
    const outcome = { _tag: "Granted", tokens: tokens(2, 36_000_000) } as const
    expect(feed(late, { _tag: "Responded", id: 2, outcome })).toEqual([])
    expect(state().inbox[0]?.event._tag).toBe("RefreshSucceeded")
  })

  it("lets a paused process listen until its lease ends, because its request may leave only now", () => {
    const { feed } = started()
    feed(1, { _tag: "Asked", caller: 0 })
    feed(1, { _tag: "Loaded", id: 0, state: UserGrant.granted("consent", tokens(1, 1)), version: 1 })
    expect(feed(1, { _tag: "Saved", id: 1 })).toEqual(["Publish", "Send"])
    feed(1, { _tag: "Left", caller: 0 })
    // It stands still until the listening is over, and there is nothing in the socket.
    const late = settings.responseTimeout + 5_000
    expect(feed(late, { _tag: "Woken" })).toEqual([])
    expect(feed(late + DriverState.grace, { _tag: "Woken" })).toEqual([])
    // It ends while there is still time to store a response.
    const end = 1 + settings.responseTimeout + Lease.margin / 2
    expect(feed(end, { _tag: "Woken" })).toEqual([])
    expect(feed(end + DriverState.grace, { _tag: "Woken" })).toEqual(["Abandon", "Load"])
  })
})
