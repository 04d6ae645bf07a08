import { setImmediate } from "node:timers/promises"
import { describe, expect, it } from "@effect/vitest"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as Arbitrary from "effect/Arbitrary"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as FakeFault from "../src/fake/FakeFault.ts"
import * as Scenario from "../src/Scenario.ts"
import * as ScenarioRules from "../src/scenario/ScenarioRules.ts"
import type * as ScenarioHistory from "../src/scenario/ScenarioHistory.ts"
import { type Flaws, homemade, library } from "./utils/apps.ts"

type Step = Scenario.Step

const ada = { subject: "ada" } as const
const connect: Step = { _tag: "Consent", ...ada }
const call: Scenario.Action = { _tag: "Call", ...ada }
const expire: Step = { _tag: "Wait", time: "lifetime" }
const arm = (fault: FakeFault.Fault): Step => ({ _tag: "Arm", rule: { fault, match: { endpoint: "token" } } })

const outcomes = ({ results }: ScenarioHistory.History) =>
  results.map(({ action, end, exit }) => `${action} ${end === "Done" ? exit?._tag : end}`)

describe("an app over the library", () => {
  it.effect("keeps every rule in any scenario", () =>
    Effect.gen(function* () {
      const checked = yield* Scenario.check(library, { runs: 100 })
      expect(checked.runs).toBe(100)
      expect(checked.served).toBeGreaterThan(100)
      expect(checked.refreshes).toBeGreaterThan(50)
      expect(checked.notExercised).toEqual([])
    })
  )
})

describe("the library", () => {
  const refreshesOf = ({ exchanges, results }: ScenarioHistory.History) => {
    const steps = results.slice(0, -1).map(({ step }) => step)
    return exchanges.filter(({ refreshToken, step }) => refreshToken !== undefined && steps.includes(step)).length
  }

  it.effect("has callers wait for 20 seconds at most, and sends nothing again while a response may still come", () =>
    Effect.gen(function* () {
      const slow = arm({ _tag: "ResponseSlow", millis: 50_000 })
      const history = yield* Scenario.run(library, [connect, expire, slow, call, call, call])
      expect(outcomes(history).slice(1, 4)).toEqual(["Call Failure", "Call Failure", "Call Success"])
      expect(refreshesOf(history)).toBe(1)
    })
  )

  it.effect("sends nothing again by itself when no response came, and again when somebody asks", () =>
    Effect.gen(function* () {
      const wait: Step = { _tag: "Wait", time: "minutes" }
      const steps = [connect, expire, arm({ _tag: "RequestSilent" }), call, wait]
      const silent = yield* Scenario.run(library, steps)
      expect(silent.exchanges.filter(({ refreshToken }) => refreshToken !== undefined).length).toBe(2)
      const history = yield* Scenario.run(library, [...steps, call])
      expect(outcomes(history).slice(1, 3)).toEqual(["Call Failure", "Call Success"])
    })
  )

  it.effect("leaves the token endpoint alone for a while after a failure", () =>
    Effect.gen(function* () {
      const second: Step = { _tag: "Wait", time: "second" }
      const failing = arm({ _tag: "ServerError", status: 502 })
      const history = yield* Scenario.run(library, [connect, expire, failing, call, call, second, call])
      expect(outcomes(history).slice(1, 4)).toEqual(["Call Failure", "Call Failure", "Call Success"])
      expect(refreshesOf(history)).toBe(2)
    })
  )
})

