/**
 * What a law of a store is: a name in words, and a check that succeeds, or says what was done, what was expected of the
 * store, and what was seen instead.
 *
 * A check builds the layer that it is given, draws keys that nobody else has, and removes what it has written. So it may
 * be run against a database that is in use, and as often as you like.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/**
 * A store does not keep to a law. Keys and the names of states are told; tokens and other texts of records never are.
 *
 * - `law`: its name
 * - `done`: the last of what was done, in order, with what the store answered; for generated inputs, the smallest that
 *   were found. `…` stands for what makes the keys of a check its own.
 * - `replay`: as an option of the same check it draws the same inputs
 *
 * @since 0.1.0
 */
export class LawBroken extends Schema.TaggedError<LawBroken>(
  "@zapier-workflow-auth/testing/conformance/StoreLaw/LawBroken"
)("LawBroken", {
  law: Schema.String,
  expected: Schema.String,
  seen: Schema.String,
  done: Schema.Array(Schema.String),
  replay: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return [
      `The store breaks the law "${this.law}"`,
      `Expected: ${this.expected}`,
      `Seen: ${this.seen}`,
      "What was done:",
      ...this.done.map((line) => `  ${line}`),
      ...(this.replay === undefined ? [] : [`Replay: ${this.replay}`])
    ].join("\n")
  }
}

/**
 * How laws are checked: those with generated inputs, and what a store declares of itself.
 *
 * @since 0.1.0
 */
export interface Options {
  /** How many inputs each law with generated inputs is checked with. Default: 100, or fewer for laws that take long. */
  readonly runs?: number | undefined
  /** What the inputs are drawn from. By default the same each time. */
  readonly seed?: number | string | undefined
  /**
   * How many characters the texts of a record may have, for a store whose database bounds the size of a record; a record of
   * the laws has such a text up to six times. What is larger has to be refused as a whole. Default: 1,000,000.
   */
  readonly largestText?: number | undefined
  /** The `replay` of a `LawBroken`: only that input is checked. */
  readonly replay?: string | undefined
}

/**
 * A law of the store `S`. `check` fails with `LawBroken` if the store does not keep to it, and with what the layer fails
 * with if there is no store.
 *
 * @since 0.1.0
 */
export interface Law<S> {
  readonly name: string
  readonly check: <E, R>(layer: Layer.Layer<S, E, R>, options?: Options) => Effect.Effect<void, LawBroken | E, R>
}
