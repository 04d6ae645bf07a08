import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Settings from "../src/Settings.ts"

const defaults: Settings.Settings = {
  requestTimeout: 20_000,
  responseTimeout: 60_000,
  storeTimeout: 10_000,
  retryFor: 5_000,
  expiryMargin: 300_000,
  rejectionInterval: 30_000,
  memoryLifetime: 60_000,
  memoryCapacity: 10_000,
  attemptLifetime: 900_000,
  attemptsPerSubject: 20
}

const names = [
  "requestTimeout",
  "responseTimeout",
  "storeTimeout",
  "retryFor",
  "expiryMargin",
  "rejectionInterval",
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
        responseTimeout: Duration.minutes(2),
        storeTimeout: "3 seconds",
        retryFor: "1 second",
        memoryCapacity: 5,
        expiryMargin: 1_500,
        rejectionInterval: "1 minute",
        memoryLifetime: "2 minutes",
        attemptLifetime: "1 hour",
        attemptsPerSubject: 3
      })
    ).toEqual(
      Result.succeed({
        requestTimeout: 10_000,
        responseTimeout: 120_000,
        storeTimeout: 3_000,
        retryFor: 1_000,
        memoryCapacity: 5,
        expiryMargin: 1_500,
        rejectionInterval: 60_000,
        memoryLifetime: 120_000,
        attemptLifetime: 3_600_000,
        attemptsPerSubject: 3
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

  it.each(["requestTimeout", "responseTimeout", "storeTimeout", "attemptLifetime"] as const)(
    "%s: must be more than nothing",
    (name) => {
      expect(refused({ [name]: 0 })).toBe(name)
    }
  )

  it.each(["expiryMargin", "rejectionInterval", "memoryLifetime", "retryFor", "memoryCapacity"] as const)(
    "%s: may be nothing",
    (name) => {
      expect(Settings.make({ [name]: 0 })).toEqual(Result.succeed({ ...defaults, [name]: 0 }))
    }
  )

  it("the bound of a user's attempts is a whole number of at least 1", () => {
    for (const wrong of [0, -1, 1.5, Number.NaN, Infinity]) {
      expect(refused({ attemptsPerSubject: wrong })).toBe("attemptsPerSubject")
    }
    expect(refused({ attemptsPerSubject: 1 })).toBeUndefined()
  })

  it("limits responseTimeout to five minutes, because others wait as long after a crash", () => {
    expect(refused({ responseTimeout: "5 minutes" })).toBeUndefined()
    expect(refused({ responseTimeout: 300_001 })).toBe("responseTimeout")
  })

  const Millis = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000 }))

  it.prop(
    "a caller may wait for less long than its process listens, or for longer",
    { requestTimeout: Millis, responseTimeout: Millis },
    ({ responseTimeout, requestTimeout }) => {
      const made = Settings.make({ requestTimeout, responseTimeout })
      expect(Result.isSuccess(made)).toBe(responseTimeout <= 300_000)
    },
    { arbitrary: { runs: 500 } }
  )

  it("the error says what to do", () => {
    const made = Settings.make({ responseTimeout: "1 hour" })
    expect(Result.isFailure(made) && made.failure.message).toMatch(/^responseTimeout: give at most 5 minutes/)
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("memoryCapacity: %d is no number of tokens", (capacity) => {
    expect(refused({ memoryCapacity: capacity })).toBe("memoryCapacity")
  })

  it.each(names)("refuses %s that is not a number", (name) => {
    expect(refused({ [name]: Number.NaN })).toBe(name)
  })

  it("names a setting that there is not, and those that there are", () => {
    const made = Settings.make({ requestTimeOut: "5 seconds" } as Settings.Options)
    expect(Result.isFailure(made) && made.failure.message).toMatch(
      /^settings\.requestTimeOut: unknown setting; the settings are requestTimeout, responseTimeout, /
    )
  })

  it.each([null, 42, "fast"])("are not %j", (options) => {
    expect(refused(options as unknown as Settings.Options)).toBe("settings")
  })
})