describe("an app that does everything by itself", () => {
  it.effect("keeps to every rule, if it is right", () => Scenario.check(homemade({}), { runs: 100 }))

  const told = "Calls show the true state"

  // What an app does wrong may be seen in more than one way.
  const caught: ReadonlyArray<readonly [flaw: keyof Flaws, rules: string | ReadonlyArray<string>, steps: number]> = [
    ["refreshesAlone", ["One refresh for each expiry", told], 4],
    ["keepsRefreshToken", ["One refresh for each expiry", told], 4],
    ["mixesUsersUp", "Requests carry the user's own token", 4],
    ["forgetsNobody", ["A disconnect is final", told], 4],
    ["bringsBack", ["A disconnect is final", told], 4],
    ["endsWithCaller", "No connection is lost without a fault", 3],
    ["givesUp", told, 4],
    ["waitsForEver", ["Every caller gets a result", told], 4],
    ["renewsAlways", "One refresh for each expiry", 2],
    ["takesAnyCode", ["Requests carry the user's own token", "A code is sent once"], 2],
    ["swallowsErrors", told, 2],
    ["logsTokens", "Secrets stay secret", 1],
    ["isDown", told, 2]
  ]

  it.effect.each(caught)("is found out by a script of few steps: %s", ([flaw, rules, steps]) =>
    Effect.gen(function* () {
      const app = homemade({ [flaw]: true })
      const failure = yield* Effect.flip(Scenario.check(app, { runs: 400 }))
      expect([rules].flat()).toContain(failure.rule)
      expect(failure.steps.length).toBeLessThanOrEqual(steps)
    })
  )
})

