import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Lease from "../../src/machine/Lease.ts"

const isLease = Schema.is(Lease.Lease)

const Clock = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4e12 }))
const Timeout = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: Lease.longestResponseTimeout }))

describe("Lease", () => {
  it("is live before its deadline, and no more at it", () => {
    const lease = { owner: "worker-1", deadline: 1_000 }
    expect(Lease.isLive(lease, 999)).toBe(true)
    expect(Lease.isLive(lease, 1_000)).toBe(false)
    expect(Lease.isLive(lease, 1_001)).toBe(false)
  })

  it.prop(
    "once ended it stays ended",
    { lease: Lease.Lease, now: Schema.Finite, later: Schema.Finite },
    ({ later, lease, now }) => {
      if (!Lease.isLive(lease, Math.min(now, later))) expect(Lease.isLive(lease, Math.max(now, later))).toBe(false)
    }
  )

  it("has an owner and ends at some time", () => {
    expect(isLease({ owner: "worker-1", deadline: 0 })).toBe(true)
    expect(isLease({ owner: "", deadline: 0 })).toBe(false)
    expect(isLease({ owner: "worker-1", deadline: Number.POSITIVE_INFINITY })).toBe(false)
    expect(isLease({ owner: "worker-1", deadline: Number.NaN })).toBe(false)
  })
})

describe("Lease.make", () => {
  it("covers the listening, and 30 seconds to store the response", () => {
    const lease = Lease.make("worker-1", 60_000, 1_000)
    expect(lease).toEqual({ owner: "worker-1", deadline: 91_000 })
    expect(Lease.listensUntil(lease)).toBe(61_000)
  })

  it.prop(
    "lasts longer than its owner listens, and is never cut by a clock that agrees",
    { responseTimeout: Timeout, now: Clock },
    ({ responseTimeout, now }) => {
      const lease = Lease.make("worker-1", responseTimeout, now)
      expect(Lease.listensUntil(lease)).toBe(now + responseTimeout)
      expect(lease.deadline - Lease.listensUntil(lease)).toBe(30_000)
      expect(Lease.clamp(lease, now)).toBe(lease)
    }
  )
})

describe("Lease.clamp", () => {
  // 5 minutes and a half: the longest that any process may claim.
  const longest = 330_000

  it("leaves the longest lease that a process may claim, and cuts a longer one to it", () => {
    const at = (deadline: number) => ({ owner: "worker-1", deadline })
    expect(Lease.clamp(at(1_000 + longest), 1_000)).toEqual(at(1_000 + longest))
    expect(Lease.clamp(at(1_001 + longest), 1_000)).toEqual(at(1_000 + longest))
  })

  it.prop(
    "changes the deadline only, never prolongs, and a lease that it has cut is not cut again",
    { left: Schema.Int, now: Clock },
    ({ left, now }) => {
      const lease = { owner: "worker-1", deadline: now + left }
      const clamped = Lease.clamp(lease, now)
      expect(clamped).toEqual({ owner: "worker-1", deadline: now + Math.min(left, longest) })
      expect(Lease.clamp(clamped, now)).toBe(clamped)
      if (left <= longest) expect(clamped).toBe(lease)
    }
  )
})
