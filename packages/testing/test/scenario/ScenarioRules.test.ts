import { describe, expect, it } from "@effect/vitest"
import * as Exit from "effect/Exit"
import type { Issued } from "../../src/fake/FakeOutcome.ts"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import * as FakeState from "../../src/fake/FakeState.ts"
import * as ScenarioRules from "../../src/scenario/ScenarioRules.ts"
import type {
  Authorization,
  Browsing,
  Exchange,
  Expected,
  Life,
  Result,
  History
} from "../../src/scenario/ScenarioHistory.ts"

const expected: Expected = {
  recoversWithin: 600_000,
  showsOldFor: 300_000,
  disconnectWithin: 60_000,
  expiryMargin: undefined,
  scopes: undefined,
  otherBrowsers: false,
  hosts: [],
  once: ["POST /v2/zaps"]
}

const failed = Exit.fail("no")

const historyOf = (parts: Partial<History>): History => ({
  now: 0,
  stepsBeganAt: [],
  troubles: [],
  endings: [],
  results: [],
  exchanges: [],
  logs: [],
  stored: undefined,
  lives: new Map(),
  secrets: new Map(),
  authorizations: [],
  expected,
  fake: FakeState.make(),
  ...parts
})

const result = (parts: Partial<Result>): Result => ({
  step: 0,
  actionId: 0,
  action: "Call",
  subject: "ada",
  end: "Done",
  exit: Exit.void,
  shown: "Data",
  mustWork: true,
  beganAt: 0,
  endedAt: 100,
  before: "Good",
  after: "Good",
  account: "own",
  ...parts
})

const exchange = (parts: Partial<Exchange>): Exchange => ({
  step: 0,
  actionId: 0,
  subject: "ada",
  owner: "ada",
  request: FakeHttp.request("GET", "/v2/zaps"),
  url: "https://api.zapier.com/v2/zaps",
  isForZapier: true,
  line: "GET /v2/zaps -> 200",
  sentAt: 0,
  endedAt: 100,
  end: "Responded",
  status: 200,
  hasFault: false,
  isDone: true,
  retryAfter: undefined,
  issued: undefined,
  isGranted: false,
  refreshToken: undefined,
  code: undefined,
  accessToken: "access-1",
  ...parts
})

const browsing = (parts: Partial<Browsing>): Browsing => ({
  step: 0,
  actionId: 0,
  subject: "ada",
  instance: 0,
  isElsewhere: false,
  method: "GET",
  path: "/zaps",
  beganAt: 0,
  endedAt: 100,
  status: 200,
  leadsTo: undefined,
  headers: [],
  ...parts
})

const authorization = (parts: Partial<Authorization>): Authorization => ({
  url: "https://api.zapier.com/v2/authorize",
  subject: "ada",
  at: 0,
  usedAt: undefined,
  ...parts
})

