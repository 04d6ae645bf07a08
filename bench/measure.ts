/** Summarizes many time measurements, and measures this process's memory. */
import * as Effect from "effect/Effect"
import { round } from "./report.ts"

/** In microseconds. */
export interface Times {
  readonly samples: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Adds milliseconds, as counted by `performance.now()`. */
export const timesOf = (millis: ReadonlyArray<number>): Times => {
  const sorted = Float64Array.from(millis).sort()
  const at = (share: number) => round((sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN) * 1_000)
  return { samples: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** The duration in milliseconds, and the result. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, number], E, R> =>
  Effect.suspend(() => {
    const began = performance.now()
    return Effect.map(effect, (value) => [value, performance.now() - began] as const)
  })

/** In bytes: the live heap, and the process's memory. */
export interface Memory {
  readonly heap: number
  readonly rss: number
}

export const memory: Effect.Effect<Memory> = Effect.promise(async () => {
  if (global.gc === undefined) throw new Error("run with --expose-gc: the heap is measured without garbage")
  // Finalization callbacks run in the turn after the collection that finds them, some in the next.
  for (let i = 0; i < 3; i++) {
    global.gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed, rss }
})

/** A summary of many measurements. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export const medianOf = (values: ReadonlyArray<number>) => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export const spreadOf = (values: ReadonlyArray<number>, decimals = 0): Spread => ({
  median: round(medianOf(values), decimals),
  least: round(Math.min(...values), decimals),
  most: round(Math.max(...values), decimals)
})
