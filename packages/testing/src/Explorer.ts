/**
 * An exhaustive search through everything that a model can do, each state once.
 *
 * @since 0.1.0
 */
import type { Violation } from "./Violation.ts"

/**
 * Something that may happen next. What a rule has against it, if anything, is in `violations`. A fault is something that
 * need not happen.
 *
 * @since 0.1.0
 */
export interface Move<World> {
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
export interface Model<World> {
  /** Where it begins, and what to call that. */
  readonly initial: ReadonlyArray<{ readonly label: string; readonly world: World }>
  /** All that may happen next. */
  readonly moves: (world: World) => ReadonlyArray<Move<World>>
  /** What is wrong with a world in which nothing happens any more but faults. */
  readonly ending: (world: World) => ReadonlyArray<Violation>
  /** A text that is the same for worlds that behave the same. */
  readonly key: (world: World) => string
}

/**
 * A violation, and a way to it: the shortest, if the search went breadth first.
 *
 * @since 0.1.0
 */
export interface Finding {
  readonly violation: Violation
  readonly trace: ReadonlyArray<string>
}

/**
 * What a search came to.
 *
 * @since 0.1.0
 */
export interface Report {
  /** How many different ones were visited. */
  readonly states: number
  /** How many moves led to one of them. */
  readonly moves: number
  /** The length of the longest way that was gone. */
  readonly depth: number
  /** Whether there is nothing left to visit. */
  readonly isComplete: boolean
  /** The violations, in the order in which they were found. */
  readonly findings: ReadonlyArray<Finding>
}

/**
 * How to look, and how far.
 *
 * @since 0.1.0
 */
export interface Limits {
  /**
   * Default: `breadth` first, so that the first violation found has the shortest trace. `depth` first takes far less
   * memory: a large model has many worlds that are equally far from its beginning, and few in a row.
   */
  readonly order?: "breadth" | "depth" | undefined
  /** How many states to visit at most. Default: no limit. */
  readonly states?: number | undefined
  /** Whether this violation ends the search. Default: each does. */
  readonly isEnough?: ((violation: Violation) => boolean) | undefined
  /** Told now and then how many states have been visited. */
  readonly onProgress?: ((states: number, depth: number) => void) | undefined
}

interface Visited<World> {
  readonly world: World
  /** Which of the states it is, by when it was reached. */
  readonly index: number
  /** How many moves led to it. */
  readonly distance: number
}

const progressEvery = 50_000

// A `Set` holds some 16 million.
const mostInSet = 8_000_000

const strings = () => {
  const sets = [new Set<string>()]
  return {
    /** False if it is there already. */
    add: (text: string): boolean => {
      if (sets.some((set) => set.has(text))) return false
      const [newest] = sets
      if (newest !== undefined && newest.size < mostInSet) newest.add(text)
      else sets.unshift(new Set([text]))
      return true
    }
  }
}

/**
 * Visits every state that the model can reach.
 *
 * @example
 * ```ts
 * import * as Explorer from "@zapier-workflow-auth/testing/Explorer"
 *
 * // Two hands on a counter that must not pass 3.
 * const report = Explorer.explore<number>({
 *   initial: [{ label: "zero", world: 0 }],
 *   moves: (n) =>
 *     [1, 2].map((by) => ({
 *       label: `add ${by}`,
 *       world: n + by,
 *       violations: n + by > 3 ? [{ rule: "3 at most", seen: `${n + by}` }] : [],
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
export const explore = <World>(model: Model<World>, limits: Limits = {}): Report => {
  const seen = strings()
  // How each state was reached first: from which, and by what. Numbers, since there are millions.
  const origins: Array<number> = []
  const moved: Array<number> = []
  const labels: Array<string> = []
  const labelIds = new Map<string, number>()
  const findings: Array<Finding> = []
  let moves = 0
  let depth = 0
  const search = { isOver: false }

  const traceTo = (index: number): ReadonlyArray<string> => {
    const trace: Array<string> = []
    for (let at: number | undefined = index; at !== undefined && at >= 0; at = origins[at]) {
      trace.push(labels[moved[at] ?? 0] ?? "")
    }
    return trace.toReversed()
  }

  const report = (violations: ReadonlyArray<Violation>, trace: () => ReadonlyArray<string>) => {
    for (const violation of violations) {
      findings.push({ violation, trace: trace() })
      search.isOver ||= limits.isEnough?.(violation) ?? true
    }
  }

  // Takes a world in, if it is a new one.
  const visit = (world: World, from: number, label: string, distance: number, next: Array<Visited<World>>) => {
    if (!seen.add(model.key(world))) return
    const labelId = labelIds.get(label) ?? labels.push(label) - 1
    labelIds.set(label, labelId)
    moved.push(labelId)
    const states = origins.push(from)
    next.push({ world, index: states - 1, distance })
    depth = Math.max(depth, distance)
    if (states % progressEvery === 0) limits.onProgress?.(states, depth)
    search.isOver ||= limits.states !== undefined && states >= limits.states
  }

  const leave = ({ distance, index, world }: Visited<World>, next: Array<Visited<World>>) => {
    const possible = model.moves(world)
    if (possible.every(({ isFault }) => isFault)) report(model.ending(world), () => traceTo(index))
    for (const move of possible) {
      moves++
      report(move.violations, () => [...traceTo(index), move.label])
      // What comes after a broken rule proves nothing.
      if (move.violations.length === 0) visit(move.world, index, move.label, distance + 1, next)
    }
  }

  let frontier: Array<Visited<World>> = []
  for (const { label, world } of model.initial) visit(world, -1, label, 0, frontier)
  while (frontier.length > 0 && !search.isOver) {
    if (limits.order === "depth") {
      const last = frontier.pop()
      if (last !== undefined) leave(last, frontier)
      continue
    }
    const next: Array<Visited<World>> = []
    for (const visited of frontier) {
      if (search.isOver) break
      leave(visited, next)
    }
    frontier = next
  }
  return { states: origins.length, moves, depth, isComplete: !search.isOver, findings }
}
