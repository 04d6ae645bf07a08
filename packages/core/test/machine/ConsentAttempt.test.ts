import { describe, expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ConsentAttempt from "../../src/machine/ConsentAttempt.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import * as Grants from "../utils/Grants.ts"
import { describeTable, stepOf } from "../utils/MachineLaws.ts"
import { reveal } from "../utils/Reveal.ts"

const { machine } = ConsentAttempt
const step = stepOf(machine)

type State = ConsentAttempt.State
type Event = ConsentAttempt.Event

const attempt = {
  stateDigest: "digest-1",
  subject: "user-1",
  redirectUri: "https://app.example/callback",
  scopes: ["zap"],
  startedAt: 1_000,
  expiresAt: 901_000
}

const pending: State = { _tag: "Pending", ...attempt, codeVerifier: Tokens.secret("verifier-1") }

const over: ReadonlyArray<State> = [
  { _tag: "Exchanging", ...attempt, receivedAt: 2_000 },
  { _tag: "Completed", ...attempt },
  { _tag: "Denied", ...attempt },
  { _tag: "Expired", ...attempt },
  { _tag: "Failed", ...attempt, why: "CodeRefused" }
]

const about = { stateDigest: "digest-1", subject: "user-1" }

const code = (options: Partial<typeof about> = {}): Event => ({
  _tag: "CodeReceived",
  ...about,
  code: Tokens.secret("code-1"),
  ...options
})

const error = (error: string, options: Partial<typeof about> = {}): Event => ({
  _tag: "ErrorReceived",
  ...about,
  error,
  ...options
})

const callbacks = [code, (options?: Partial<typeof about>) => error("access_denied", options)]

// Digests are base64url.
const Digest = Schema.String.check(Schema.isPattern(/^[\w-]{1,43}$/))

const { Pending } = ConsentAttempt.State.cases
const { CodeReceived, ErrorReceived } = ConsentAttempt.Event.cases
const Callback = Schema.Union([CodeReceived, ErrorReceived])

describeTable(machine, ConsentAttempt.edges, ConsentAttempt.State, ConsentAttempt.Event, [
  { state: pending, event: error("access_denied"), now: 5_000 }
])

describe("ConsentAttempt: a code", () => {
  it("is exchanged within two minutes of its arrival, with the attempt's own parameters", () => {
    expect(reveal(step(pending, code(), 5_000))).toEqual(
      reveal({
        state: { _tag: "Exchanging", ...attempt, receivedAt: 5_000 },
        commands: [
          {
            _tag: "ExchangeCode",
            stateDigest: "digest-1",
            code: Tokens.secret("code-1"),
            codeVerifier: Tokens.secret("verifier-1"),
            redirectUri: attempt.redirectUri,
            scopes: attempt.scopes,
            subject: "user-1",
            deadline: 5_000 + 120_000
          }
        ]
      })
    )
  })

  it.prop(
    "is given 120,000 ms from its arrival, whenever that is",
    { state: Pending, now: Schema.Int, code: Tokens.Secret },
    ({ code, now, state }) => {
      const { stateDigest, subject } = state
      const attempt: State = { ...state, expiresAt: now + 1 }
      const { commands } = step(attempt, { _tag: "CodeReceived", stateDigest, subject, code }, now)
      expect(commands).toMatchObject([{ _tag: "ExchangeCode", deadline: now + 120_000, subject }])
      expect(reveal(commands)).toMatchObject([{ code: reveal(code) }])
    }
  )

  it("without PKCE is exchanged without a verifier", () => {
    const { commands } = step({ _tag: "Pending", ...attempt }, code(), 5_000)
    expect(commands).toMatchObject([{ _tag: "ExchangeCode", codeVerifier: undefined }])
  })

  it("may be the last that is taken: the attempt is over exactly at expiresAt", () => {
    expect(step(pending, code(), 900_999).state._tag).toBe("Exchanging")
    expect(step(pending, code(), 901_000)).toEqual({
      state: { _tag: "Expired", ...attempt },
      commands: [{ _tag: "ReportExpired" }]
    })
  })

  it("leaves no secret in the attempt", () => {
    expect(JSON.stringify(reveal(step(pending, code(), 5_000).state))).not.toMatch(/code-1|verifier-1/)
  })
})

describe("ConsentAttempt: an error", () => {
  it("access_denied is the user's no", () => {
    expect(step(pending, error("access_denied"), 5_000)).toEqual({
      state: { _tag: "Denied", ...attempt },
      commands: [{ _tag: "ReportDenied" }]
    })
  })

  it.each(["invalid_scope", "server_error", "invalid_request", "ACCESS_DENIED", ""])("%j is a refusal", (text) => {
    expect(step(pending, error(text), 5_000)).toEqual({
      state: { _tag: "Failed", ...attempt, why: "AuthorizationRefused" },
      commands: [{ _tag: "ReportRefused", error: text }]
    })
  })

  it("that comes at expiresAt comes too late", () => {
    expect(step(pending, error("access_denied"), 900_999).state._tag).toBe("Denied")
    expect(step(pending, error("access_denied"), 901_000).state._tag).toBe("Expired")
  })
})

describe("ConsentAttempt: a callback that is not the one waited for", () => {
  it.each(callbacks)("with another digest is unknown, and the attempt goes on waiting", (callback) => {
    expect(step(pending, callback({ stateDigest: "digest-2" }), 5_000)).toEqual({
      state: pending,
      commands: [{ _tag: "RefuseCallback", why: "Unknown" }]
    })
  })

  it.each(callbacks)("of another subject is refused, and the attempt goes on waiting", (callback) => {
    expect(step(pending, callback({ subject: "user-2" }), 5_000)).toEqual({
      state: pending,
      commands: [{ _tag: "RefuseCallback", why: "OtherSubject" }]
    })
  })

  it.each(callbacks)("of another subject learns nothing by another digest", (callback) => {
    expect(step(pending, callback({ subject: "user-2", stateDigest: "digest-2" }), 5_000).commands).toEqual([
      { _tag: "RefuseCallback", why: "Unknown" }
    ])
  })

  it.prop(
    "exchanges nothing, in any combination of differences",
    {
      state: Pending,
      event: Callback,
      now: Schema.Finite,
      digests: Schema.Tuple([Digest, Digest]),
      same: Schema.Boolean
    },
    ({ digests: [stateDigest, other], event, now, same, state }) => {
      const isSameDigest = same || stateDigest === other
      const subject = isSameDigest ? `not ${state.subject}` : state.subject
      const next = step(
        { ...state, stateDigest },
        { ...event, stateDigest: isSameDigest ? stateDigest : other, subject },
        now
      )
      expect(next.state._tag).toBe("Pending")
      expect(next.commands).toEqual([{ _tag: "RefuseCallback", why: isSameDigest ? "OtherSubject" : "Unknown" }])
    }
  )
})

describe("ConsentAttempt: state works once", () => {
  describe.each(over)("$_tag", (state) => {
    it.each(callbacks)("a callback is refused as used, and changes nothing", (callback) => {
      for (const options of [{}, { subject: "user-2" }]) {
        expect(step(state, callback(options), 5_000)).toEqual({
          state,
          commands: [{ _tag: "RefuseCallback", why: "AlreadyUsed" }]
        })
      }
    })

    it.each(callbacks)("a callback with another digest is unknown", (callback) => {
      expect(step(state, callback({ stateDigest: "digest-2" }), 5_000)).toEqual({
        state,
        commands: [{ _tag: "RefuseCallback", why: "Unknown" }]
      })
    })
  })

  it.prop(
    "of any callbacks for one attempt, at most one leads to an exchange",
    { state: Pending, events: Schema.Array(Callback), now: Schema.Int },
    ({ events, now, state }) => {
      let current: State = { ...state, expiresAt: now + 1_000 }
      let exchanges = 0
      const { stateDigest, subject } = state
      for (const event of [...events, ...events]) {
        const next = step(current, { ...event, stateDigest, subject }, now)
        exchanges += next.commands.filter(({ _tag }) => _tag === "ExchangeCode").length
        current = next.state
      }
      expect(exchanges).toBe(events[0]?._tag === "CodeReceived" ? 1 : 0)
    }
  )
})

describe("ConsentAttempt: the exchange", () => {
  const exchanging: State = { _tag: "Exchanging", ...attempt, receivedAt: 2_000 }

  const granted: Event = { _tag: "TokensGranted", ...about, tokens: Grants.tokens("1") }
  const outcomes: ReadonlyArray<Event> = [
    granted,
    { _tag: "GrantStored" },
    { _tag: "ExchangeFailed", why: "CodeRefused" }
  ]

  it("that returns tokens stores them for the subject first, even late, and changes nothing else", () => {
    for (const now of [3_000, 999_000]) {
      const next = step(exchanging, granted, now)
      expect(next.state).toBe(exchanging)
      expect(reveal(next.commands)).toEqual(reveal([{ _tag: "StoreGrant", ...about, tokens: Grants.tokens("1") }]))
    }
  })

  it("ends with the stored grant, even late", () => {
    expect(step(exchanging, { _tag: "GrantStored" }, 999_000)).toEqual({
      state: { _tag: "Completed", ...attempt },
      commands: [{ _tag: "ReportConnected" }]
    })
  })

  it.each(ConsentAttempt.Failure.literals)("or with %s", (why) => {
    expect(step(exchanging, { _tag: "ExchangeFailed", why }, 3_000)).toEqual({
      state: { _tag: "Failed", ...attempt, why },
      commands: [{ _tag: "ReportFailure" }]
    })
  })

  it("may end twice the same way: a repeated write changes nothing", () => {
    const completed: State = { _tag: "Completed", ...attempt }
    const connected = step(completed, { _tag: "GrantStored" }, 3_000)
    expect(connected.state).toBe(completed)
    expect(connected.commands).toEqual([{ _tag: "ReportConnected" }])
    const failed: State = { _tag: "Failed", ...attempt, why: "OutcomeUnknown" }
    // The first failure is the one that is kept.
    const again = step(failed, { _tag: "ExchangeFailed", why: "CodeRefused" }, 3_000)
    expect(again.state).toBe(failed)
    expect(again.commands).toEqual([{ _tag: "ReportFailure" }])
  })

  it("does not end the other way after it has ended", () => {
    expect(machine.step({ _tag: "Completed", ...attempt }, granted, 3_000)).toEqual(
      Result.fail({ machine: "ConsentAttempt", state: "Completed", event: "TokensGranted" })
    )
  })

  it("has tokens stored that come after it was given up: a claim of another callback may have been taken back", () => {
    const failed: State = { _tag: "Failed", ...attempt, why: "NotExchanged" }
    const next = step(failed, granted, 3_000)
    expect(next.state).toBe(failed)
    expect(reveal(next.commands)).toEqual(reveal([{ _tag: "StoreGrant", ...about, tokens: Grants.tokens("1") }]))
    expect(step(failed, { _tag: "GrantStored" }, 3_000)).toEqual({
      state: { _tag: "Completed", ...attempt },
      commands: [{ _tag: "ReportConnected" }]
    })
  })

  it.each([pending, ...over.filter(({ _tag }) => _tag !== "Failed" && _tag !== "Exchanging")])(
    "takes nothing back in $_tag: the claim was never stored, or the attempt has ended",
    (state) => {
      const failed: Event = { _tag: "ExchangeFailed", why: "NotExchanged" }
      expect(step(state, failed, 3_000)).toEqual({ state, commands: [] })
    }
  )

  it.each([pending, ...over.filter(({ _tag }) => _tag === "Denied" || _tag === "Expired")])(
    "has no success in $_tag: that would be illegal",
    (state) => {
      for (const event of outcomes.filter(({ _tag }) => _tag !== "ExchangeFailed")) {
        expect(machine.step(state, event, 3_000)).toEqual(
          Result.fail({ machine: "ConsentAttempt", state: state._tag, event: event._tag })
        )
      }
    }
  )
})

describe("ConsentAttempt: forgotten by the store, or never begun", () => {
  it.each(callbacks)("a callback is unknown, and exchanges nothing", (callback) => {
    expect(step(ConsentAttempt.absent, callback(), 5_000)).toEqual({
      state: ConsentAttempt.absent,
      commands: [{ _tag: "RefuseCallback", why: "Unknown" }]
    })
  })

  it("still reports the outcome of the code: tokens are stored, and the caller gets the result", () => {
    const granted = step(ConsentAttempt.absent, { _tag: "TokensGranted", ...about, tokens: Grants.tokens("1") }, 3_000)
    expect(granted.state).toBe(ConsentAttempt.absent)
    expect(reveal(granted.commands)).toEqual(reveal([{ _tag: "StoreGrant", ...about, tokens: Grants.tokens("1") }]))
    expect(step(ConsentAttempt.absent, { _tag: "GrantStored" }, 3_000)).toEqual({
      state: ConsentAttempt.absent,
      commands: [{ _tag: "ReportConnected" }]
    })
    expect(step(ConsentAttempt.absent, { _tag: "ExchangeFailed", why: "OutcomeUnknown" }, 3_000)).toEqual({
      state: ConsentAttempt.absent,
      commands: [{ _tag: "ReportFailure" }]
    })
  })

  it("is not stored", () => {
    expect(Schema.is(ConsentAttempt.Stored)(ConsentAttempt.absent)).toBe(false)
    for (const state of [pending, ...over]) expect(Schema.is(ConsentAttempt.Stored)(state)).toBe(true)
  })
})

describe("ConsentAttempt: the stored state", () => {
  const attempt = {
    stateDigest: "digest",
    subject: "ada",
    redirectUri: "https://acme.example/callback",
    scopes: ["zap"],
    startedAt: 0,
    expiresAt: 900_000
  }
  const isState = Schema.is(ConsentAttempt.State)

  it.each(["AuthorizationRefused", "CodeRefused", "OutcomeUnknown", "NotExchanged"])("why it failed: %s", (why) => {
    expect(isState({ ...attempt, _tag: "Failed", why })).toBe(true)
    expect(Schema.is(ConsentAttempt.Event)({ _tag: "ExchangeFailed", why })).toBe(true)
  })

  it("contains all required members", () => {
    expect(isState({ ...attempt, _tag: "Exchanging", receivedAt: 0 })).toBe(true)
    expect(isState({ ...attempt, _tag: "Exchanging" })).toBe(false)
    expect(isState({ ...attempt, _tag: "Failed" })).toBe(false)
    expect(isState({ ...attempt, _tag: "Failed", why: "" })).toBe(false)
    expect(isState({ _tag: "Exchanging" })).toBe(false)
    expect(Schema.is(ConsentAttempt.Event)({ _tag: "ExchangeFailed" })).toBe(false)
  })
})