describe("check", () => {
  const app = homemade({ refreshesAlone: true })

  it.effect("reports the steps, the requests and a script", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(Scenario.check(app, { seed: 4, rules: [ScenarioRules.refreshesOnce] }))
      expect(message).toMatchInlineSnapshot(`
        "The app breaks the rule "One refresh for each expiry"
        Observed: ada's refresh token was sent while another request with it was open

        Steps:
          1. ada connects: begins, allows, and comes back
          2. 10 hours pass
          3. at once: ada calls | ada calls

        Timeline:
          0:00:00.000 1. ada connects: begins, allows, and comes back
          0:00:10.000   1 -> for ada: POST /oauth/token/ with a code of ada
          0:00:10.431   1 <- 200, tokens ada#1
          0:00:10.431   ada: Consent shows Data
          0:00:10.431 2. 10 hours pass
          10:00:10.431 3. at once: ada calls | ada calls
          10:00:10.431   2 -> for ada: POST /oauth/token/ with refresh token ada#1
          10:00:10.431   3 -> for ada: POST /oauth/token/ with refresh token ada#1
          10:00:10.652   2 <- 200, tokens ada#2
          10:00:10.652   4 -> for ada: GET /v2/zaps with access token ada#2
          10:00:10.770   4 <- 401
          10:00:10.770   5 -> for ada: POST /oauth/token/ with refresh token ada#2
          10:00:10.962   3 <- 400
          10:00:10.962   ada: Call shows Connect (Failed)
          10:00:11.088   5 <- 400
          10:00:11.088   ada: Call shows Connect (Failed)

        As a test:
          Scenario.run(app, [
            { _tag: "Consent", subject: "ada" },
            { _tag: "Wait", time: "lifetime" },
            { _tag: "Together", steps: [{ _tag: "Call", subject: "ada" }, { _tag: "Call", subject: "ada" }] }
          ], { seed: 4 })

        To repeat it:
          Scenario.check(app, { replay: "[0,\\"4\\",2,0,[5,3,0,0,3,1,1,2,2,0,0,0],\\"PropertyError\\"]" })"
      `)
    })
  )

  it.effect("includes the library's events", () =>
    Effect.gen(function* () {
      const rule: ScenarioRules.Rule = {
        name: "Nobody calls twice",
        check: ({ results }) => (results.filter(({ action }) => action === "Call").length > 1 ? "ada does" : undefined)
      }
      const steps: ReadonlyArray<Step> = [connect, call, { _tag: "Restart" }, expire, call]
      const { timeline } = yield* Effect.flip(Scenario.run(library, steps, { rules: [rule] }))
      expect(timeline.map((line) => line.slice(line.indexOf(" ") + 1)).filter((line) => line.includes("event:")))
        .toMatchInlineSnapshot(`
          [
            "  event: the attempt to connect of ada goes from Pending to Exchanging: CodeReceived",
            "  event: the grant of ada goes from Absent to Active: ConsentGranted",
            "  event: the attempt to connect of ada goes from Exchanging to Completed: GrantStored",
            "  event: the grant of ada goes from Active to Refreshing: AccessTokenRequested",
            "  event: the grant of ada goes from Refreshing to Active: RefreshSucceeded",
          ]
        `)
    })
  )

  it.effect("finds the same again, and with its replay at once", () =>
    Effect.gen(function* () {
      const first = yield* Effect.flip(Scenario.check(app))
      expect(yield* Effect.flip(Scenario.check(app))).toEqual(first)
      const { replay = "" } = first
      expect(yield* Effect.flip(Scenario.check(app, { replay }))).toEqual(first)
    })
  )

  it.effect("finds a violation again without its seed", () =>
    Effect.gen(function* () {
      for (const seed of [2, 6, "a seed"]) {
        const first = yield* Effect.flip(Scenario.check(app, { seed }))
        const { replay = "" } = first
        expect(yield* Effect.flip(Scenario.check(app, { replay }))).toEqual(first)
      }
    })
  )

  it.effect("says so when a replay finds nothing any more", () =>
    Effect.gen(function* () {
      const { replay = "" } = yield* Effect.flip(Scenario.check(app))
      const { observed, rule } = yield* Effect.flip(Scenario.check(homemade({}), { replay }))
      expect(rule).toBe("The app can be checked")
      expect(observed).toContain("Property replay failed")
    })
  )

  it.effect("shows no secret", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(Scenario.check(app))
      const history = yield* Scenario.run(homemade({}), [connect, expire, call])
      const secrets = history.exchanges.flatMap(({ issued }) => [issued?.accessToken, issued?.refreshToken])
      expect(secrets.length).toBeGreaterThan(2)
      for (const secret of secrets) expect(message).not.toContain(secret)
    })
  )

  it.effect("lists what no scenario exercised", () =>
    Effect.gen(function* () {
      const { callsBy, notExercised } = yield* Scenario.check(library, { runs: 3, size: 1 })
      expect(notExercised).toContain("no fault of a refresh")
      expect(callsBy.Good).toBeGreaterThan(0)
    })
  )

  it.effect("fails if no call ever succeeded", () =>
    Effect.gen(function* () {
      const down = homemade({ isDown: true })
      const { message } = yield* Effect.flip(Scenario.check(down, { rules: [], runs: 20 }))
      expect(message).toContain("none of")
    })
  )

  it.effect("holds an app to rules of one's own", () =>
    Effect.gen(function* () {
      const atMostTwice: ScenarioRules.Rule = {
        name: "Nobody calls three times",
        check: ({ results }) =>
          results.filter(({ action }) => action === "Call").length > 2 ? "three calls" : undefined
      }
      const { steps } = yield* Effect.flip(Scenario.check(homemade({}), { rules: [atMostTwice] }))
      expect(steps.length).toBeLessThanOrEqual(3)
    })
  )

  it.effect("draws an app's own actions", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const Pay = Schema.Struct({ amount: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 })) })
      const paying = Scenario.make({
        ...library,
        actions: {
          schema: Pay,
          run: ({ amount }) =>
            Effect.suspend(() => (seen.push(amount), amount > 50 ? Effect.fail("too much") : Effect.void))
        }
      })
      const neverTooMuch: ScenarioRules.Rule = {
        name: "Nobody pays too much",
        check: ({ results }) =>
          results.some(({ action, exit }) => action === "Act" && exit?._tag === "Failure") ? "somebody did" : undefined
      }
      const { script } = yield* Effect.flip(Scenario.check(paying, { rules: [neverTooMuch] }))
      expect(new Set(seen).size).toBeGreaterThan(3)
      expect(script).toBe('Scenario.run(app, [\n  { _tag: "Act", action: { amount: 51 } }\n])')
    })
  )
})

