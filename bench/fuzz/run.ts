/** Feeds arbitrary token responses and callbacks to the public parsers. */
import * as Callbacks from "./callbacks.ts"
import * as Chance from "./chance.ts"
import * as Responses from "./responses.ts"

export interface Report {
  readonly cases: number
  /** How many cases there were, by result. */
  readonly kinds: { readonly [kind: string]: number }
  /** The first violations, each with the number of its case. */
  readonly problems: ReadonlyArray<string>
}

const most = 10

/** A case, determined by its seed and number. */
const check = (seed: number, number: number) => {
  const chance = Chance.make(seed, number)
  try {
    return number % 2 === 0 ? Responses.check(chance) : Callbacks.check(chance)
  } catch (cause) {
    return { kind: "Thrown", problem: `an exception: ${cause instanceof Error ? cause.stack : typeof cause}` }
  }
}

/**
 * @param onCase called with the number of each case
 */
export const run = (seed: number, cases: number, onCase: (number: number) => void = () => {}): Report => {
  const kinds = new Map<string, number>()
  const problems: Array<string> = []
  for (let number = 0; number < cases && problems.length < most; number++) {
    const { kind, problem } = check(seed, number)
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    if (problem !== undefined) problems.push(`case ${number} of seed ${seed}: ${problem}`)
    onCase(number)
  }
  return { cases, kinds: Object.fromEntries([...kinds].sort(([a], [b]) => (a < b ? -1 : 1))), problems }
}
