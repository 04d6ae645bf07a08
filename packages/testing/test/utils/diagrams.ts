/** Runs that break a rule, to be drawn. */
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as FakeFault from "../../src/fake/FakeFault.ts"
import * as Scenario from "../../src/Scenario.ts"
import type * as ScenarioRules from "../../src/scenario/ScenarioRules.ts"
import * as Explorer from "../../src/Explorer.ts"
import * as Model from "../../src/explorer/Model.ts"
import * as Mutants from "../../src/explorer/Mutants.ts"
import * as Program from "../../src/Program.ts"
import { homemade, library } from "./apps.ts"

const hostile = `"><script>hit = 1</script><img src=x onerror="hit = 2">`

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

/** It holds in all steps before the last. */
const holdsUntil = (steps: number): ScenarioRules.Rule => ({
  name: `Nobody does <b>${steps}</b> things`,
  check: ({ stepsBeganAt }) => (stepsBeganAt.length >= steps ? `somebody did: ${hostile}` : undefined)
})

const ada = { subject: "ada" } as const
const bob = { subject: "bob" } as const

/** Most of what may happen to an app of two instances, whose users are told by hostile errors, and which talks to others. */
export const eventful = Effect.suspend(() => {
  const { comeBack, disconnect, logIn, stores } = library
  const app = Scenario.make({
    stores,
    comeBack,
    disconnect,
    logIn,
    instances: 2,
    layer: Layer.merge(library.layer, Layer.effect(HttpClient.HttpClient, HttpClient.HttpClient)),
    call: (subject) =>
      HttpClient.HttpClient.use((http) => http.get("https://metrics.example/call")).pipe(
        Effect.andThen(library.call(subject)),
        Effect.mapError(() => new Failed({ message: hostile }))
      )
  })
  const steps: ReadonlyArray<Scenario.Step> = [
    { _tag: "Consent", ...ada },
    { _tag: "Consent", ...bob, account: "other" },
    { _tag: "Call", ...ada },
    { _tag: "Wait", time: "lifetime" },
    {
      _tag: "Arm",
      rule: { fault: { _tag: "ResponseLost" }, match: { grantType: "refresh_token", user: "ada@example.com" } }
    },
    {
      _tag: "Together",
      steps: [
        { _tag: "Call", ...ada },
        { _tag: "Call", ...bob }
      ]
    },
    { _tag: "Together", steps: [{ _tag: "Call", ...bob }, { _tag: "Crash" }] },
    { _tag: "Deny", ...ada },
    { _tag: "LogIn", ...ada },
    { _tag: "ComeBack", ...ada, with: "Own" },
    { _tag: "Disconnect", ...bob },
    { _tag: "Call", ...bob }
  ]
  return Effect.flip(Effect.asVoid(Scenario.run(app, steps, { rules: [holdsUntil(steps.length)] })))
})

/** An app that is killed at any moment of a refresh. */
export const killed = (seed: number) => {
  const steps: ReadonlyArray<Scenario.Step> = [
    { _tag: "Consent", ...bob },
    { _tag: "Wait", time: "lifetime" },
    { _tag: "Together", steps: [{ _tag: "Call", ...bob }, { _tag: "Crash" }] }
  ]
  return Effect.flip(Effect.asVoid(Scenario.run(library, steps, { rules: [holdsUntil(steps.length)], seed })))
}

/** Requests that never arrive, a user who hangs up, and an app that is down for a while. */
export const silent = Effect.suspend(() => {
  const arm = (fault: FakeFault.Fault): Scenario.Step => ({
    _tag: "Arm",
    rule: { fault, match: { endpoint: "token", grantType: "refresh_token" } }
  })
  const steps: ReadonlyArray<Scenario.Step> = [
    { _tag: "Consent", ...ada },
    { _tag: "Wait", time: "lifetime" },
    arm({ _tag: "RequestLost" }),
    { _tag: "Call", ...ada },
    { _tag: "Wait", time: "lifetime" },
    arm({ _tag: "RequestSilent" }),
    {
      _tag: "Together",
      steps: [
        { _tag: "Call", ...ada },
        { _tag: "Wait", time: "second" },
        { _tag: "HangUp", ...ada }
      ]
    },
    { _tag: "Outage", time: "minutes" },
    { _tag: "Call", ...ada }
  ]
  return Effect.flip(Effect.asVoid(Scenario.run(library, steps, { rules: [holdsUntil(steps.length)] })))
})

