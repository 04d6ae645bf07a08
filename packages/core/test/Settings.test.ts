import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Settings from "../src/Settings.ts"

const defaults: Settings.Settings = {
  requestTimeout: 20_000,
  leaseDuration: 30_000,
  retryFor: 5_000,
  expiryMargin: 300_000,
  memoryLifetime: 60_000,
  memoryCapacity: 10_000,
  attemptLifetime: 900_000
}

const names = [
  "requestTimeout",
  "leaseDuration",
  "retryFor",
  "expiryMargin",
  "memoryLifetime",
  "attemptLifetime"
] as const

const refused = (options: Settings.Options) => {
  const made = Settings.make(options)
  return Result.isFailure(made) ? made.failure.setting : undefined
}

describe("Settings", () => {
  it("has the documented defaults", () => {
    expect(Settings.make()).toEqual(Result.succeed(defaults))
    expect(Settings.make({ requestTimeout: undefined })).toEqual(Result.succeed(defaults))
  })

  it("takes durations of any spelling, and gives milliseconds", () => {
    expect(
      Settings.make({
        requestTimeout: "10 seconds",
        leaseDuration: Duration.minutes(1),
        retryFor: "1 second",
        memoryCapacity: 5,
        expiryMargin: 1_500,
        memoryLifetime: "2 minutes",
        attemptLifetime: "1 hour"
      })
    ).toEqual(
      Result.succeed({
        requestTimeout: 10_000,
        leaseDuration: 60_000,
        retryFor: 1_000,
        memoryCapacity: 5,
        expiryMargin: 1_500,
        memoryLifetime: 120_000,
        attemptLifetime: 3_600_000
      })
    )
  })

  it.each(names)("%s: names the setting that is not a finite duration", (name) => {
    expect(refused({ [name]: Duration.infinity })).toBe(name)
    expect(refused({ [name]: "soon" as Duration.Input })).toBe(name)
  })

  it.each(names)("%s: must not be negative", (name) => {
    expect(refused({ [name]: -1 })).toBe(name)
    expect(refused({ [name]: "-5 seconds" as Duration.Input })).toBe(name)
  })

  it.each(["requestTimeout", "leaseDuration", "attemptLifetime"] as const)("%s: must be more than nothing", (name) => {
    expect(refused({ [name]: 0 })).toBe(name)
  })

  it.each(["expiryMargin", "memoryLifetime", "retryFor", "memoryCapacity"] as const)("%s: may be nothing", (name) => {
    expect(Settings.make({ [name]: 0 })).toEqual(Result.succeed({ ...defaults, [name]: 0 }))
  })

  it("the lease must outlive the request by a second", () => {
    expect(refused({ requestTimeout: 10_000, leaseDuration: 10_999 })).toBe("leaseDuration")
    expect(refused({ requestTimeout: 10_000, leaseDuration: 11_000 })).toBeUndefined()
    expect(refused({ requestTimeout: "1 minute" })).toBe("leaseDuration")
  })

  const Millis = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000 }))
  const Near = Schema.Int.check(Schema.isBetween({ minimum: -2_000, maximum: 4_000 }))

  it.prop(
    "whatever is accepted keeps the lease a second longer than the request, and nothing else is refused",
    { requestTimeout: Millis, more: Near },
    ({ more, requestTimeout }) => {
      const leaseDuration = requestTimeout + more
      if (leaseDuration < 1) return
      expect(Result.isSuccess(Settings.make({ requestTimeout, leaseDuration }))).toBe(more >= 1_000)
    },
    { arbitrary: { runs: 500 } }
  )

  it("the error says what to do", () => {
    const made = Settings.make({ requestTimeout: "1 minute" })
    expect(Result.isFailure(made) && made.failure.message).toMatch(/^leaseDuration: make it at least 1000 ms longer/)
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("memoryCapacity: %d is no number of tokens", (capacity) => {
    expect(refused({ memoryCapacity: capacity })).toBe("memoryCapacity")
  })

  it.each(names)("refuses %s that is not a number", (name) => {
    expect(refused({ [name]: Number.NaN })).toBe(name)
  })
})