describe("showsTrueState", () => {
  const check = (parts: Partial<Result>, around: Partial<History> = {}) =>
    ScenarioRules.showsTrueState.check(historyOf({ results: [result(parts)], ...around }))
  const asked = { exchanges: [exchange({})] }
  const trouble = { troubles: [{ what: "a fault", from: 0, until: 50 }] }
  const needing = ["None", "Lost", "Revoked"] as const

  it("is broken by asking a user with a good connection to connect, despite failures", () => {
    expect(check({ shown: "Connect", exit: failed })).toContain("ada was told to connect")
    expect(check({ shown: "Connect", exit: failed }, trouble)).toContain("ada was told to connect")
  })

  it("is not broken by asking a user without a connection to connect", () => {
    for (const is of needing) expect(check({ shown: "Connect", before: is, after: is })).toBeUndefined()
  })

  it("is broken by asking to try later while nothing goes wrong", () => {
    for (const is of ["Good", ...needing] as const) {
      expect(check({ shown: "TryLater", before: is, after: is })).toContain("asked to try later")
      expect(check({ shown: "TryLater", before: is, after: is }, trouble)).toBeUndefined()
    }
  })

  it("excuses failures after trouble until an app must have recovered", () => {
    const late = { shown: "TryLater", beganAt: 700_000, endedAt: 700_000 } as const
    expect(check(late, trouble)).toContain("asked to try later")
    expect(check({ ...late, beganAt: 500_000 }, trouble)).toBeUndefined()
    expect(check(late, { ...trouble, expected: { ...expected, recoversWithin: 900_000 } })).toBeUndefined()
  })

  it("lets an app find out that its access was ended, or that two tokens were ended at once", () => {
    const end = (what: "Access" | "AccessToken", at: number) => ({ subject: "ada", what, at }) as const
    const later = (is: Result["before"], ...endings: History["endings"]) =>
      check({ shown: "TryLater", before: is, after: is, beganAt: 100_000, endedAt: 100_000 }, { endings })
    expect(later("Revoked", end("Access", 50_000))).toBeUndefined()
    expect(later("Revoked", end("Access", 30_000))).toContain("asked to try later")
    expect(later("Good", end("AccessToken", 50_000))).toContain("asked to try later")
    expect(later("Good", end("AccessToken", 50_000), end("AccessToken", 60_000))).toBeUndefined()
  })

  it("is broken by data that nothing was asked of Zapier for", () => {
    expect(check({})).toContain("the app requested none from Zapier")
    expect(check({}, asked)).toBeUndefined()
    expect(check({}, { exchanges: [exchange({ owner: "bob" })] })).toContain("requested none")
    expect(check({}, { exchanges: [exchange({ status: 500 })] })).toContain("requested none")
  })

  it("is not broken by recently shown data, or by calls without a token", () => {
    const earlier = result({ actionId: 1, beganAt: -200_000, endedAt: -199_900 })
    const exchanges = [exchange({ sentAt: -200_000, endedAt: -199_900 })]
    expect(check({}, { results: [earlier, result({})], exchanges })).toBeUndefined()
    const old = { results: [result({ ...earlier, beganAt: -400_000, endedAt: -399_900 }), result({})] }
    const before = [exchange({ sentAt: -400_000, endedAt: -399_900 })]
    expect(check({}, { ...old, exchanges: before })).toContain("requested none")
    expect(check({ before: "None", after: "None" }, { exchanges: [exchange({ owner: undefined })] })).toBeUndefined()
  })

  it("is broken by data for a user without a connection, unless Zapier returned them", () => {
    for (const is of needing) expect(check({ before: is, after: is })).toContain("data that Zapier did not return")
    expect(check({ before: "Lost", after: "Lost" }, asked)).toBeUndefined()
    expect(check({ before: "Revoked", after: "Revoked" }, trouble)).toBeUndefined()
    expect(check({ before: "None", after: "None" }, trouble)).toContain("data that Zapier did not return")
  })

  it("says nothing while the connection changes", () => {
    expect(check({ shown: "Connect", after: "Revoked" })).toBeUndefined()
    const leaving = result({ actionId: 1, action: "Disconnect", before: "Good", after: "None" })
    const results = [leaving, result({ shown: "Connect" })]
    expect(ScenarioRules.showsTrueState.check(historyOf({ results }))).toBeUndefined()
  })
})

describe("neverBreaks", () => {
  it("is broken by a page that no user should see, and shows it", () => {
    const broken = result({ shown: "Broken", exit: Exit.die(new Error("a bug")) })
    expect(ScenarioRules.neverBreaks.check(historyOf({ results: [broken] }))).toContain("a bug")
    expect(ScenarioRules.neverBreaks.check(historyOf({ results: [result({})] }))).toBeUndefined()
  })
})

describe("letsUsersConnect", () => {
  const check = (parts: Partial<Result>, around: Partial<History> = {}) =>
    ScenarioRules.letsUsersConnect.check(
      historyOf({ results: [result({ action: "Consent", shown: "TryLater", exit: failed, ...parts })], ...around })
    )

  it("is broken by a consent or a disconnect that fails while nothing goes wrong", () => {
    expect(check({})).toContain("ada could not connect")
    expect(check({ action: "ComeBack" })).toContain("ada could not connect")
    expect(check({ action: "Disconnect" })).toContain("ada could not disconnect")
  })

  it("is not broken during trouble, or by actions that may fail", () => {
    expect(check({}, { troubles: [{ what: "a fault", from: 0, until: 50 }] })).toBeUndefined()
    expect(check({ mustWork: false })).toBeUndefined()
    expect(check({ action: "Call" })).toBeUndefined()
  })
})

describe("wastesNothing", () => {
  it("is broken by tokens that the app itself did not wait for", () => {
    const check = (after: Result["after"]) =>
      ScenarioRules.wastesNothing.check(historyOf({ results: [result({ after })] }))
    expect(check("Wasted")).toContain("stopped waiting")
    expect(check("Lost")).toBeUndefined()
  })
})

