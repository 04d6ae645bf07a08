/**
 * Searches exhaustively through everything that a model can do, visiting each state once.
 *
 * @since 0.1.0
 */
import type { Violation } from "./Violation.ts"

/**
 * A possible next step. `violations` lists the rules that it breaks. A fault is a step that may never happen.
 *
 * @since 0.1.0
 */
export interface Move<World> {
  /** A description of the step. */
  readonly label: string
  readonly world: World
  readonly violations: ReadonlyArray<Violation>
  readonly isFault: boolean
}

/**
 * The possible steps, as a graph of worlds.
 *
 * @since 0.1.0
 */
export interface Model<World> {
  /** The initial worlds, each with a name. */
  readonly initial: ReadonlyArray<{ readonly label: string; readonly world: World }>
  /** All possible next steps. */
  readonly moves: (world: World) => ReadonlyArray<Move<World>>
  /** The rules broken by a world in which only faults can still happen. */
  readonly ending: (world: World) => ReadonlyArray<Violation>
  /** A key that is equal for worlds that behave the same. */
  readonly key: (world: World) => string
}

/**
 * A violation and a trace to it: the shortest, if the search was breadth first.
 *
 * @since 0.1.0
 */
export interface Finding {
  readonly violation: Violation
  readonly trace: ReadonlyArray<string>
}

/**
 * The result of a search.
 *
 * @since 0.1.0
 */
export interface Report {
  /** How many distinct states were visited. */
  readonly states: number
  /** How many moves led to one of them. */
  readonly moves: number
  /** The length of the longest trace. */
  readonly depth: number
  /** True if every reachable state was visited. */
  readonly isComplete: boolean
  /** The violations, in the order in which they were found. */
  readonly findings: ReadonlyArray<Finding>
}

/**
 * The order and the bounds of a search.
 *
 * @since 0.1.0
 */
export interface Limits {
  /**
   * Default: `breadth` first, so that the first violation found has the shortest trace. `depth` first needs far less
   * memory: in a large model many worlds are equally far from the beginning, but few lie on one path.
   */
  readonly order?: "breadth" | "depth" | undefined
  /** The largest number of states to visit. Default: no limit. */
  readonly states?: number | undefined
  /** Returns true if this violation ends the search. By default, each does. */
  readonly isEnough?: ((violation: Violation) => boolean) | undefined
  /** Called every 50,000 states, with the number of visited states and the depth. */
  readonly onProgress?: ((states: number, depth: number) => void) | undefined
}

interface Visited<World> {
  readonly world: World
  /** The number of the state, in the order of the first visits. */
  readonly index: number
  /** How many moves lead to it. */
  readonly distance: number
}

const progressEvery = 50_000

// A `Set` holds about 16 million entries.
const mostInSet = 8_000_000

const strings = () => {
  const sets = [new Set<string>()]
  return {
    /** Returns false if the text is already there. */
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
 * // Adds 1 or 2 to a counter that must not exceed 3.
 * const report = Explorer.explore<number>({
 *   initial: [{ label: "zero", world: 0 }],
 *   moves: (n) =>
 *     [1, 2].map((by) => ({
 *       label: `add ${by}`,
 *       world: n + by,
 *       violations: n + by > 3 ? [{ rule: "3 at most", observed: `${n + by}` }] : [],
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
  // The predecessor of each state and the move from it. Numbers, because there are millions.
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

  // Visits a world if it is new.
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
      // States after a broken rule prove nothing.
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
