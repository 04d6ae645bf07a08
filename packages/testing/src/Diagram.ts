/**
 * Shows a run that broke a rule as an HTML page: a sequence diagram over virtual time, the steps, and how to repeat
 * them. The page is a single file that needs no network and no script.
 *
 * `Scenario.page`, `Program.page` and `Model.page` return its contents.
 *
 * @example
 * ```ts
 * import * as Diagram from "@zapier-workflow-auth/testing/Diagram"
 *
 * const html = Diagram.html({
 *   violation: { rule: "Every caller gets a result", observed: "ada waits for ever" },
 *   diagram: {
 *     lanes: [
 *       { kind: "User", name: "ada" },
 *       { kind: "App", name: "the app" }
 *     ],
 *     entries: [
 *       { _tag: "Arrow", at: 0, from: 0, to: 1, text: "calls", tone: "Plain", isResponse: false, isLost: false }
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
 * The contents of a page.
 *
 * @since 0.1.0
 */
export interface Page {
  /** The broken rule, if there is one. */
  readonly violation: Violation | undefined
  readonly diagram: Model.Diagram
  /** Source code that repeats the run, each piece with a title. */
  readonly again: ReadonlyArray<{ readonly title: string; readonly code: string }>
}

/**
 * Renders the page as HTML. All data is escaped.
 *
 * @since 0.1.0
 */
export const html = (page: Page): string => DiagramPage.write(page)
