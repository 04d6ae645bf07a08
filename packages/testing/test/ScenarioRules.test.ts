import { describe, expect, it } from "@effect/vitest"
import * as Exit from "effect/Exit"
import type { Issued } from "../src/FakeOutcome.ts"
import * as FakeState from "../src/FakeState.ts"
import * as ScenarioRules from "../src/ScenarioRules.ts"
import type { Exchange, Result, Seen } from "../src/ScenarioSeen.ts"

const seen = (parts: Partial<Seen>): Seen => ({
  now: 0,
  isTroubled: false,
  results: [],
  exchanges: [],
  lives: new Map(),
  fake: FakeState.make(),
  ...parts
})

const result = (parts: Partial<Result>): Result => ({
  step: 0,
  action: "Call",
  subject: "ada",
  end: "Done",
  exit: Exit.void,
  asksToReconnect: false,
  before: "Good",
  after: "Good",
  ...parts
})

const exchange = (parts: Partial<Exchange>): Exchange => ({
  step: 0,
  subject: "ada",
  owner: "ada",
  request: undefined,
  line: "GET /v2/zaps -> 200",
  sentAt: 0,
  endedAt: 100,
  end: "Answered",
  status: 200,
  issued: undefined,
  isGranted: false,
  refreshToken: undefined,
  accessToken: undefined,
  ...parts
})

const failed = Exit.fail("no")

describe("keepsConnections", () => {
  const check = (parts: Partial<Result>) =>
    ScenarioRules.keepsConnections.check(seen({ results: [result({ exit: failed, asksToReconnect: true, ...parts })] }))

  it("is broken by asking a user to reconnect whose connection is good", () => {
    expect(check({})).toContain("ada was told to reconnect")
  })

  it("is not broken where the connection is lost, revoked, or was never there", () => {
    for (const after of ["Lost", "Revoked", "None"] as const) expect(check({ after })).toBeUndefined()
  })

  it("is not broken by a failure that asks for nothing", () => {
    expect(check({ asksToReconnect: false })).toBeUndefined()
  })
})

describe("keepsUsersApart", () => {
  const check = (parts: Partial<Exchange>) =>
    ScenarioRules.keepsUsersApart.check(seen({ exchanges: [exchange(parts)] }))

  it("is broken by a request for one user with the token of another", () => {
    expect(check({ owner: "bob" })).toContain("a request for ada was sent with what belongs to bob")
  })

  it("is not broken where nobody knows for whom it is sent, or where it carries nobody's token", () => {
    expect(check({ owner: "bob", subject: undefined })).toBeUndefined()
    expect(check({ owner: undefined })).toBeUndefined()
  })
})

describe("disconnectHolds", () => {
  const disconnected = result({ action: "Disconnect", step: 1 })
  const check = (results: ReadonlyArray<Result>, step = 2) =>
    ScenarioRules.disconnectHolds.check(seen({ results, exchanges: [exchange({ step })] }))

  it("is broken by a request after a disconnect", () => {
    expect(check([disconnected])).toContain("ada had been disconnected")
  })

  it("is not broken while the disconnect is under way, or if it failed", () => {
    expect(check([disconnected], 1)).toBeUndefined()
    expect(check([{ ...disconnected, exit: failed }])).toBeUndefined()
  })

  it("is not broken once the user is back, or comes back at the same time", () => {
    expect(check([disconnected, result({ action: "Consent", step: 2 })], 3)).toBeUndefined()
    expect(check([disconnected, result({ action: "Consent", step: 2 })], 2)).toBeUndefined()
  })

  it("is not broken by what is done for others", () => {
    expect(check([{ ...disconnected, subject: "bob" }])).toBeUndefined()
  })
})

describe("refreshesOnce", () => {
  const issued = (n: number): Issued => ({
    clientId: "acme",
    grantId: 1,
    origin: { _tag: "Code", code: "code" },
    accessToken: `access-${n}`,
    refreshToken: `refresh-${n}`,
    at: 0
  })
  const lives = new Map([["access-1", { obtainedAt: 0, expiresAt: 10_000 }]])
  const consent = exchange({ issued: issued(1), isGranted: true })
  const refresh = (parts: Partial<Exchange>) =>
    exchange({ refreshToken: "refresh-1", sentAt: 9_500, endedAt: 9_600, ...parts })
  const check = (...exchanges: ReadonlyArray<Exchange>) =>
    ScenarioRules.refreshesOnce.check(seen({ lives, exchanges: [consent, ...exchanges] }))

  it("is not broken by one refresh in the last tenth of a token's life", () => {
    expect(check(refresh({}))).toBeUndefined()
  })

  it("is broken by two at a time", () => {
    expect(check(refresh({}), refresh({ sentAt: 9_550 }))).toContain("while another request with it waited")
    expect(check(refresh({ endedAt: undefined }), refresh({ sentAt: 99_000 }))).toContain("while another")
  })

  it("is not broken by a second one after the first came to nothing", () => {
    expect(check(refresh({ status: 503 }), refresh({ sentAt: 9_700 }))).toBeUndefined()
    expect(check(refresh({ end: "Lost", issued: issued(2) }), refresh({ sentAt: 9_700 }))).toBeUndefined()
  })

  it("is broken by a refresh token that was replaced, and not by one that was not", () => {
    const granted = refresh({ isGranted: true, issued: issued(2) })
    expect(check(granted, refresh({ sentAt: 9_700 }))).toContain("the app had been given a newer one")
    const same = refresh({ isGranted: true, issued: { ...issued(2), refreshToken: undefined } })
    expect(check(same, refresh({ sentAt: 9_700 }))).toBeUndefined()
  })

  it("is broken by a refresh while most of the token's life is left, unless it was rejected", () => {
    expect(check(refresh({ sentAt: 8_000 }))).toContain("more than a tenth of its life left")
    const rejected = exchange({ accessToken: "access-1", status: 401 })
    expect(check(rejected, refresh({ sentAt: 8_000 }))).toBeUndefined()
  })
})

describe("answersEverybody", () => {
  it("is broken by whoever waits in the end, and not by whoever was interrupted", () => {
    const check = (end: Result["end"]) =>
      ScenarioRules.answersEverybody.check(seen({ results: [result({ end, exit: undefined })] }))
    expect(check("Waiting")).toBe("ada waits for ever (Call)")
    expect(check("Killed")).toBeUndefined()
  })
})

describe("servesUsers", () => {
  const check = (parts: Partial<Result>, isTroubled = false) =>
    ScenarioRules.servesUsers.check(seen({ isTroubled, results: [result({ exit: failed, ...parts })] }))

  it("is broken by a call or a consent that fails while nothing goes wrong", () => {
    expect(check({})).toContain("a call of ada failed")
    expect(check({ action: "Consent", before: "None" })).toContain("ada could not connect")
  })

  it("is not broken in times of trouble, nor by users who are not connected", () => {
    expect(check({}, true)).toBeUndefined()
    expect(check({ before: "None", after: "None" })).toBeUndefined()
    expect(check({ action: "Deny" })).toBeUndefined()
  })
})

describe("all", () => {
  it("has every rule, each with a name of its own", () => {
    const rules = Object.values(ScenarioRules).filter((value) => "check" in value)
    expect([...ScenarioRules.all].map(({ name }) => name).sort()).toEqual(rules.map(({ name }) => name).sort())
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length)
  })
})