describe("run", () => {
  // With this a request has arrived, and its response has not, when something else happens.
  const chance = 3

  it.effect("carries out a script, and returns the history", () =>
    Effect.gen(function* () {
      const history = yield* Scenario.run(library, [connect, call, expire, { _tag: "Together", steps: [call, call] }])
      // Who is connected calls once more in the end.
      expect(outcomes(history)).toEqual(["Consent Success", ...Array.from({ length: 4 }, () => "Call Success")])
      const refreshes = history.exchanges.filter(({ refreshToken }) => refreshToken !== undefined)
      expect(refreshes).toHaveLength(2)
      expect(history.exchanges.every(({ owner }) => owner === "ada")).toBe(true)
    })
  )

  it.effect("does the same each time", () =>
    Effect.gen(function* () {
      const steps: ReadonlyArray<Step> = [connect, expire, arm({ _tag: "ResponseLost" }), call, { _tag: "Crash" }, call]
      const linesOf = ({ exchanges }: ScenarioHistory.History) =>
        exchanges.map(({ line, sentAt }) => `${sentAt} ${line}`)
      const first = linesOf(yield* Scenario.run(library, steps))
      expect(linesOf(yield* Scenario.run(library, steps))).toEqual(first)
      expect(linesOf(yield* Scenario.run(library, steps, { seed: 2 }))).not.toEqual(first)
    })
  )

  it.effect("injects only the given faults", () =>
    Effect.gen(function* () {
      const deny: Step = { _tag: "Deny", ...ada }
      const history = yield* Scenario.run(library, [deny, call, connect, { _tag: "Disconnect", ...ada }, call])
      expect(outcomes(history)).toEqual([
        "Deny Failure",
        "Call Failure",
        "Consent Success",
        "Disconnect Success",
        "Call Failure",
        // Who has left calls once more in the end, too.
        "Call Failure"
      ])
      expect(history.troubles).toEqual([])
      expect(history.results.map(({ shown }) => shown)).toEqual([
        "Connect",
        "Connect",
        "Data",
        "Data",
        "Connect",
        "Connect"
      ])
    })
  )

  it.effect("distinguishes a lost connection from a good one", () =>
    Effect.gen(function* () {
      const connectionAfter = Effect.fnUntraced(function* (...steps: ReadonlyArray<Step>) {
        const { results } = yield* Scenario.run(library, [connect, expire, ...steps, call])
        return results.findLast(({ step }) => step === steps.length + 2)?.after
      })
      expect(yield* connectionAfter()).toBe("Good")
      expect(yield* connectionAfter(arm({ _tag: "RequestLost" }), call)).toBe("Good")
      expect(yield* connectionAfter(arm({ _tag: "ResponseLost" }), call)).toBe("Lost")
      expect(yield* connectionAfter(arm({ _tag: "TruncatedBody" }), call)).toBe("Lost")
      expect(yield* connectionAfter({ _tag: "Together", steps: [call, { _tag: "Crash" }], chance })).toBe("Lost")
      expect(yield* connectionAfter({ _tag: "Revoke", ...ada })).toBe("Revoked")
      expect(yield* connectionAfter({ _tag: "Disconnect", ...ada })).toBe("None")
    })
  )

  it.effect("restarts an app over its stores, and interrupts waiting calls", () =>
    Effect.gen(function* () {
      const restart: Scenario.Happening = { _tag: "Restart" }
      const history = yield* Scenario.run(library, [
        connect,
        restart,
        expire,
        { _tag: "Together", steps: [call, restart] },
        call
      ])
      expect(outcomes(history)).toEqual(["Consent Success", "Call Killed", "Call Success", "Call Success"])
      const forgetful = Scenario.make({
        ...library,
        stores: undefined,
        layer: Layer.provide(library.layer, MemoryStores.layer)
      })
      const forgotten = yield* Effect.flip(Scenario.run(forgetful, [connect, restart, call]))
      expect(forgotten.rule).toBe("Calls show the true state")
    })
  )

  it.effect("gives the app a new secret some time after Zapier has it", () =>
    Effect.gen(function* () {
      const fresh: Step = { _tag: "RegenerateSecret" }
      const minutes: Step = { _tag: "Wait", time: "minutes" }
      const history = yield* Scenario.run(library, [connect, expire, fresh, call, minutes, call])
      expect(outcomes(history).slice(0, 3)).toEqual(["Consent Success", "Call Failure", "Call Success"])
    })
  )

  it.effect("changes how Zapier behaves", () =>
    Effect.gen(function* () {
      const short: Step = { _tag: "ChangeSettings", settings: { accessTokenLifetime: 60 } }
      const history = yield* Scenario.run(library, [short, connect, { _tag: "Wait", time: "minutes" }, call])
      expect(history.exchanges.filter(({ refreshToken }) => refreshToken !== undefined)).toHaveLength(2)
    })
  )

  it.effect("has the app hear of an access token that Zapier ended", () =>
    Effect.gen(function* () {
      const history = yield* Scenario.run(library, [connect, { _tag: "EndAccessToken", ...ada }, call])
      expect(history.exchanges.map(({ status }) => status)).toEqual([200, 401, 200, 200, 200, 200])
    })
  )

  const really = Effect.promise(async () => {
    for (let turn = 0; turn < 10; turn++) await setImmediate()
  })
  const slow = Scenario.make({ ...library, call: (subject) => Effect.andThen(really, library.call(subject)) })

  it.effect("waits for real I/O of an app", () =>
    Effect.gen(function* () {
      const history = yield* Scenario.run(slow, [connect, call])
      expect(outcomes(history)).toEqual(["Consent Success", "Call Success", "Call Success"])
    })
  )

  it.effect("waits for it by `turn`", () =>
    Effect.gen(function* () {
      const history = yield* Scenario.run(slow, [connect, call], { turn: really })
      expect(outcomes(history)).toEqual(["Consent Success", "Call Success", "Call Success"])
    })
  )

  it.effect("gives up on I/O that never ends", () =>
    Effect.gen(function* () {
      const stuck = Scenario.make({ ...library, call: () => Effect.never })
      const { rule } = yield* Effect.flip(Scenario.run(stuck, [connect, call]))
      expect(rule).toBe("Every caller gets a result")
    })
  )

  it.effect("logs in and comes back in two steps, in every way that there is", () =>
    Effect.gen(function* () {
      const logIn = (subject: ScenarioHistory.Subject): Step => ({ _tag: "LogIn", subject })
      const back = (which: "Own" | "Again" | "Other" | "Forged", subject: ScenarioHistory.Subject = "ada"): Step => ({
        _tag: "ComeBack",
        subject,
        with: which
      })
      const history = yield* Scenario.run(library, [
        back("Own"),
        logIn("ada"),
        back("Own"),
        back("Again"),
        logIn("bob"),
        back("Other"),
        back("Forged"),
        back("Own", "bob")
      ])
      expect(history.results.map(({ action, shown, subject }) => `${subject} ${action} ${shown}`)).toEqual([
        "ada LogIn Data",
        "ada ComeBack Data",
        "ada ComeBack Connect",
        "bob LogIn Data",
        "ada ComeBack Connect",
        "ada ComeBack Connect",
        "bob ComeBack Data",
        "ada Call Data",
        "bob Call Data"
      ])
      expect(history.exchanges.some(({ owner }) => owner === "mallory")).toBe(false)
    })
  )

  it.effect("has users who hang up, which interrupts their calls", () =>
    Effect.gen(function* () {
      const hangUp: Scenario.Happening = { _tag: "HangUp", ...ada }
      const history = yield* Scenario.run(library, [connect, expire, { _tag: "Together", steps: [call, hangUp] }, call])
      expect(outcomes(history)).toEqual(["Consent Success", "Call HungUp", "Call Success", "Call Success"])
    })
  )

  it.effect("sees tokens that an app has not waited for", () =>
    Effect.gen(function* () {
      // Whoever hangs up ends the refresh.
      const hasty = homemade({ endsWithCaller: true })
      const hangUp: Scenario.Happening = { _tag: "HangUp", ...ada }
      const steps: ReadonlyArray<Step> = [connect, expire, { _tag: "Together", steps: [call, hangUp], chance }]
      const { rule } = yield* Effect.flip(Scenario.run(hasty, steps))
      expect(rule).toBe("No connection is lost without a fault")
    })
  )

  it.effect("checks logs, annotations and output", () =>
    Effect.gen(function* () {
      const talking = (say: (secret: string) => Effect.Effect<void>) =>
        Scenario.make({
          ...library,
          comeBack: (callback, subject) => Effect.andThen(say(callback), library.comeBack(callback, subject))
        })
      const says: ReadonlyArray<(secret: string) => Effect.Effect<void>> = [
        (secret) => Effect.logDebug("came back", secret),
        (secret) => Effect.annotateLogs(Effect.logInfo("came back"), { secret }),
        (secret) => Console.log(secret)
      ]
      for (const say of says) {
        const { rule } = yield* Effect.flip(Scenario.run(talking(say), [connect]))
        expect(rule).toBe("Secrets stay secret")
      }
    })
  )

  it.effect("lets an app have room for one attempt of a user", () =>
    Effect.gen(function* () {
      const logIn: Scenario.Action = { _tag: "LogIn", ...ada }
      const back: Scenario.Action = { _tag: "ComeBack", ...ada, with: "Own" }
      const mustWork = Effect.fnUntraced(function* (...steps: ReadonlyArray<Step>) {
        const { results } = yield* Scenario.run(library, steps)
        return results.filter(({ action }) => action === "ComeBack").map((result) => result.mustWork)
      })
      expect(yield* mustWork(logIn, back)).toEqual([true])
      // The last comes back first, and then the one before.
      expect(yield* mustWork(logIn, logIn, back, back)).toEqual([true, false])
      expect(yield* mustWork(logIn, connect, back)).toEqual([false])
    })
  )

  it.effect("takes the same time in a step after any others", () =>
    Effect.gen(function* () {
      const both: Step = { _tag: "Together", steps: [call, call], chance: 7 }
      const timesOf = Effect.fnUntraced(function* (...steps: ReadonlyArray<Step>) {
        const { exchanges } = yield* Scenario.run(library, [connect, ...steps, both])
        return exchanges
          .filter(({ step }) => step === steps.length + 1)
          .map(({ endedAt = 0, sentAt }) => endedAt - sentAt)
      })
      expect(yield* timesOf(call, call)).toEqual(yield* timesOf())
      const other: Step = { ...both, chance: 8 }
      const { exchanges } = yield* Scenario.run(library, [connect, other])
      expect(exchanges.filter(({ step }) => step === 1).map(({ endedAt = 0, sentAt }) => endedAt - sentAt)).not.toEqual(
        yield* timesOf()
      )
    })
  )

  it.effect("lets each disconnected user call once more in the end", () =>
    Effect.gen(function* () {
      const forgetful = homemade({ forgetsNobody: true })
      const { rule } = yield* Effect.flip(Scenario.run(forgetful, [connect, { _tag: "Disconnect", ...ada }]))
      expect(rule).toBe("A disconnect is final")
    })
  )

  it.effect("has Zapier be down for a while", () =>
    Effect.gen(function* () {
      const history = yield* Scenario.run(library, [connect, { _tag: "Outage", time: "hour" }, call, expire, call])
      expect(history.results.map(({ shown }) => shown)).toEqual(["Data", "TryLater", "Data", "Data"])
      expect(history.troubles.map(({ from, until }) => until - from)).toContain(3_600_000)
    })
  )

  it.effect("runs several instances, and a version after another", () =>
    Effect.gen(function* () {
      const built: Array<string> = []
      const named = (name: string) => Layer.tap(library.layer, () => Effect.sync(() => void built.push(name)))
      const rolling = Scenario.make({ ...library, instances: 2, before: named("before"), layer: named("now") })
      yield* Scenario.run(rolling, [connect, { _tag: "Restart" }, call, { _tag: "Restart" }, expire, call, call])
      expect(built).toEqual(["before", "before", "now", "now"])
    })
  )

  it.effect("dies if the app cannot be built", () =>
    Effect.gen(function* () {
      const broken = Scenario.make({
        ...library,
        layer: Layer.provide(library.layer, Layer.effectDiscard(Effect.die("no database")))
      })
      const exit = yield* Effect.exit(Scenario.run(broken, [call]))
      expect(String(exit)).toContain("no database")
    })
  )
})

describe("arbitrary", () => {
  it.effect("draws every kind of step", () =>
    Effect.gen(function* () {
      const drawn = yield* Arbitrary.sampleEffect(Scenario.arbitrary(), { count: 300, size: 20, seed: 1 })
      const tags = new Set(drawn.flat().map(({ _tag }) => _tag))
      expect([...tags].sort()).toEqual([
        "Arm",
        "Call",
        "ChangeSettings",
        "ComeBack",
        "Consent",
        "Crash",
        "Deny",
        "Disconnect",
        "EndAccessToken",
        "HangUp",
        "LogIn",
        "Outage",
        "RegenerateSecret",
        "Restart",
        "Revoke",
        "RevokeAll",
        "Together",
        "Wait"
      ])
    })
  )
})