describe("sendsCodesOnce", () => {
  it("is broken by a code that is sent again", () => {
    const check = (...codes: ReadonlyArray<string>) =>
      ScenarioRules.sendsCodesOnce.check(historyOf({ exchanges: codes.map((code) => exchange({ code })) }))
    expect(check("one", "two")).toBeUndefined()
    expect(check("one", "two", "one")).toContain("sent again")
  })
})

describe("doesOnce", () => {
  const post = exchange({ request: FakeHttp.request("POST", "/v2/zaps", { body: "{}" }) })
  const check = (...exchanges: ReadonlyArray<Exchange>) => ScenarioRules.doesOnce.check(historyOf({ exchanges }))

  it("is broken by a request that is carried out twice for one action", () => {
    expect(check(post, post)).toContain("carried out twice")
  })

  it("is not broken by another action, another body, a failed request or a GET", () => {
    expect(check(post, { ...post, actionId: 1 })).toBeUndefined()
    const other = FakeHttp.request("POST", "/v2/zaps", { body: "[]" })
    expect(check(post, { ...post, request: other })).toBeUndefined()
    expect(check({ ...post, isDone: false }, post)).toBeUndefined()
    expect(check(exchange({}), exchange({}))).toBeUndefined()
  })
})

describe("backsOff", () => {
  const failures = (count: number, every: number, parts: Partial<Exchange> = {}) =>
    Array.from({ length: count }, (_, index) => exchange({ status: 503, sentAt: index * every, ...parts }))
  const check = (exchanges: ReadonlyArray<Exchange>) => ScenarioRules.backsOff.check(historyOf({ exchanges }))

  it("is broken by repeated failures for one action", () => {
    expect(check(failures(11, 1_000))).toContain("more than 10 times")
    expect(check(failures(11, 1_000, { end: "Lost", status: undefined }))).toContain("more than 10 times")
  })

  it("is not broken by fewer failures, by slow ones, or by successes", () => {
    expect(check(failures(10, 1_000))).toBeUndefined()
    expect(check(failures(30, 6_000))).toBeUndefined()
    expect(check(failures(30, 1_000, { status: 200 }))).toBeUndefined()
    expect(check(failures(6, 1_000).concat(failures(6, 1_000, { actionId: 1 })))).toBeUndefined()
  })
})

describe("keepsRetryAfter", () => {
  const refused = exchange({ status: 503, retryAfter: 30_000 })
  const check = (parts: Partial<Exchange>) =>
    ScenarioRules.keepsRetryAfter.check(historyOf({ exchanges: [refused, exchange(parts)] }))

  it("is broken by a request that is sent again too early", () => {
    expect(check({ sentAt: 20_100 })).toContain("10000 ms before")
    expect(check({ sentAt: 30_100 })).toBeUndefined()
  })

  it("is not broken by another action or another user", () => {
    expect(check({ sentAt: 20_100, actionId: 1 })).toBeUndefined()
    expect(check({ sentAt: 20_100, owner: "bob" })).toBeUndefined()
  })
})

describe("asksForEnough", () => {
  const check = (scopes: ReadonlyArray<string> | undefined, asked = "zap") =>
    ScenarioRules.asksForEnough.check(
      historyOf({
        exchanges: [exchange({})],
        authorizations: [authorization({ url: `https://api.zapier.com/v2/authorize?scope=${asked}` })],
        expected: { ...expected, scopes }
      })
    )

  it("is broken by an app that asks for less than it says it needs", () => {
    expect(check(["zap", "profile"])).toContain("the app needs the scope profile, but asked for zap")
    expect(check(["zap", "profile"], "zap+profile")).toBeUndefined()
  })

  it("is broken by a request that needs more than the app says it needs", () => {
    expect(check(["profile"], "zap+profile")).toContain("GET /v2/zaps needs a scope")
    expect(check(["zap"])).toBeUndefined()
    expect(check(undefined, "")).toBeUndefined()
  })

  it("is broken, for an app without declared scopes, by data with a part that Zapier refused for a missing scope", () => {
    const refused = (parts: Partial<Exchange>, shown: Result["shown"] = "Data", asked = "profile") =>
      ScenarioRules.asksForEnough.check(
        historyOf({
          results: [result({ shown })],
          exchanges: [exchange({ actionId: 0, status: 403, ...parts })],
          authorizations: [authorization({ url: `https://api.zapier.com/v2/authorize?scope=${asked}` })]
        })
      )
    expect(refused({})).toContain("GET /v2/zaps needs a scope that the app did not ask for")
    expect(refused({ status: 200 })).toBeUndefined()
    expect(refused({ hasFault: true })).toBeUndefined()
    expect(refused({}, "TryLater")).toBeUndefined()
    expect(refused({}, "Data", "zap")).toBeUndefined()
  })
})

