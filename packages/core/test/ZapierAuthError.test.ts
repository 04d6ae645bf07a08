import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as ZapierAuthError from "../src/ZapierAuthError.ts"

type Tag = ZapierAuthError.Reason["_tag"]

// Who can act: trying again later helps, or going through the consent page does, or neither.
const kinds: { readonly [tag in Tag]: "later" | "reconnect" | "neither" | "depends" } = {
  IllegalTransition: "neither",
  InvalidConfig: "neither",
  RequestNotReplayable: "later",
  AppCodeFailed: "later",
  Closed: "neither",
  ConsentDenied: "reconnect",
  ConsentExpired: "reconnect",
  ExchangeOutcomeUnknown: "reconnect",
  ReconnectRequired: "reconnect",
  ClientRejected: "neither",
  InsufficientScope: "neither",
  AuthorizationRefused: "depends",
  TokenRequestRefused: "neither",
  RateLimited: "later",
  ServiceUnavailable: "later",
  TransportFailed: "later",
  RefreshOutcomeUnknown: "later",
  ResponsePending: "later",
  StateMismatch: "reconnect",
  InvalidCallback: "reconnect",
  UntrustedOrigin: "neither",
  MalformedResponse: "later",
  StoreFailed: "later",
  DecryptionFailed: "neither",
  ApplicationUnavailable: "later",
  StartFailed: "later"
}

const errorJson = Schema.toCodecJson(ZapierAuthError.ZapierAuthError)

// Durations are drawn up to ages and down to fractions of a nanosecond; waits are whole milliseconds.
const withWholeWait = (reason: ZapierAuthError.Reason): ZapierAuthError.Reason => {
  const { ApplicationUnavailable, RateLimited, ResponsePending, ServiceUnavailable } = ZapierAuthError
  const whole = (wait: Duration.Duration) => Duration.millis(Math.floor(Math.abs(Duration.toMillis(wait))) % 3_600_000)
  switch (reason._tag) {
    case "RateLimited":
      return new RateLimited({ retryAfter: whole(reason.retryAfter) })
    case "ServiceUnavailable":
      return reason.retryAfter === undefined
        ? reason
        : new ServiceUnavailable({ status: reason.status, retryAfter: whole(reason.retryAfter) })
    case "ResponsePending":
      return new ResponsePending({ waited: whole(reason.waited), of: reason.of })
    case "ApplicationUnavailable":
      return new ApplicationUnavailable({ waited: whole(reason.waited) })
    default:
      return reason
  }
}

