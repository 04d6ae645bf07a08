/**
 * An exhaustive search through everything that a model can do: breadth first, each state once, so that the first
 * violation found has the shortest trace that leads to it.
 *
 * @since 0.1.0
 */

/**
 * Something that may happen next. What a rule has against it, if anything, is in `violations`. A fault is something that
 * need not happen.
 *
 * @since 0.1.0
 */
export interface Move<World, Violation> {
  /** What happens, in words. */
  readonly label: string
  readonly world: World
  readonly violations: ReadonlyArray<Violation>
  readonly isFault: boolean
}

/**
 * What can happen, as a graph of worlds.
 *
 * @since 0.1.0
 */
export interface Model<World, Violation> {
  /** Where it begins, and what to call that. */
  readonly initial: ReadonlyArray<{ readonly label: string; readonly world: World }>
  /** All that may happen next. */
  readonly moves: (world: World) => ReadonlyArray<Move<World, Violation>>
  /** What is wrong with a world in which nothing happens any more but faults. */
  readonly ending: (world: World) => ReadonlyArray<Violation>
  /** A text that is the same for worlds that behave the same. */
  readonly key: (world: World) => string
}

/**
 * A violation, and the shortest way to it.
 *
 * @since 0.1.0
 */
export interface Finding<Violation> {
  readonly violation: Violation
  readonly trace: ReadonlyArray<string>
}

/**
 * What a search came to.
 *
 * @since 0.1.0
 */
export interface Report<Violation> {
  /** How many different ones were visited. */
  readonly states: number
  /** How many moves led to one of them. */
  readonly moves: number
  /** The length of the longest way, which is the shortest to its end. */
  readonly depth: number
  /** Whether there is nothing left to visit. */
  readonly isComplete: boolean
  /** The violations, the one with the shortest trace first. */
  readonly findings: ReadonlyArray<Finding<Violation>>
}

/**
 * How far to look.
 *
 * @since 0.1.0
 */
export interface Limits<Violation> {
  /** How many states to visit at most. Default: no limit. */
  readonly states?: number | undefined
  /** Whether this violation ends the search. Default: each does. */
  readonly isEnough?: ((violation: Violation) => boolean) | undefined
  /** Told now and then how many states have been visited. */
  readonly onProgress?: ((states: number, depth: number) => void) | undefined
}

// How a state was reached first: from which, and by what.
interface Step {
  readonly from: number
  readonly label: string
}

const progressEvery = 50_000

/**
 * Visits every state that the model can reach.
 *
 * @example
 * ```ts
 * import * as Explorer from "@zapier-workflow-auth/testing/explorer/Explorer"
 *
 * // Two hands on a counter that must not pass 3.
 * const report = Explorer.explore<number, string>({
 *   initial: [{ label: "zero", world: 0 }],
 *   moves: (n) =>
 *     [1, 2].map((by) => ({
 *       label: `add ${by}`,
 *       world: n + by,
 *       violations: n + by > 3 ? ["too much"] : [],
 *       isFault: false
 *     })),
 *   ending: () => [],
 *   key: String
 * })
 *
 * report.findings[0]?.trace // => ["zero", "add 2", "add 2"]
 * ```
 *
 * @since 0.1.0
 */
export const explore = <World, Violation>(
  model: Model<World, Violation>,
  limits: Limits<Violation> = {}
): Report<Violation> => {
  const seen = new Set<string>()
  const steps: Array<Step> = []
  const findings: Array<Finding<Violation>> = []
  let frontier: Array<{ readonly world: World; readonly index: number }> = []
  let moves = 0
  let depth = 0
  const search = { isOver: false }

  const traceTo = (index: number): ReadonlyArray<string> => {
    const trace: Array<string> = []
    for (let step = steps[index]; step !== undefined; step = steps[step.from]) trace.push(step.label)
    return trace.toReversed()
  }

  const report = (violations: ReadonlyArray<Violation>, trace: () => ReadonlyArray<string>) => {
    for (const violation of violations) {
      findings.push({ violation, trace: trace() })
      search.isOver ||= limits.isEnough?.(violation) ?? true
    }
  }

  // Takes a world in, if it is a new one.
  const visit = (world: World, from: number, label: string, next: typeof frontier) => {
    const key = model.key(world)
    if (seen.has(key)) return
    seen.add(key)
    next.push({ world, index: steps.push({ from, label }) - 1 })
    if (seen.size % progressEvery === 0) limits.onProgress?.(seen.size, depth)
    search.isOver ||= limits.states !== undefined && seen.size >= limits.states
  }

  for (const { label, world } of model.initial) visit(world, -1, label, frontier)
  while (frontier.length > 0 && !search.isOver) {
    const next: typeof frontier = []
    for (const { index, world } of frontier) {
      if (search.isOver) break
      const possible = model.moves(world)
      if (possible.every(({ isFault }) => isFault)) report(model.ending(world), () => traceTo(index))
      for (const move of possible) {
        moves++
        report(move.violations, () => [...traceTo(index), move.label])
        // What comes after a broken rule proves nothing.
        if (move.violations.length === 0) visit(move.world, index, move.label, next)
      }
    }
    if (next.length > 0) depth++
    frontier = next
  }
  return { states: seen.size, moves, depth, isComplete: !search.isOver, findings }
}