describe("keepsSecrets", () => {
  const secrets = new Map([["s3cret-token", "an access token (ada#1)"]])
  const check = (parts: Partial<History>) => ScenarioRules.keepsSecrets.check(historyOf({ secrets, ...parts }))

  it("is broken by a secret in a log, in a request to another host, or on a page", () => {
    expect(check({ logs: ["token: s3cret-token"] })).toBe("an access token (ada#1) is in the app's logs")
    const elsewhere = { isForZapier: false, url: "https://stats.example/?t=s3cret-token" }
    expect(check({ exchanges: [exchange(elsewhere)] })).toContain("was sent to stats.example")
    const inHeader = FakeHttp.request("GET", "/", { headers: { authorization: "Bearer s3cret-token" } })
    expect(check({ exchanges: [exchange({ ...elsewhere, url: "https://a.example", request: inHeader })] })).toContain(
      "was sent to a.example"
    )
    expect(check({ results: [result({ exit: Exit.succeed({ token: "s3cret-token" }) })] })).toContain("ada saw")
    expect(check({ results: [result({ exit: Exit.die(new Error("took s3cret-token")) })] })).toContain("ada saw")
    expect(check({ stored: "ada: s3cret-token" })).toContain("in the app's stores")
  })

  it("is not broken by requests to Zapier or an allowed host, or by the redirect to the consent page", () => {
    const url = "https://partner.example/?t=s3cret-token"
    const inHeader = FakeHttp.request("GET", "/", { headers: { authorization: "Bearer s3cret-token" } })
    expect(check({ exchanges: [exchange({ request: inHeader })] })).toBeUndefined()
    const allowed = { ...expected, hosts: ["partner.example"] }
    expect(check({ exchanges: [exchange({ url, isForZapier: false })], expected: allowed })).toBeUndefined()
    expect(check({ results: [result({ action: "LogIn", exit: Exit.succeed("s3cret-token") })] })).toBeUndefined()
  })
})

describe("keepsSecrets, in URLs and headers", () => {
  const secrets = new Map([
    ["s3cret-token", "an access token (ada#1)"],
    ["s3cret-state", "a state (ada)"],
    ["s3cret-code", "a code (ada)"]
  ])
  const check = (parts: Partial<History>) => ScenarioRules.keepsSecrets.check(historyOf({ secrets, ...parts }))

  it("is broken by a token in the URL of a request, or of the consent page, where only the state belongs", () => {
    const asked = (query: string) => ({ authorizations: [authorization({ url: `https://api.zapier.com/?${query}` })] })
    expect(check(asked("state=s3cret-state"))).toBeUndefined()
    expect(check(asked("state=s3cret-state&hint=s3cret-token"))).toContain("in a URL that a browser was sent to")
    expect(
      check({ exchanges: [exchange({ url: "https://api.zapier.com/v2/zaps?access_token=s3cret-token" })] })
    ).toContain("in the URL of a request to Zapier")
  })

  it("is broken by a token in a cookie, and not by a state or a code that passes through a browser", () => {
    const answered = (...headers: Browsing["headers"]) => check({ browsings: [browsing({ headers })] })
    expect(answered(["set-cookie", "zapier=s3cret-token; HttpOnly"])).toBe(
      "an access token (ada#1) is in a header of a response to a browser: set-cookie (GET /zaps)"
    )
    expect(answered(["set-cookie", "login=s3cret-state"], ["location", "/callback/?code=s3cret-code"])).toBeUndefined()
  })
})

