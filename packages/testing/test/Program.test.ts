import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as FakeState from "../src/fake/FakeState.ts"
import { TokenRequestFault, StoreFailure } from "../src/simulation/TokenRequestFault.ts"
import * as Program from "../src/Program.ts"

const servers: ReadonlyArray<readonly [string, Partial<FakeState.Settings>]> = [
  ["a strict server", {}],
  ["a server that only refuses a second use", { reuseRevokesGrant: false }],
  ["a server that leaves old access tokens alone", { refreshEndsAccessToken: false }],
  ["a server that does not rotate", { rotateRefreshTokens: false }],
  ["a server that gives the same tokens twice within a minute", { graceMillis: 60_000 }]
]

const { arbitrary } = Program

/** A store that takes every write, whatever its writer has seen. */
const careless: Program.Options["store"] = (store) => ({
  ...store,
  compareAndSet: (key, _, value) =>
    Effect.flatMap(store.get(key), (record) =>
      store.compareAndSet(
        key,
        Option.map(record, ({ version }) => version),
        value
      )
    )
})

const keepsRules = (program: Program.Program, options?: Program.Options) =>
  Effect.map(Program.run(program, options), ({ violations }) => violations.length === 0)

describe("the library", () => {
  for (const [name, server] of servers) {
    it.effect.prop(
      `breaks no rule and loses no grant that could be saved, whatever happens: ${name}`,
      { program: arbitrary },
      ({ program }) =>
        Effect.gen(function* () {
          const { violations, lost, needless, unrecoverable } = yield* Program.run(program, { server })
          expect({ violations, lost, needless }).toEqual({ violations: [], lost: unrecoverable, needless: 0 })
        }),
      { arbitrary: { runs: 150, size: 40 } }
    )
  }
})

