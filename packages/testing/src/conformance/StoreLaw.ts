/**
 * A conformance test of a store: a name, and a check that succeeds, or reports the operations, what was expected, and
 * what was observed instead.
 *
 * A check builds the layer that it is given, uses keys that nobody else has, and removes what it wrote. So you may run
 * it against a database in use, and as often as you like.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/**
 * A store failed a conformance test. It shows keys and the names of states, but never tokens or other texts of records.
 *
 * - `law`: the name of the test
 * - `done`: the last operations, in order, with the store's results; for generated inputs, the smallest that were
 * found. `…` stands for the prefix that makes the keys unique.
 * - `replay`: as an option of the same check it draws the same inputs
 *
 * @since 0.1.0
 */
export class LawBroken extends Schema.TaggedError<LawBroken>(
  "@zapier-workflow-auth/testing/conformance/StoreLaw/LawBroken"
)("LawBroken", {
  law: Schema.String,
  expected: Schema.String,
  actual: Schema.String,
  done: Schema.Array(Schema.String),
  replay: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return [
      `The store fails the conformance test "${this.law}"`,
      `Expected: ${this.expected}`,
      `Actual: ${this.actual}`,
      "Operations:",
      ...this.done.map((line) => `  ${line}`),
      ...(this.replay === undefined ? [] : [`Replay: ${this.replay}`])
    ].join("\n")
  }
}

/**
 * Options of the checks with generated inputs, and limits that a store declares.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The number of inputs for each test with generated inputs. Default: 100, or fewer for slow tests. */
  readonly runs?: number | undefined
  /** The seed of the inputs. By default the same each time. */
  readonly seed?: number | string | undefined
  /**
   * The largest number of characters in a text of a record, for a store whose database limits the size of a record; a
   * record of the suite has such a text up to six times. Larger records have to be rejected as a whole. Default:
   * 1,000,000.
   */
  readonly largestText?: number | undefined
  /** The `replay` of a `LawBroken`: only that input is checked. */
  readonly replay?: string | undefined
}

/**
 * A conformance test of the store `S`. `check` fails with `LawBroken` if the store does not pass, and with the layer's
 * own error if the store cannot be built.
 *
 * @since 0.1.0
 */
export interface Law<S> {
  readonly name: string
  readonly check: <E, R>(layer: Layer.Layer<S, E, R>, options?: Options) => Effect.Effect<void, LawBroken | E, R>
}
