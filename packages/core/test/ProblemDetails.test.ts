import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as ProblemDetails from "../src/ProblemDetails.ts"
import {
  ConsentDenied,
  InvalidConfig,
  RateLimited,
  Reason,
  ReconnectRequired,
  ServiceUnavailable,
  StoreFailed
} from "../src/ZapierAuthError.ts"

describe("ProblemDetails", () => {
  it("has the message of the reason", () => {
    expect(ProblemDetails.make(new ReconnectRequired({ why: "Revoked" }))).toEqual({
      type: "urn:zapier-workflow-auth:ReconnectRequired",
      title: "Reconnect required",
      status: 409,
      detail: expect.stringContaining("authorization URL"),
      reason: "ReconnectRequired",
      isRetryable: false,
      needsReconnect: true
    })
  })

  it.each([
    new InvalidConfig({ setting: "ZAPIER_CLIENT_SECRET", problem: "it ends with a line break" }),
    new StoreFailed({ store: "database", operation: "open /var/lib/acme", problem: "it is locked" })
  ])("hides the owner's advice from a client: %s", (reason) => {
    expect(ProblemDetails.make(reason)).not.toHaveProperty("detail")
    expect(JSON.stringify(ProblemDetails.make(reason))).not.toMatch(/ZAPIER_|\/var/)
  })

  it("says how long to wait, in whole seconds", () => {
    expect(ProblemDetails.retryAfter(new RateLimited({ retryAfter: Duration.millis(6_100) }))).toBe(7)
    expect(ProblemDetails.retryAfter({ httpStatus: 503, retryAfter: 6_100 })).toBe(7)
    expect(ProblemDetails.retryAfter({ httpStatus: 503 })).toBe(60)
    expect(ProblemDetails.retryAfter({ httpStatus: 503, retryAfter: Duration.infinity })).toBe(60)
    expect(ProblemDetails.retryAfter({ httpStatus: 429, retryAfter: Duration.infinity })).toBe(undefined)
    expect(ProblemDetails.retryAfter({ httpStatus: 429, retryAfter: "-1 seconds" })).toBe(0)
    expect(ProblemDetails.retryAfter(new ServiceUnavailable({ status: 503, retryAfter: Duration.minutes(1) }))).toBe(60)
    expect(ProblemDetails.retryAfter(new ServiceUnavailable({ status: 503 }))).toBe(undefined)
    expect(ProblemDetails.retryAfter(new ConsentDenied({}))).toBe(undefined)
  })

  it.prop("has the members of RFC 9457 for every reason", [Arbitrary.schema(Reason)], ([reason]) => {
    const problem = ProblemDetails.make(reason)
    expect(URL.canParse(problem.type)).toBe(true)
    expect(problem.title).toMatch(/^[A-Z][a-z ]+$/)
    expect(problem.status).toBe(reason.httpStatus)
    expect(ProblemDetails.retryAfter(reason) ?? 1).toBeGreaterThanOrEqual(0)
  })
})