describe("bindsBrowsers", () => {
  const check = (parts: Partial<Result>, code: Partial<Exchange>, around: Partial<History> = {}) =>
    ScenarioRules.bindsBrowsers.check(
      historyOf({
        results: [result({ action: "ComeBack", ...parts })],
        exchanges: [exchange({ accessToken: undefined, code: "a code", isGranted: true, ...code })],
        ...around
      })
    )

  it("is broken by a login that another browser completes, for any sender of the code", () => {
    expect(check({ isElsewhere: true }, {})).toContain("ada's login was completed in a browser")
    expect(check({ isElsewhere: true }, { actionId: undefined })).toContain("ada's login was completed in a browser")
  })

  it("is not broken in the same browser, without tokens, or if other browsers are allowed", () => {
    expect(check({}, {})).toBeUndefined()
    expect(check({ isElsewhere: true }, { isGranted: false })).toBeUndefined()
    expect(check({ isElsewhere: true }, { code: undefined })).toBeUndefined()
    const allowed = { expected: { ...expected, otherBrowsers: true } }
    expect(check({ isElsewhere: true }, {}, allowed)).toBeUndefined()
    expect(check({ isElsewhere: true, action: "Call" }, { actionId: 1 })).toBeUndefined()
  })

  it("is not broken by the browser that began, which comes back as soon as the other was refused", () => {
    const refused = result({ action: "ComeBack", isElsewhere: true, endedAt: 50 })
    const own = (beganAt: number) => ({
      results: [refused, result({ action: "ComeBack", step: 1, actionId: 1, beganAt })]
    })
    const code = { step: 1, actionId: undefined, sentAt: 50 }
    expect(check({}, code, own(50))).toBeUndefined()
    expect(check({}, code, own(60))).toContain("ada's login was completed in a browser")
  })
})

describe("drawsStates", () => {
  const attempt = (query: string, parts: Partial<Authorization> = {}) =>
    authorization({ url: `https://api.zapier.com/v2/authorize?${query}`, ...parts })
  const check = (...authorizations: ReadonlyArray<Authorization>) =>
    ScenarioRules.drawsStates.check(historyOf({ authorizations }))
  const [one, two] = ["state=0123456789abcdef", "state=fedcba9876543210"]

  it("is broken by no state, and by one that can be guessed", () => {
    expect(check(attempt(""))).toContain("without a state")
    expect(check(attempt("code_challenge=abc"))).toBeUndefined()
    expect(check(attempt("state=ada"))).toContain("short enough to guess")
    expect(check(attempt(one), attempt(two))).toBeUndefined()
  })

  it("is broken by the state of another user, or one that was used; an attempt that is open may go on", () => {
    expect(check(attempt(one), attempt(one, { subject: "bob" }))).toContain(
      "bob was sent to Zapier with the state of ada"
    )
    expect(check(attempt(one), attempt(one, { at: 20 }))).toBeUndefined()
    expect(check(attempt(one, { usedAt: 10 }), attempt(one, { at: 20 }))).toContain("a used state")
    expect(check(attempt(one, { usedAt: 30 }), attempt(one, { at: 20 }))).toBeUndefined()
  })

  it("is broken by a code_challenge of another attempt", () => {
    const with1 = `${one}&code_challenge=abc`
    expect(check(attempt(with1), attempt(`${two}&code_challenge=abc`))).toContain(
      "code_challenge of an earlier attempt"
    )
    expect(check(attempt(with1), attempt(`${two}&code_challenge=def`))).toBeUndefined()
  })
})

describe("keepsDataApart", () => {
  it("is broken by another's Zaps, and not by one's own", () => {
    const check = (title: string) =>
      ScenarioRules.keepsDataApart.check(historyOf({ results: [result({ exit: Exit.succeed([title]) })] }))
    expect(check("A Zap (bob Example)")).toBe("ada saw data of bob (Call)")
    expect(check("A Zap (ada Example)")).toBeUndefined()
  })

  it("is broken by late data of the user's previous account", () => {
    const shown = result({
      exit: Exit.succeed("A Zap (ada Example)"),
      account: "other",
      beganAt: 400_000,
      endedAt: 400_100
    })
    const switched = (endedAt: number) => result({ actionId: 1, action: "Consent", beganAt: endedAt - 100, endedAt })
    const check = (results: ReadonlyArray<Result>) => ScenarioRules.keepsDataApart.check(historyOf({ results }))
    expect(check([switched(50_000), shown])).toContain("an account that was connected before")
    expect(check([switched(200_000), shown])).toBeUndefined()
  })
})

describe("keepsUsersApart", () => {
  const check = (parts: Partial<Exchange>) =>
    ScenarioRules.keepsUsersApart.check(historyOf({ exchanges: [exchange(parts)] }))

  it("is broken by a request for one user with the token of another", () => {
    expect(check({ owner: "bob" })).toContain("a request for ada was sent with a token of bob")
  })

  it("is not broken by requests without a known user or token", () => {
    expect(check({ owner: "bob", subject: undefined })).toBeUndefined()
    expect(check({ owner: undefined })).toBeUndefined()
  })
})

