/** An app of the zoo without its types, so that apps of all shapes fit into one list. */
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import type * as Effect from "effect/Effect"

/** An app that can be checked. */
export interface Case {
  readonly name: string
  readonly check: (options: Scenario.CheckOptions) => Effect.Effect<Scenario.Checked, Scenario.ScenarioFailed>
}

/** An app with one bug. */
export interface Bug extends Case {
  /** The kind of bug. */
  readonly family: string
  /** The app's mistake, in one sentence. */
  readonly wrong: string
  /** The correction, in one sentence. */
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
