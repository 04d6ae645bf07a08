/**
 * Time that passes only when nothing is left to do: everything that is ready runs, then the next timer. It needs no event
 * loop and no real timers, so that what happens, and in which order, depends on the program alone.
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

// A time of the epoch, not near zero: a time that is zero means something.
export const start = Date.UTC(2026, 0, 1)

/** What is to live in a room lives in this context. */
export const contextOf = ({ clock, scheduler }: Room, random: Seeds.Seeded) =>
  Context.make(Clock.Clock, clock).pipe(
    Context.add(Scheduler.Scheduler, scheduler),
    Context.add(Random.Random, Seeds.random(random)),
    Context.add(References.TracerEnabled, false)
  )

export const make = () => {
  // The next one is the last, and of those for the same time it is the one that was set first.
  const timers: Array<Timer> = []
  let ready: Array<() => void> = []
  let now = start
  let steps = 0

  /** Calls back after so many milliseconds. Gives what cancels it. */
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

  /** Runs what is ready and what becomes due, until that time. */
  const runUntil = (time: number) => {
    drain()
    for (let next = timers.at(-1); next !== undefined && next.at <= time; next = timers.at(-1)) {
      timers.pop()
      if (next.run === undefined) continue
      now = next.at
      next.run()
      drain()
    }
    // There is no time to come to when the end of all is meant.
    if (time !== Infinity) now = Math.max(now, time)
  }

  /** The time as one process has it: the same for all, but one may stand still while the others go on. */
  const room = () => {
    let ahead = 0
    let isSuspended = false
    let isEnded = false
    // What waits until it goes on, in order.
    let tasks: Array<() => void> = []
    let due: Array<() => void> = []
    let come: Array<() => void> = []

    const wall = () => now + ahead
    const wallNanos = () => BigInt(wall()) * 1_000_000n
    // It counts from another time than the clock on the wall, so that nobody takes one for the other.
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

    // It is asked before each step of a fiber, also of one that goes on because a promise has come.
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
        // Timers are set for whole milliseconds, as those of platforms are.
        sleep: (duration) => sleep(Math.ceil(Duration.toMillis(duration)))
      } satisfies Clock.Clock,
      isSuspended: () => isSuspended,
      /** From now on nothing happens in it. */
      suspend: () => {
        isSuspended = true
      },
      /** What comes from outside: at once, or when it goes on. */
      enter: (run: () => void) => {
        if (isSuspended) come.push(run)
        else if (!isEnded) run()
      },
      /** What should have happened meanwhile happens now: what has become due first, or what has come from outside. */
      goOn: (first: "Due" | "Come") => {
        const waiting = first === "Due" ? [...due, ...come] : [...come, ...due]
        ready.push(...tasks)
        clear()
        drain()
        for (const run of waiting) {
          // It may stand still again at once.
          if (isSuspended) come.push(run)
          else run()
          drain()
        }
      },
      /** What has not happened in it never will. */
      end: () => {
        isEnded = true
        clear()
      },
      /** Sets the clock on the wall to so many milliseconds ahead. What is waited for takes as long as before. */
      setClock: (millis: number) => {
        ahead = millis
      }
    }
  }

  /** When the next timer rings, if there is one. */
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
    /** Whether something is ready to run now. */
    isReady: () => ready.length > 0,
    /** How many steps fibers have done. What changes it while nothing was run has come from outside. */
    steps: () => steps,
    nextAt,
    room
  }
}

export type Timeline = ReturnType<typeof make>

export type Room = ReturnType<Timeline["room"]>