describe("disconnectHolds", () => {
  const disconnected = result({ action: "Disconnect" })
  const check = (results: ReadonlyArray<Result>, sentAt = 100_000) =>
    ScenarioRules.disconnectHolds.check(historyOf({ results, exchanges: [exchange({ sentAt })] }))

  it("is broken by a request after a disconnect", () => {
    expect(check([disconnected])).toContain("after ada was disconnected")
  })

  it("is not broken while other processes may not know, or if it failed", () => {
    expect(check([disconnected], 60_000)).toBeUndefined()
    expect(check([{ ...disconnected, exit: failed }])).toBeUndefined()
  })

  it("is not broken once the user is back", () => {
    for (const action of ["Consent", "ComeBack"] as const) {
      expect(check([disconnected, result({ action, beganAt: 200, endedAt: 300 })])).toBeUndefined()
    }
  })

  it("is not broken by actions of other users", () => {
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
  const lives = new Map([["access-1", { obtainedAt: 0, expiresAt: 10_000_000 }]])
  const consent = exchange({ issued: issued(1), isGranted: true })
  const refresh = (parts: Partial<Exchange>) =>
    exchange({ refreshToken: "refresh-1", accessToken: undefined, sentAt: 9_500_000, endedAt: 9_600_000, ...parts })
  const check = (...exchanges: ReadonlyArray<Exchange>) =>
    ScenarioRules.refreshesOnce.check(historyOf({ lives, exchanges: [consent, ...exchanges] }))

  it("is not broken by one refresh in the last tenth of a token's life", () => {
    expect(check(refresh({}))).toBeUndefined()
  })

  it("is broken by two at a time", () => {
    expect(check(refresh({}), refresh({ sentAt: 9_550_000 }))).toContain("while another request with it was open")
    expect(check(refresh({ endedAt: undefined }), refresh({ sentAt: 99_000_000 }))).toContain("while another")
  })

  it("is not broken by a second one after the first came to nothing", () => {
    expect(check(refresh({ status: 503 }), refresh({ sentAt: 9_700_000 }))).toBeUndefined()
    expect(check(refresh({ end: "Lost", issued: issued(2) }), refresh({ sentAt: 9_700_000 }))).toBeUndefined()
  })

  it("is broken by a refresh token that was replaced, and not by one that was not", () => {
    const granted = refresh({ isGranted: true, issued: issued(2) })
    expect(check(granted, refresh({ sentAt: 9_700_000 }))).toContain("the app had received a newer one")
    const same = refresh({ isGranted: true, issued: { ...issued(2), refreshToken: undefined } })
    expect(check(same, refresh({ sentAt: 9_700_000 }))).toBeUndefined()
  })

  it("is not broken by a refresh inside the app's expiryMargin, or in the last five minutes", () => {
    const check = (sentAt: number, life: Life, expiryMargin?: number) =>
      ScenarioRules.refreshesOnce.check(
        historyOf({
          lives: new Map([["access-1", life]]),
          exchanges: [consent, refresh({ sentAt, endedAt: sentAt + 1 })],
          expected: { ...expected, expiryMargin }
        })
      )
    const short = { obtainedAt: 0, expiresAt: 600_000 }
    expect(check(301_000, short)).toBeUndefined()
    expect(check(299_000, short)).toContain("was valid for long enough")
    expect(check(299_000, short, 400_000)).toBeUndefined()
    expect(check(550_000, short, 10_000)).toContain("was valid for long enough")
  })

  it("is broken by a refresh while most of the token's life is left, unless it was rejected", () => {
    expect(check(refresh({ sentAt: 8_000_000 }))).toContain("was valid for long enough")
    const rejected = exchange({ accessToken: "access-1", status: 401 })
    expect(check(rejected, refresh({ sentAt: 8_000_000 }))).toBeUndefined()
  })
})

describe("alwaysResponds", () => {
  it("is broken by a call that still waits in the end, not by an interrupted one", () => {
    const check = (end: Result["end"]) =>
      ScenarioRules.alwaysResponds.check(historyOf({ results: [result({ end, exit: undefined })] }))
    expect(check("Waiting")).toMatch(/^ada waits for ever \(Call\); if .*`turn`$/)
    expect(check("Killed")).toBeUndefined()
  })
})

describe("all", () => {
  it("has every rule, each with a name of its own", () => {
    const rules = Object.values(ScenarioRules).filter((value) => "check" in value)
    expect([...ScenarioRules.all].map(({ name }) => name).sort()).toEqual(rules.map(({ name }) => name).sort())
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length)
  })
})
