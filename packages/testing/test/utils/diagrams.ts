/** Runs that break a rule, to be drawn. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Scenario from "../../src/Scenario.ts"
import type * as ScenarioRules from "../../src/ScenarioRules.ts"
import { homemade, library } from "./apps.ts"

export const hostile = `"><script>hit = 1</script><img src=x onerror="hit = 2">`

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
        Effect.mapError(() => new Error(hostile))
      )
  })
  const steps: ReadonlyArray<Scenario.Step> = [
    { _tag: "Consent", ...ada },
    { _tag: "Consent", ...bob, account: "other" },
    { _tag: "Call", ...ada },
    { _tag: "Wait", time: "lifetime" },
    {
      _tag: "Arm",
      rule: { fault: { _tag: "ResponseLost" }, match: { endpoint: "token", grantType: "refresh_token" } }
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

/** An app whose users refresh alone, as `check` finds out. */
export const alone = Effect.suspend(() => Effect.flip(Effect.asVoid(Scenario.check(homemade({ refreshesAlone: true })))))
