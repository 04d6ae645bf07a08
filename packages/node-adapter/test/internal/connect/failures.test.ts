import { describe, expect, it } from "@effect/vitest"
import * as Reason from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import * as Failures from "../../../src/internal/connect/failures.ts"

const minute = Duration.minutes(1)

describe("when a user may try again", () => {
  it("is in whole seconds, where it is known", () => {
    expect(Failures.retryAfter(new Reason.RateLimited({ retryAfter: Duration.millis(1_001) }))).toBe(2)
    expect(Failures.retryAfter(new Reason.ServiceUnavailable({ status: 503, retryAfter: minute }))).toBe(60)
    expect(Failures.retryAfter(new Reason.ServiceUnavailable({ status: 503 }))).toBe(undefined)
    expect(Failures.retryAfter(new Reason.ConsentDenied({}))).toBe(undefined)
  })
})
