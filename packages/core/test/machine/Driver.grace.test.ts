import { describe, expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Driver from "../../src/machine/Driver.ts"
import * as DriverState from "../../src/machine/DriverState.ts"
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

describe("Driver: grace", () => {
  it("is given to each deadline, also to one that comes while the process stands still in another's", () => {
    let state: Parameters<typeof driver.step>[0] = driver.initial
    const feed = (elapsed: number, input: Input) => {
      const next = driver.step(state, input, { wall: elapsed, elapsed })
      state = next.state
      return next.outputs.map(({ _tag }) => _tag)
    }
    feed(1, { _tag: "Asked", caller: 0 })
    feed(1, { _tag: "Loaded", id: 0, state: UserGrant.granted("consent", tokens(1, 1)), version: 1 })
    const claimed = state.store._tag === "Saving" ? state.store.next.state : UserGrant.absent
    expect(feed(1, { _tag: "Saved", id: 1 })).toEqual(["Publish", "Send"])
    // The caller's time is over. A last look at the record finds nothing new.
    expect(feed(settings.requestTimeout + 1, { _tag: "Woken" })).toEqual(["Load"])
    feed(settings.requestTimeout + 1, { _tag: "Loaded", id: 3, state: claimed, version: 2 })
    // The process stands still until that of the request is over as well.
    const late = settings.answerTimeout + 10_000
    expect(feed(late, { _tag: "Woken" })).toEqual(["Reply"])
    expect(DriverState.wakeAt(state)).toBeLessThanOrEqual(late)
    expect(feed(late, { _tag: "Woken" })).toEqual([])
    // The response was in the socket.
    const outcome = { _tag: "Granted", tokens: tokens(2, 36_000_000) } as const
    expect(feed(late, { _tag: "Responded", id: 2, outcome })).toEqual(["Load"])
    expect(state.inbox[0]?.event._tag).toBe("RefreshSucceeded")
  })
})
