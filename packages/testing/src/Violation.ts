/**
 * A broken rule, as `Invariants`, `Program`, `Simulation`, `Scenario` and the `Explorer` report it.
 *
 * @since 0.1.0
 */

/**
 * The rule and what was observed, with subject and time where several are watched. It holds no secret.
 *
 * @since 0.1.0
 */
export interface Violation<Rule extends string = string> {
  /** The rule's name. */
  readonly rule: Rule
  readonly observed: string
  /** The name of a user, or `app`. */
  readonly subject?: string | undefined
  /** In milliseconds since the run began, or since its users were connected. */
  readonly after?: number | undefined
}

/**
 * Describes what was observed, and of whom.
 *
 * @example
 * ```ts
 * import * as Violation from "@zapier-workflow-auth/testing/Violation"
 *
 * Violation.describe({ rule: "Every caller gets a result", observed: "waits for ever", subject: "ada" }) // => "ada: waits for ever"
 * ```
 *
 * @since 0.1.0
 */
export const describe = ({ observed, subject }: Violation): string =>
  subject === undefined ? observed : `${subject}: ${observed}`
