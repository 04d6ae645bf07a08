/** What became of a Zap: each that a user has from the start runs once a day, and not always with success. */
import type { Zap } from "../../FakeState.ts"

const hour = 3_600_000

const day = 24 * hour

const daysOfHistory = 45

/** New Zaps have this number and higher ones. They have not run yet. */
export const firstNewNumber = 100_000_000

export interface Run {
  readonly id: string
  readonly zap: Zap
  readonly startedAt: number
  readonly endedAt: number
  readonly status: "success" | "error" | "filtered"
}

const runOn = (zap: Zap, number: number): Run => {
  const startedAt = number * day + (zap.number % 24) * hour
  return {
    id: `00000000-0000-4000-a000-${String(Math.abs(number % 100_000) * 1_000_000 + (zap.number % 1_000_000)).padStart(12, "0")}`,
    zap,
    startedAt,
    endedAt: startedAt + 2_000,
    status: number % 7 === 0 ? "error" : number % 7 === 3 ? "filtered" : "success"
  }
}

// The latest first. The hour is of the Zap's, and what becomes of it is of the day's.
const latest = function* (zap: Zap, now: number): Generator<Run> {
  if (!zap.isEnabled || zap.number >= firstNewNumber) return
  const today = Math.floor(now / day)
  for (let back = 0; back < daysOfHistory; back++) {
    const run = runOn(zap, today - back)
    if (run.endedAt <= now) yield run
  }
}

/** The latest first. */
export const runs = (zap: Zap, now: number): ReadonlyArray<Run> => [...latest(zap, now)]

/** When it last succeeded, in milliseconds since the epoch. */
export const lastSuccess = (zap: Zap, now: number): number | undefined => {
  for (const { endedAt, status } of latest(zap, now)) if (status === "success") return endedAt
  return undefined
}
