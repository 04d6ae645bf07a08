import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Lease from "../../src/machine/Lease.ts"

const isLease = Schema.is(Lease.Lease)

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

  it.prop(
    "is left as it is while its end is plausible, and else ends after the own duration",
    { left: Schema.Int, now: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4e12 })) },
    ({ left, now }) => {
      const lease = { owner: "worker-1", deadline: now + left }
      const tamed = Lease.clamp(lease, 30_000, now)
      expect(tamed).toEqual(left > 90_000 ? { owner: "worker-1", deadline: now + 30_000 } : lease)
    }
  )

  it("has an owner and ends at some time", () => {
    expect(isLease({ owner: "worker-1", deadline: 0 })).toBe(true)
    expect(isLease({ owner: "", deadline: 0 })).toBe(false)
    expect(isLease({ owner: "worker-1", deadline: Number.POSITIVE_INFINITY })).toBe(false)
    expect(isLease({ owner: "worker-1", deadline: Number.NaN })).toBe(false)
  })
})
