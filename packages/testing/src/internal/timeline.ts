/**
 * Virtual time that passes only when nothing is left to do: everything that is ready runs, then the next timer. It
 * needs no event loop and no real timers, so the course of events depends on the program alone.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import * as Seeds from "./seeded.ts"

interface Timer {
  readonly at: number
  run: (() => void) | undefined
}

// A recent time, because zero could be mistaken for a special value.
export const start = Date.UTC(2026, 0, 1)

/** The context of everything that lives in a room. */
export const contextOf = ({ clock, scheduler }: Room, random: Seeds.Seeded) =>
  Context.make(Clock.Clock, clock).pipe(
    Context.add(Scheduler.Scheduler, scheduler),
    Context.add(Random.Random, Seeds.random(random)),
    Context.add(References.TracerEnabled, false)
  )

export const make = () => {
  // The next timer is last; among equal times, the one that was set first.
  const timers: Array<Timer> = []
  let ready: Array<() => void> = []
  let now = start
  let steps = 0

  /** Calls back after `millis` milliseconds. Returns a function that cancels it. */
  const after = (millis: number, run: () => void) => {
    const timer: Timer = { at: now + Math.max(0, Math.ceil(millis)), run }
    timers.splice(timers.findLastIndex(({ at }) => at > timer.at) + 1, 0, timer)
    return () => {
      timer.run = undefined
    }
  }

  const drain = () => {
    while (ready.length > 0) {
      const tasks = ready
      ready = []
      for (const task of tasks) task()
    }
  }

  /** Runs everything that is ready or becomes due until that time. */
  const runUntil = (time: number) => {
    drain()
    for (let next = timers.at(-1); next !== undefined && next.at <= time; next = timers.at(-1)) {
      timers.pop()
      if (next.run === undefined) continue
      now = next.at
      next.run()
      drain()
    }
    // Infinity means to run to the end, not to set the time.
    if (time !== Infinity) now = Math.max(now, time)
  }

  /** The time of one process: the same for all, but one process may be paused while the others run. */
  const room = () => {
    let ahead = 0
    let isSuspended = false
    let isEnded = false
    // Work that waits until the process resumes, in order.
    let tasks: Array<() => void> = []
    let due: Array<() => void> = []
    let come: Array<() => void> = []

    const wall = () => now + ahead
    const wallNanos = () => BigInt(wall()) * 1_000_000n
    // Starts at another value than wall time, so that the two cannot be confused.
    const monotonicNanos = () => BigInt(now - start) * 1_000_000n

    const scheduler = new Scheduler.MixedScheduler("async", (task) => {
      let isCancelled = false
      const run = () => {
        if (isCancelled || isEnded) return
        if (isSuspended) tasks.push(run)
        else task()
      }
      ready.push(run)
      return () => {
        isCancelled = true
      }
    })

    // Called before each step of a fiber, also of one that a promise resumed.
    const shouldYield = scheduler.shouldYield.bind(scheduler)
    scheduler.shouldYield = (fiber) => {
      steps++
      return shouldYield(fiber)
    }

    const sleep = (millis: number) =>
      Effect.callback<void>((resume) => {
        if (millis === Infinity) return
        let isCancelled = false
        const ring = () => {
          if (isCancelled || isEnded) return
          if (isSuspended) due.push(ring)
          else resume(Effect.void)
        }
        const cancel = after(millis, ring)
        return Effect.sync(() => {
          isCancelled = true
          cancel()
        })
      })

    const clear = () => {
      isSuspended = false
      tasks = []
      due = []
      come = []
    }

    return {
      scheduler,
      clock: {
        currentTimeMillisUnsafe: wall,
        currentTimeMillis: Effect.sync(wall),
        currentTimeNanosUnsafe: wallNanos,
        currentTimeNanos: Effect.sync(wallNanos),
        monotonicTimeNanosUnsafe: monotonicNanos,
        monotonicTimeNanos: Effect.sync(monotonicNanos),
        // Timers are set for whole milliseconds, like those of platforms.
        sleep: (duration) => sleep(Math.ceil(Duration.toMillis(duration)))
      } satisfies Clock.Clock,
      isSuspended: () => isSuspended,
      /** Pauses the process. */
      suspend: () => {
        isSuspended = true
      },
      /** Runs an external event: at once, or once the process resumes. */
      enter: (run: () => void) => {
        if (isSuspended) come.push(run)
        else if (!isEnded) run()
      },
      /** Resumes the process: runs what became due first, or what came from outside first. */
      goOn: (first: "Due" | "Come") => {
        const waiting = first === "Due" ? [...due, ...come] : [...come, ...due]
        ready.push(...tasks)
        clear()
        drain()
        for (const run of waiting) {
          // The process may be paused again at once.
          if (isSuspended) come.push(run)
          else run()
          drain()
        }
      },
      /** Ends the process: everything that waits in it is dropped. */
      end: () => {
        isEnded = true
        clear()
      },
      /** Sets the wall clock this many milliseconds ahead. Waits take as long as before. */
      setClock: (millis: number) => {
        ahead = millis
      }
    }
  }

  /** The time of the next timer, if there is one. */
  const nextAt = () => {
    while (timers.length > 0 && timers.at(-1)?.run === undefined) timers.pop()
    return timers.at(-1)?.at
  }

  return {
    now: () => now,
    after,
    runUntil,
    /** Runs until nothing is left to wait for. */
    runToEnd: () => runUntil(Infinity),
    /** True if something is ready to run now. */
    isReady: () => ready.length > 0,
    /** How many steps fibers have run. If it changes while nothing was run, something came from outside. */
    steps: () => steps,
    nextAt,
    room
  }
}

export type Timeline = ReturnType<typeof make>

export type Room = ReturnType<Timeline["room"]>
