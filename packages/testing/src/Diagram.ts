/**
 * A run that broke a rule as a page to look at: a sequence diagram over virtual time, what was done, and how to do it again.
 * The page is one file of HTML that needs no network and runs no script.
 *
 * `Scenario.page`, `Program.page` and `Model.page` give what is on it.
 *
 * @example
 * ```ts
 * import * as Diagram from "@zapier-workflow-auth/testing/Diagram"
 *
 * const html = Diagram.html({
 *   violation: { rule: "Everybody is answered", seen: "ada waits for ever" },
 *   diagram: {
 *     lanes: [
 *       { kind: "User", name: "ada" },
 *       { kind: "App", name: "the app" }
 *     ],
 *     entries: [
 *       { _tag: "Arrow", at: 0, from: 0, to: 1, text: "calls", tone: "Plain", isAnswer: false, isLost: false }
 *     ],
 *     left: 0
 *   },
 *   again: []
 * })
 *
 * html.startsWith("<!doctype html>") // => true
 * ```
 *
 * @since 0.1.0
 */
import type * as Model from "./internal/diagram/model.ts"
import type { Violation } from "./Violation.ts"
import * as DiagramPage from "./internal/diagram/page.ts"

export { Diagram, Entry, Lane, Tone } from "./internal/diagram/model.ts"

/**
 * What is on a page.
 *
 * @since 0.1.0
 */
export interface Page {
  /** The rule that was broken, if one was. */
  readonly violation: Violation | undefined
  readonly diagram: Model.Diagram
  /** How to do it again: source code, each with a title. */
  readonly again: ReadonlyArray<{ readonly title: string; readonly code: string }>
}

/**
 * The page as HTML. Whatever is in its data is shown as text.
 *
 * @since 0.1.0
 */
export const html = (page: Page): string => DiagramPage.write(page)