/** An app that puts access tokens where they do not belong: in a URL of another host, and in what it fails with. */
export const leaky = (secrets: Set<string>) =>
  Effect.suspend(() => {
    const { comeBack, disconnect, logIn, stores } = library
    const app = Scenario.make({
      stores,
      comeBack,
      disconnect,
      logIn,
      layer: Layer.merge(library.layer, Layer.effect(HttpClient.HttpClient, HttpClient.HttpClient)),
      call: Effect.fnUntraced(function* (subject) {
        const { accessToken } = yield* ZapierAuth.ZapierAuth.use((auth) => auth.accessToken(subject))
        const token = Redacted.value(accessToken)
        yield* HttpClient.HttpClient.use((http) => http.get(`https://metrics.example/${token}?token=${token}`))
        return yield* new Failed({ message: `it did not work with ${token}` })
      })
    })
    const rule: ScenarioRules.Rule = {
      name: "Nothing is sent to others",
      check: (history) => {
        for (const secret of history.secrets.keys()) secrets.add(secret)
        const { url } = history.exchanges.find(({ isForZapier }) => !isForZapier) ?? {}
        return url && `this was: ${url}`
      }
    }
    const steps: ReadonlyArray<Scenario.Step> = [
      { _tag: "Consent", ...ada },
      { _tag: "Call", ...ada }
    ]
    return Effect.flip(Effect.asVoid(Scenario.run(app, steps, { rules: [rule] })))
  })

/** An app whose users refresh alone, as `check` finds out. */
export const alone = Effect.suspend(() =>
  Effect.flip(Effect.asVoid(Scenario.check(homemade({ refreshesAlone: true }), { seed: 4 })))
)

/** A process is killed when new tokens have come; another finds that the old ones are refused. */
export const program: Program.Program = {
  seed: 1,
  steps: [
    { _tag: "Call", process: 1, subject: 0 },
    { _tag: "Wait", time: "lifetime" },
    { _tag: "Arm", process: 0, fault: "ResponseLost" },
    { _tag: "Call", process: 0, subject: 0 },
    { _tag: "Call", process: 1, subject: 0 },
    { _tag: "CallAsApp", process: 2 },
    { _tag: "Wait", time: "minutes" },
    { _tag: "Pause", process: 0, length: "Short" },
    { _tag: "Call", process: 0, subject: 1 },
    { _tag: "Crash", process: 1 },
    { _tag: "Disconnect", process: 2, subject: 1 }
  ]
}

/** A store that lets everybody claim: it takes any version. */
const careless: NonNullable<Program.Options["store"]> = (store) => ({
  ...store,
  compareAndSet: (key, _, value) =>
    Effect.flatMap(store.get(key), (found) =>
      store.compareAndSet(
        key,
        Option.map(found, ({ version }) => version),
        value
      )
    )
})

const raceOf = (seed: number): Program.Program => ({
  seed,
  steps: [
    { _tag: "Wait", time: "lifetime" },
    { _tag: "Call", process: 0, subject: 0 },
    { _tag: "Call", process: 1, subject: 0 }
  ]
})

/** Two processes refresh at once over a careless store, with the first delays of which that comes to harm. */
export const race = Effect.suspend(() => {
  for (let seed = 0; seed < 200; seed++) {
    const { violations } = Effect.runSync(Program.run(raceOf(seed), { store: careless }))
    if (violations.length > 0) return Program.page(raceOf(seed), { store: careless })
  }
  return Effect.die(new Error("a careless store does no harm"))
})

/** The shortest trace of a client that is wrong. */
export const mutant = () => {
  const { finding, options } = caught()
  return Model.page(options, finding)
}

/** A client that is wrong, and the shortest trace to what it does. */
export const caught = () => {
  const found = Mutants.all.find(({ kinds }) => kinds.includes("loss"))
  if (found === undefined) throw new Error("no mutant needs a loss")
  const [finding] = Explorer.explore(Model.make(found), { isEnough: ({ rule }) => rule === found.breaks }).findings
  if (finding === undefined) throw new Error("the mutant is not caught")
  return { options: found, finding }
}
