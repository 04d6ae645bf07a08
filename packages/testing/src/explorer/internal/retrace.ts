/** Follows a trace again, and keeps the worlds on it. */
import type { Finding, Model, Move } from "../../Explorer.ts"

/** A world on the trace, the move to it, and its predecessor. */
interface Stop<World> extends Move<World> {
  readonly from: Stop<World> | undefined
}

const wayTo = <World>(last: Stop<World>): ReadonlyArray<Move<World>> => {
  const way: Array<Move<World>> = []
  for (let stop: Stop<World> | undefined = last; stop !== undefined; stop = stop.from) way.push(stop)
  return way.toReversed()
}

/**
 * The moves of a trace, starting with the initial world. Several moves may have the same label: all are followed, and
 * the first that leads to the violation is taken. Empty if the trace does not belong to the model.
 */
export const retrace = <World>(
  model: Model<World>,
  { trace: [first, ...labels], violation }: Finding
): ReadonlyArray<Move<World>> => {
  let stops: ReadonlyArray<Stop<World>> = model.initial
    .filter(({ label }) => label === first)
    .map(({ label, world }) => ({ label, world, violations: [], isFault: false, from: undefined }))
  for (const label of labels) {
    const seen = new Set<string>()
    stops = stops.flatMap((from) =>
      model
        .moves(from.world)
        .filter((move) => move.label === label)
        .filter(({ violations, world }) => {
          const key = `${model.key(world)} ${violations.length}`
          return !seen.has(key) && seen.add(key)
        })
        .map((move) => ({ ...move, from }))
    )
  }
  const last = stops.find(({ violations, world }) =>
    [...violations, ...model.ending(world)].some(
      ({ observed, rule }) => rule === violation.rule && observed === violation.observed
    )
  )
  return last === undefined ? [] : wayTo(last)
}
