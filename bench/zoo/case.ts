/** An app of the zoo, with its types forgotten: apps of all shapes are held in one list. */
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import type * as Effect from "effect/Effect"

/** An app that can be checked. */
export interface Case {
  readonly name: string
  readonly check: (options: Scenario.CheckOptions) => Effect.Effect<Scenario.Checked, Scenario.ScenarioFailed>
}

/** An app with one bug. */
export interface Bug extends Case {
  /** What kind of bug it is. */
  readonly family: string
  /** What the app does wrong, in one sentence. */
  readonly wrong: string
  /** What it should do instead, in one sentence. */
  readonly fix: string
}

/** A correct app. */
export const correct = <R, S, A>(name: string, app: Scenario.App<R, S, A>): Case => ({
  name,
  check: (options) => Scenario.check(app, options)
})

/** An app with a bug. */
export const bug = <R, S, A>(about: Omit<Bug, "check">, app: Scenario.App<R, S, A>): Bug => ({
  ...about,
  check: (options) => Scenario.check(app, options)
})