describe("ZapierAuthError", () => {
  it("has a reason for each tag, and no other", () => {
    expect(new Set(ZapierAuthError.Reason.members.map(({ identifier }) => identifier.split("/").at(-1)))).toEqual(
      new Set(Object.keys(kinds))
    )
  })

  it.prop("speaks as its reason does", [ZapierAuthError.Reason], ([reason]) => {
    const error = ZapierAuthError.ZapierAuthError.make(reason)
    expect(error.message).toBe(reason.message)
    expect(error.isRetryable).toBe(reason.isRetryable)
    expect(error.needsReconnect).toBe(reason.needsReconnect)
    expect(error.name).toBe("ZapierAuthError")
    expect(error).toBeInstanceOf(Error)
  })

  it.prop("is made from a reason, or from any input of its schema", [ZapierAuthError.Reason], ([reason]) => {
    const made = ZapierAuthError.ZapierAuthError.make(reason)
    expect(made).toBeInstanceOf(ZapierAuthError.ZapierAuthError)
    expect(made.reason).toBe(reason)
    expect(ZapierAuthError.ZapierAuthError.make({ reason }).reason).toBe(reason)
  })

  it.prop("has the wait of its reason, if any", [ZapierAuthError.Reason], ([reason]) => {
    const told = reason._tag === "RateLimited" || reason._tag === "ServiceUnavailable" ? reason.retryAfter : undefined
    expect(ZapierAuthError.ZapierAuthError.make(reason).retryAfter).toBe(told)
  })

  it.effect("is retried after its wait by any schedule of Effect", () =>
    Effect.gen(function* () {
      const { RateLimited, ReconnectRequired, ServiceUnavailable } = ZapierAuthError
      const failures = [
        new RateLimited({ retryAfter: Duration.seconds(60) }),
        new ServiceUnavailable({ status: 503 }),
        new ReconnectRequired({ why: "Revoked" })
      ]
      const at: Array<number> = []
      const call = Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const reason = failures[at.push(now) - 1]
        return reason === undefined ? Effect.void : Effect.fail(ZapierAuthError.ZapierAuthError.make(reason))
      })
      // As for the errors of Effect's own modules that tell a wait.
      interface Told {
        readonly isRetryable: boolean
        readonly retryAfter: Duration.Duration | undefined
      }
      const patient = <E extends Told>() =>
        Schedule.exponential("1 second").pipe(
          Schedule.setInputType<E>(),
          Schedule.modifyDelay(({ duration, input }) =>
            Effect.succeed(Duration.max(duration, input.retryAfter ?? Duration.zero))
          )
        )
      const fiber = yield* Effect.forkChild(
        Effect.flip(
          Effect.retry(call, {
            schedule: patient<ZapierAuthError.ZapierAuthError>(),
            while: ({ isRetryable }) => isRetryable
          })
        )
      )
      yield* TestClock.adjust("2 minutes")
      const error = yield* Fiber.join(fiber)
      expect(error.reason._tag).toBe("ReconnectRequired")
      // The first wait is Zapier's, the second the schedule's own, and who cannot be helped is not retried.
      expect(at).toEqual([0, 60_000, 62_000])
    })
  )

  it.prop("names the party that can act", [ZapierAuthError.Reason], ([reason]) => {
    const { isRetryable, needsReconnect } = reason
    expect({ isRetryable, needsReconnect }).toEqual(
      {
        later: { isRetryable: true, needsReconnect: false },
        reconnect: { isRetryable: false, needsReconnect: true },
        neither: { isRetryable: false, needsReconnect: false },
        depends: { isRetryable, needsReconnect: isRetryable }
      }[kinds[reason._tag]]
    )
  })

  it.prop("blames one party, and has the status of an error", [ZapierAuthError.Reason], ([reason]) => {
    const error = ZapierAuthError.ZapierAuthError.make(reason)
    expect(ZapierAuthError.Party.literals).toContain(reason.blames)
    expect([error.blames, error.httpStatus]).toEqual([reason.blames, reason.httpStatus])
    expect(error.httpStatus).toBeGreaterThanOrEqual(400)
    expect(error.httpStatus).toBeLessThan(600)
    // An app's own client must not take its session for the one that is over, or slow down for the app's sake.
    expect([401, 429]).not.toContain(error.httpStatus)
  })

  it.prop("sends no user to the consent page for others' errors", [ZapierAuthError.Reason], ([reason]) => {
    if (reason.blames === "Caller" || reason.blames === "AppOwner" || reason.blames === "Store") {
      expect(reason.needsReconnect).toBe(false)
    }
  })

  it("does not send a user in a circle for a scope that the app never asks for", () => {
    const lacking = { endpoint: "POST /v2/zaps", anyOf: ["zap:write"] }
    const reason = new ZapierAuthError.InsufficientScope({ ...lacking, mode: "User" })
    expect(reason.needsReconnect).toBe(false)
    expect(reason.message).toBe(
      "POST /v2/zaps needs zap:write, which was not granted. Add it to the scopes that the app requests, and only then let the user reconnect: the same scopes would fail again."
    )
    expect(new ZapierAuthError.InsufficientScope({ ...lacking, mode: "App" }).message).not.toContain("user")
    for (const error of ["invalid_scope", "unauthorized_client", "unsupported_response_type"]) {
      expect(new ZapierAuthError.AuthorizationRefused({ error }).needsReconnect).toBe(false)
    }
  })

  it.each([
    ["server_error", true],
    ["temporarily_unavailable", true],
    ["invalid_scope", false]
  ])("takes a refused authorization with %s for retryable: %s", (error, isRetryable) => {
    expect(new ZapierAuthError.AuthorizationRefused({ error }).isRetryable).toBe(isRetryable)
  })

  it.prop("goes through JSON and comes back with the same message", [ZapierAuthError.Reason], ([drawn]) => {
    const reason = withWholeWait(drawn)
    const error = ZapierAuthError.ZapierAuthError.make(reason)
    const text = JSON.stringify(Schema.encodeSync(errorJson)(error))
    const back = Schema.decodeUnknownSync(errorJson)(JSON.parse(text))
    expect(back).toBeInstanceOf(ZapierAuthError.ZapierAuthError)
    expect(back.reason._tag).toBe(reason._tag)
    expect(back.message).toBe(error.message)
  })

  it.each([
    ["CERT_NOT_YET_VALID", "clock"],
    ["CERT_HAS_EXPIRED", "clock"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "NODE_EXTRA_CA_CERTS"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "NODE_EXTRA_CA_CERTS"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "another host"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "port"],
    ["ENOTFOUND", "DNS"],
    ["EAI_AGAIN", "DNS"],
    ["PROXY_407", "credentials"],
    ["PROXY_502", "The proxy"],
    ["ECONNREFUSED", "firewall"],
    ["UND_ERR_CONNECT_TIMEOUT", "firewall"],
    ["EHOSTUNREACH", "firewall"],
    ["InvalidUrlError", "URL"],
    ["something else", "network"]
  ])("says what to check when nothing could be sent: %s", (code, hint) => {
    const { message } = new ZapierAuthError.TransportFailed({ code })
    expect(message).toContain(`(${code})`)
    expect(message).toContain(hint)
    expect(message).toMatch(/; nothing was lost\.$/)
  })

  it("blames the network for an exchange without a response, and Zapier otherwise", () => {
    expect(new ZapierAuthError.ExchangeOutcomeUnknown({}).blames).toBe("Network")
    expect(new ZapierAuthError.ExchangeOutcomeUnknown({ status: 503 }).blames).toBe("Zapier")
  })

  it("shows the wait in whole seconds", () => {
    const retryAfter = Duration.millis(1_200)
    expect(new ZapierAuthError.RateLimited({ retryAfter }).message).toContain("in 2 s")
    expect(new ZapierAuthError.ServiceUnavailable({ status: 503, retryAfter }).message).toContain("in 2 s")
    expect(new ZapierAuthError.ServiceUnavailable({ status: 500 }).message).toContain("later")
  })

  it("shows the elapsed wait in whole seconds", () => {
    const waited = Duration.millis(19_500)
    for (const of of ["token", "code"] as const) {
      expect(new ZapierAuthError.ResponsePending({ waited, of }).message).toContain("after 20 s")
    }
    expect(new ZapierAuthError.ApplicationUnavailable({ waited }).message).toContain("within 20 s")
  })

  it("names the event in the log", () => {
    const error = ZapierAuthError.ZapierAuthError.make(new ZapierAuthError.ReconnectRequired({ why: "Revoked" }))
    expect(String(error)).toBe(`ZapierAuthError: ${error.message}`)
    expect(JSON.stringify(error)).toContain(error.message)
    expect(inspect(error)).toContain("Revoked")
  })

  it.effect("is handled by its reason", () =>
    Effect.gen(function* () {
      const failing: Effect.Effect<never, ZapierAuthError.ZapierAuthError> = Effect.fail(
        ZapierAuthError.ZapierAuthError.make(new ZapierAuthError.ReconnectRequired({ why: "NeverConnected" }))
      )
      const handled = Effect.catchReason(failing, "ZapierAuthError", "ReconnectRequired", ({ why }) =>
        Effect.succeed(why)
      )
      expect(yield* handled).toBe("NeverConnected")
      const other = Effect.catchReason(failing, "ZapierAuthError", "RateLimited", () => Effect.succeed("wait"))
      expect((yield* Effect.flip(other)).reason._tag).toBe("ReconnectRequired")
    })
  )

  it("differs from other values", () => {
    const reason = new ZapierAuthError.ConsentDenied({})
    expect(ZapierAuthError.isZapierAuthError(ZapierAuthError.ZapierAuthError.make(reason))).toBe(true)
    for (const other of [reason, new Error("no"), null, undefined, "ZapierAuthError"]) {
      expect(ZapierAuthError.isZapierAuthError(other)).toBe(false)
    }
  })
})
