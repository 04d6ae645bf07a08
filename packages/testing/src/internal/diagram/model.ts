/** A sequence diagram as data: the participants, and the messages between them in the order of time. */
import * as Schema from "effect/Schema"
import * as Violation from "../../Violation.ts"

/**
 * A participant: a column of the diagram.
 *
 * @since 0.1.0
 */
export const Lane = Schema.Struct({
  name: Schema.String,
  kind: Schema.Literals(["User", "App", "Store", "Zapier", "Other"])
})

/**
 * @since 0.1.0
 */
export type Lane = typeof Lane.Type

/**
 * How to mark an entry: `Good`, `Bad`; `Ask` asks a user to connect; `Later` is a temporary error; `Plain` is none of
 * these.
 *
 * @since 0.1.0
 */
export const Tone = Schema.Literals(["Plain", "Good", "Ask", "Later", "Bad"])

/**
 * @since 0.1.0
 */
export type Tone = typeof Tone.Type

const at = Schema.Finite
const lane = Schema.Int

/**
 * An event. `at` is in milliseconds since the diagram begins; `from`, `to` and `lane` count the lanes from 0.
 *
 * - `Step`: a heading
 * - `Arrow`: a message. A request and its response share a `number`; `isResponse`: a response. `isLost`: it does not
 *   arrive. `fault`: the injected fault
 * - `Note`: an event in a lane, or, without one, in all
 * - `Violation`: a broken rule
 *
 * @since 0.1.0
 */
export const Entry = Schema.TaggedUnion({
  Step: { at, text: Schema.String },
  Arrow: {
    at,
    from: lane,
    to: lane,
    text: Schema.String,
    tone: Tone,
    number: Schema.optionalKey(Schema.Int),
    isResponse: Schema.Boolean,
    isLost: Schema.Boolean,
    fault: Schema.optionalKey(Schema.String)
  },
  Note: { at, lane: Schema.optionalKey(lane), text: Schema.String, tone: Tone },
  Violation: { at, rule: Schema.String, text: Schema.String }
})

/**
 * @since 0.1.0
 */
export type Entry = typeof Entry.Type

/**
 * The events between participants. `left` counts earlier entries that were left out. It holds no secret: tokens are
 * named by their user and number, as `ada#2`.
 *
 * @since 0.1.0
 */
export const Diagram = Schema.Struct({
  lanes: Schema.Array(Lane),
  entries: Schema.Array(Entry),
  left: Schema.Int
})

/**
 * @since 0.1.0
 */
export type Diagram = typeof Diagram.Type

// The cause of a violation is at the end.
const most = 400

/** A diagram of the last entries, with each text passed through `write`. */
export const make = (
  lanes: ReadonlyArray<Lane>,
  entries: ReadonlyArray<Entry>,
  write: (text: string) => string = (text) => text
): Diagram => ({
  lanes,
  entries: entries.slice(-most).map((entry) => ({ ...entry, text: write(entry.text) })),
  left: Math.max(0, entries.length - most)
})

interface Sent {
  readonly from: number
  readonly to: number
  readonly text: string
  readonly tone?: Tone
  readonly number?: number
  readonly isResponse?: boolean
  readonly isLost?: boolean
  readonly fault?: string | undefined
}

export const step = (at: number, text: string): Entry => ({ _tag: "Step", at, text })

export const arrow = (at: number, { fault, from, isResponse, isLost, number, text, to, tone }: Sent): Entry => ({
  _tag: "Arrow",
  at,
  from,
  to,
  text,
  tone: tone ?? "Plain",
  isResponse: isResponse ?? false,
  isLost: isLost ?? false,
  ...(number === undefined ? {} : { number }),
  ...(fault === undefined ? {} : { fault })
})

export const note = (at: number, lane: number | undefined, text: string, tone: Tone = "Plain"): Entry => ({
  _tag: "Note",
  at,
  text,
  tone,
  ...(lane === undefined ? {} : { lane })
})

export const violation = (at: number, broken: Violation.Violation): Entry => ({
  _tag: "Violation",
  at,
  rule: broken.rule,
  text: Violation.describe(broken)
})

/** Collects lanes: `of` returns the lane with a name, and makes it if needed. */
export const lanes = (first: ReadonlyArray<Lane> = []) => {
  const all = [...first]
  return {
    all: all as ReadonlyArray<Lane>,
    of: (kind: Lane["kind"], name: string): number => {
      const found = all.findIndex((lane) => lane.kind === kind && lane.name === name)
      return found === -1 ? all.push({ kind, name }) - 1 : found
    }
  }
}
