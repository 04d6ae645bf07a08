/** What is handed out of memory, and what is not any more. */
import { describe, expect, it } from "@effect/vitest"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { driver, type Input, settings } from "../utils/DriverWorld.ts"

const hour = 3_600_000

const tokens = (expiresAt: number): Tokens.Tokens => ({
  accessToken: Tokens.secret("access-1"),
  refreshToken: Tokens.secret("refresh-1"),
  scopes: ["zap"],
  obtainedAt: 0,
  expiresAt
})

const begun = () => {
  let state: Parameters<typeof driver.step>[0] = driver.initial
  /** The outputs of an input, by their names. */
  const feed = (at: number, input: Input) => {
    const next = driver.step(state, input, { wall: at, elapsed: at })
    state = next.state
    return next.outputs.map((output) => (output._tag === "Reply" ? output.reply._tag : output._tag))
  }
  return { feed, state: () => state }
}

const removal: Input = {
  _tag: "Brought",
  caller: 1,
  event: { _tag: "Disconnected" },
  isRetried: false,
  isRemoval: true
}

describe("Driver: memory", () => {
  it("serves no caller once the record requires a reconnect", () => {
    const { feed } = begun()
    const active = UserGrant.granted("consent", tokens(10 * hour))
    expect(feed(1, { _tag: "Asked", caller: 0 })).toEqual(["Load"])
    expect(feed(1, { _tag: "Loaded", id: 0, state: active, version: 1 })).toEqual(["Access"])
    // Another process has given the grant up, since the API rejected its token.
    const ended: UserGrant.State = {
      _tag: "ReconnectRequired",
      family: active.family,
      generation: active.generation,
      tokens: Tokens.reject(active.tokens),
      why: "Revoked",
      since: 30_000
    }
    const later = settings.memoryLifetime + 2
    expect(feed(later, { _tag: "Asked", caller: 1 })).toEqual(["Load"])
    expect(feed(later, { _tag: "Loaded", id: 1, state: ended, version: 2 })).toEqual(["Failed"])
    expect(feed(later, { _tag: "Asked", caller: 2 })).toEqual(["Load"])
    // While the record is looked at, others go on with what was good: this is not.
    expect(feed(later, { _tag: "Asked", caller: 3 })).toEqual([])
  })

  it("hands out a token with time left before the claim of its refresh is stored, and sends nothing before", () => {
    const { feed } = begun()
    const due = UserGrant.granted("consent", tokens(10 * hour))
    const now = 10 * hour - 60_000
    expect(feed(now, { _tag: "Asked", caller: 0 })).toEqual(["Load"])
    expect(feed(now, { _tag: "Loaded", id: 0, state: due, version: 1 })).toEqual(["Access", "Save"])
    // Its caller is gone, and the refresh goes on.
    expect(feed(now, { _tag: "Saved", id: 1 })).toEqual(["Publish", "Send"])
  })

  it("hands out nothing before the claim of a token that has expired is stored and its refresh is over", () => {
    const { feed } = begun()
    const expired = UserGrant.granted("consent", tokens(10 * hour))
    const now = 11 * hour
    expect(feed(now, { _tag: "Asked", caller: 0 })).toEqual(["Load"])
    expect(feed(now, { _tag: "Loaded", id: 0, state: expired, version: 1 })).toEqual(["Save"])
    expect(feed(now, { _tag: "Saved", id: 1 })).toEqual(["Publish", "Send"])
  })

  it("has nothing of a grant that is about to be removed, and nothing is sent for it", () => {
    const { feed, state } = begun()
    // It has time left, and is due.
    const due = UserGrant.granted("consent", tokens(10 * hour))
    const now = 10 * hour - 60_000
    expect(feed(now, { _tag: "Asked", caller: 0 })).toEqual(["Load"])
    expect(feed(now, { _tag: "Loaded", id: 0, state: due, version: 1 })).toEqual(["Access", "Save"])
    expect(feed(now, removal)).toEqual([])
    expect(feed(now, { _tag: "Saved", id: 1 })).toEqual(["Publish", "Load"])
    expect(state().memory).toBeUndefined()
    expect(feed(now, { _tag: "Asked", caller: 2 })).toEqual([])
  })

  it("never serves an expired token, even while the record is loaded", () => {
    const { feed } = begun()
    const end = 30_000
    expect(feed(1, { _tag: "Asked", caller: 0 })).toEqual(["Load"])
    const active = UserGrant.granted("consent", tokens(end))
    expect(feed(1, { _tag: "Loaded", id: 0, state: active, version: 1 })).toEqual(["Access"])
    expect(feed(2, { _tag: "Asked", caller: 1 })).toEqual(["Access"])
    expect(feed(end, { _tag: "Asked", caller: 2 })).toEqual(["Load"])
    expect(feed(end, { _tag: "Asked", caller: 3 })).toEqual([])
  })

  it("has nothing of the consent before, once another is stored", () => {
    const { feed } = begun()
    const first = UserGrant.granted("consent", tokens(10 * hour))
    feed(1, { _tag: "Asked", caller: 0 })
    expect(feed(1, { _tag: "Loaded", id: 0, state: first, version: 1 })).toEqual(["Access"])
    const event = { _tag: "ConsentGranted", family: "another consent", tokens: tokens(10 * hour) } as const
    const brought: Input = { _tag: "Brought", caller: 1, event, isRetried: true, isRemoval: false }
    expect(feed(2, brought)).toEqual(["Load"])
    expect(feed(2, { _tag: "Loaded", id: 1, state: first, version: 1 })).toEqual(["Save"])
    expect(feed(2, { _tag: "Saved", id: 2 })).toEqual(["Publish", "Done"])
    expect(feed(3, { _tag: "Asked", caller: 2 })).toEqual(["Load"])
  })
})
