/** Goes the way to a violation once more, and keeps the worlds on it. */
import type { Finding, Model, Move } from "../../Explorer.ts"

/** A world on the way, what led to it, and from where. */
interface Stop<World, Violation> extends Move<World, Violation> {
  readonly from: Stop<World, Violation> | undefined
}

const wayTo = <World, Violation>(last: Stop<World, Violation>): ReadonlyArray<Move<World, Violation>> => {
  const way: Array<Move<World, Violation>> = []
  for (let stop: Stop<World, Violation> | undefined = last; stop !== undefined; stop = stop.from) way.push(stop)
  return way.toReversed()
}

/**
 * The moves of a trace, the first of which is its beginning. Several moves may have one label: all are gone, and of those
 * that come to the violation the first is taken. Nothing if the trace is none of the model.
 */
export const retrace = <World, Violation>(
  model: Model<World, Violation>,
  { trace: [first, ...labels], violation }: Finding<Violation>,
  isSame: (one: Violation, other: Violation) => boolean
): ReadonlyArray<Move<World, Violation>> => {
  let stops: ReadonlyArray<Stop<World, Violation>> = model.initial
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
    [...violations, ...model.ending(world)].some((found) => isSame(found, violation))
  )
  return last === undefined ? [] : wayTo(last)
}