describe("a program", () => {
  it.effect.prop(
    "has the same report each time",
    { program: arbitrary },
    ({ program }) =>
      Effect.gen(function* () {
        expect(yield* Program.run(program)).toEqual(yield* Program.run(program))
      }),
    { arbitrary: { runs: 50, size: 40 } }
  )

  const lifetime: Program.Step = { _tag: "Wait", time: "lifetime" }
  const moment: Program.Step = { _tag: "Wait", time: "moment" }
  const call = (process: 0 | 1 | 2): Program.Step => ({ _tag: "Call", process, subject: 0 })

  it.effect("several processes at once refresh once", () =>
    Effect.gen(function* () {
      const { results } = yield* Program.run({ seed: 1, steps: [lifetime, call(0), call(1), call(2)] })
      expect(results).toEqual(["200", "200", "200"])
    })
  )

  it.effect("several processes at once request one token of the app, with any outcome", () =>
    Effect.gen(function* () {
      const all: ReadonlyArray<Program.Step> = ([0, 1, 2] as const).map((process) => ({ _tag: "CallAsApp", process }))
      const byId: Program.Step = { _tag: "CallWithClientId", process: 1 }
      const report = yield* Program.run({ seed: 1, steps: [...all, byId, lifetime, ...all] })
      expect(report).toMatchObject({ violations: [] })
      expect([...report.results].sort()).toEqual(["200", ...Array.from({ length: 6 }, () => "204")])
      for (const fault of TokenRequestFault.literals) {
        const arm: Program.Step = { _tag: "Arm", process: 0, fault }
        const again = [moment, ...all, { _tag: "EndAppToken" } as const, ...all]
        expect(yield* Program.run({ seed: 1, steps: [arm, ...all, ...again] })).toMatchObject({ violations: [] })
      }
    })
  )

  it.effect.each([
    ["CrashBeforeRequest", 0],
    ["CrashInFlight", 1],
    ["CrashBeforeCommit", 1],
    ["CrashAfterCommit", 0],
    ["RequestLost", 0],
    ["RequestSilent", 0],
    ["RequestLate", 1],
    ["ResponseLost", 1],
    ["ResponseSilent", 1],
    ["ResponseSlow", 0],
    ["ResponseLate", 1],
    ["Unavailable", 0],
    ["UnavailableAfterActing", 1],
    ["RateLimited", 0],
    ["NotSent", 0],
    ["PauseBeforeClaim", 0],
    ["PauseBeforeRequest", 0],
    ["PauseInFlight", 0],
    ["PauseBeforeCommit", 0]
  ] as const)("after %s as many grants are lost as have to be: %i", ([fault, lost]) =>
    Effect.gen(function* () {
      const arm: Program.Step = { _tag: "Arm", process: 0, fault }
      const report = yield* Program.run({ seed: 1, steps: [lifetime, arm, call(0), moment, call(1)] })
      expect(report).toMatchObject({ violations: [], lost, unrecoverable: lost })
    })
  )

  it.effect("a grant that the server has ended is not the user's to end any more", () =>
    Effect.gen(function* () {
      // The request was given up, and the token sent once more; then it arrives, and is taken for a theft.
      const late: Program.Step = { _tag: "Arm", process: 0, fault: "RequestLate" }
      const revoke: Program.Step = { _tag: "Revoke", subject: 0 }
      const after = yield* Program.run({ seed: 4, steps: [lifetime, late, call(0), lifetime, revoke] })
      expect(after).toMatchObject({ violations: [], lost: 1, unrecoverable: 1, needless: 0 })
      const before = yield* Program.run({ seed: 4, steps: [lifetime, late, revoke, call(0), lifetime] })
      expect(before).toMatchObject({ violations: [], lost: 0, unrecoverable: 0, needless: 0 })
    })
  )

  it.effect("tokens that a process holds, and comes back with, are not lost with a response that repeats them", () =>
    Effect.gen(function* () {
      // Within the grace period one process dies with its request, the next has the response and is paused before it is
      // stored, and the last is not told what the server gives it again.
      const steps: ReadonlyArray<Program.Step> = [
        { _tag: "Arm", process: 0, fault: "PauseBeforeCommit" },
        { _tag: "Call", process: 2, subject: 1 },
        { _tag: "Arm", process: 2, fault: "CrashInFlight" },
        lifetime,
        { _tag: "Call", process: 1, subject: 0 },
        { _tag: "Call", process: 2, subject: 1 },
        { _tag: "Arm", process: 1, fault: "UnavailableAfterActing" },
        { _tag: "CallAsApp", process: 2 },
        { _tag: "Call", process: 0, subject: 0 },
        { _tag: "Call", process: 2, subject: 0 },
        { _tag: "Arm", process: 1, fault: "ResponseLost" }
      ]
      for (let seed = 0; seed < 20; seed++) {
        const report = yield* Program.run({ seed, steps }, { server: { graceMillis: 60_000 } })
        expect(report).toMatchObject({ violations: [], lost: report.unrecoverable, needless: 0 })
      }
    })
  )

  it.effect("nothing that is still due gets in the way when the grants are put to the test in the end", () =>
    Effect.gen(function* () {
      // The process would end with the next grant that it writes, and there is none before the end.
      const due: ReadonlyArray<Program.Step> = [
        { _tag: "Arm", process: 0, fault: "CrashAfterCommit" },
        call(0),
        { _tag: "Disconnect", process: 1, subject: 0 }
      ]
      const loss: ReadonlyArray<Program.Step> = [
        { _tag: "Arm", process: 2, fault: "CrashBeforeCommit" },
        { _tag: "Call", process: 2, subject: 1 }
      ]
      const report = yield* Program.run({ seed: 22, steps: [lifetime, ...due, ...loss] })
      expect(report).toMatchObject({ violations: [], lost: 1, unrecoverable: 1 })
    })
  )

  it.effect("a response that is long on its way to a process that has ended is lost at once", () =>
    Effect.gen(function* () {
      // The process ends with what it stores for one user while its request for the other is still to arrive.
      const arm = (fault: TokenRequestFault): Program.Step => ({ _tag: "Arm", process: 0, fault })
      const callFor = (subject: 0 | 1): Program.Step => ({ _tag: "Call", process: 0, subject })
      const other: Program.Step = { _tag: "Call", process: 2, subject: 0 }
      const steps = [lifetime, arm("ResponseSlow"), arm("CrashAfterCommit"), callFor(0), callFor(1), other]
      for (let seed = 0; seed < 20; seed++) {
        const report = yield* Program.run({ seed, steps })
        expect(report).toMatchObject({ violations: [], lost: report.unrecoverable, needless: 0 })
      }
    })
  )

  it.effect.each([0, 1, 2, 3])("a secret that is new when a process goes on gives it no second try: seed %i", (seed) =>
    Effect.gen(function* () {
      const wait = (time: "lease" | "second" | "timeout"): Program.Step => ({ _tag: "Wait", time })
      // The process sleeps while the app learns of the new secret, and another takes its lease.
      const untilKnown = [...Array.from({ length: 8 }, () => wait("lease")), wait("timeout")]
      const steps: ReadonlyArray<Program.Step> = [
        lifetime,
        { _tag: "RegenerateSecret" },
        ...untilKnown,
        { _tag: "Arm", process: 1, fault: "PauseInFlight" },
        call(1),
        wait("second"),
        call(0),
        wait("lease"),
        wait("lease"),
        call(2)
      ]
      expect(yield* Program.run({ seed, steps })).toMatchObject({ violations: [], lost: 0, unrecoverable: 0 })
    })
  )

  it.effect("a response that the store would not take while it was away is stored when it is back", () =>
    Effect.gen(function* () {
      const outage: Program.Step = { _tag: "Outage", time: "lease" }
      const steps: ReadonlyArray<Program.Step> = [lifetime, call(0), moment, outage, { _tag: "Wait", time: "lease" }]
      // The process is asked to end when the store is about to come back.
      const ending: Program.Step = { _tag: "Restart", process: 0 }
      expect(yield* Program.run({ seed: 1, steps })).toMatchObject({ violations: [], lost: 0, unrecoverable: 0 })
      const report = yield* Program.run({ seed: 1, steps: [...steps, ending] })
      expect(report).toMatchObject({ violations: [], lost: 0, unrecoverable: 0 })
    })
  )

  it.effect.each(StoreFailure.literals)("an operation that fails loses nothing: %s", (failure) =>
    Effect.gen(function* () {
      const lease: Program.Step = { _tag: "Wait", time: "lease" }
      for (const spared of [0, 1, 2] as const) {
        const fail: Program.Step = { _tag: "FailStore", process: 0, failure, spared }
        const once = [fail, call(0), call(1), lease]
        const report = yield* Program.run({ seed: 1, steps: [lifetime, ...once, lifetime, fail, ...once] })
        expect(report).toMatchObject({ violations: [], lost: 0, unrecoverable: 0 })
      }
    })
  )

  describe("while a response is slow", () => {
    // With this seed it comes after more than 41 seconds.
    const slow: Program.Step = { _tag: "Arm", process: 0, fault: "ResponseSlow" }
    const seed = 10
    const timeout: Program.Step = { _tag: "Wait", time: "timeout" }
    const listening: Program.Step = { _tag: "Wait", time: "listening" }
    const kept = { violations: [], lost: 0, unrecoverable: 0, tokenRequests: 1 }

    const runWith = (...steps: ReadonlyArray<Program.Step>) =>
      Program.run({ seed, steps: [lifetime, slow, call(0), call(0), moment, ...steps] })

    it.effect("callers give up, the token is not sent again, and the response serves later callers", () =>
      Effect.gen(function* () {
        const report = yield* runWith(call(1), timeout, call(2), listening, call(1))
        expect(report).toMatchObject(kept)
        const pending = "ResponsePending"
        expect(report.results).toEqual([pending, pending, pending, pending, "200"])
      })
    )

    it.effect("an interrupted caller harms no other", () =>
      Effect.gen(function* () {
        const report = yield* runWith({ _tag: "HangUp", process: 0, subject: 0 }, listening, call(1))
        expect(report).toMatchObject({ ...kept, results: ["Interrupted", "Interrupted", "200"] })
      })
    )

    it.effect("a process that is closed in good order takes it and stores it", () =>
      Effect.gen(function* () {
        const report = yield* runWith({ _tag: "Restart", process: 0 }, listening, call(0))
        expect(report).toMatchObject({ ...kept, results: ["ResponsePending", "ResponsePending", "200"] })
      })
    )

    it.effect("clocks that disagree by less than a lease allows for are no reason to send the token again", () =>
      Effect.gen(function* () {
        const clock = (process: 0 | 1, ahead: -12_000 | 12_000): Program.Step => ({ _tag: "SetClock", process, ahead })
        const report = yield* runWith(clock(0, -12_000), clock(1, 12_000), timeout, timeout, call(1), timeout, call(1))
        expect(report).toMatchObject(kept)
      })
    )

    it.effect("a disconnect ends it all, and a consent that follows is not touched by it", () =>
      Effect.gen(function* () {
        const steps: ReadonlyArray<Program.Step> = [
          { _tag: "Disconnect", process: 1, subject: 0 },
          moment,
          { _tag: "Consent", process: 2, subject: 0 },
          { _tag: "Wait", time: "lease" },
          call(0)
        ]
        const report = yield* runWith(...steps)
        expect(report).toMatchObject({ ...kept, tokenRequests: 2 })
        expect(report.results.at(-1)).toBe("200")
      })
    )
  })

  it.effect(
    "a store that does not compare versions is found out, by a program of a few steps",
    () =>
      Effect.gen(function* () {
        const found = yield* Arbitrary.checkEffect(arbitrary, (program) => keepsRules(program, { store: careless }), {
          runs: 2_000,
          size: 40,
          seed: 1
        })
        if (found._tag !== "Falsified") return expect.fail("the careless store passed")
        const { steps } = found.shrunkInput
        expect(steps.length).toBeLessThanOrEqual(4)
        const { violations } = yield* Program.run(found.shrunkInput, { store: careless })
        expect(violations[0]?.rule).toBe("R1 one refresher")
      }),
    30_000
  )
})
