/**
 * Virtual time, randomness and network for code without Effect: `Date`, timers, `fetch` and the like, from an Effect
 * context. They are replaced only for code inside `run`; all other code of the process, such as a test runner, keeps
 * the real ones.
 */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks"
import { syncBuiltinESMExports } from "node:module"
import timersPromises from "node:timers/promises"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"

/** A process of an app. */
export interface Process {
  /** Forks an effect in it, with the services of a context. Does nothing once the process has ended. */
  readonly fork: <A, E>(context: Context.Context<never>, effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E> | undefined
  readonly isEnded: () => boolean
  /** Ends the process: nothing in it runs any more. */
  readonly end: () => void
}

export const makeProcess = (): Process => {
  const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  let isEnded = false
  return {
    fork: (context, effect) => {
      if (isEnded) return undefined
      const fiber = Effect.runForkWith(context)(effect)
      fibers.add(fiber)
      fiber.addObserver(() => fibers.delete(fiber))
      return fiber
    },
    isEnded: () => isEnded,
    end: () => {
      isEnded = true
      for (const fiber of fibers) fiber.interruptUnsafe()
    }
  }
}

/** The surroundings of running code: its process, its context, and its `fetch`. */
export interface Room {
  readonly process: Process
  readonly context: Context.Context<never>
  readonly fetch: typeof globalThis.fetch
}

const storage = new AsyncLocalStorage<Room>()

/** The room of the calling code, if it is an app's. */
export const current = (): Room | undefined => storage.getStore()

/** Runs code, and everything that it starts, in a room. */
export const run = <A>(room: Room, code: () => A): A => storage.run(room, code)

// -----------------------------------------------------------------------------
// Timers
// -----------------------------------------------------------------------------

let timers = 0

// Like Node's: an object that is also a number.
class Timer {
  readonly id = ++timers
  private readonly room: Room
  private readonly millis: number
  private readonly isRepeated: boolean
  private readonly callback: () => void
  private fiber: Fiber.Fiber<unknown, unknown> | undefined

  constructor(room: Room, callback: () => void, millis: number, isRepeated: boolean) {
    this.room = room
    this.callback = callback
    this.millis = millis
    this.isRepeated = isRepeated
    this.start()
  }

  private start() {
    const { context, process } = this.room
    running.set(this.id, this)
    const ring = Effect.sync(() => {
      if (process.isEnded()) return
      try {
        this.callback()
      } catch (error) {
        // An error in a timer ends a real process, and fails a test.
        queueMicrotask(() => {
          throw error
        })
      }
    })
    const once = Effect.andThen(Effect.sleep(this.millis), ring)
    this.fiber = process.fork(context, this.isRepeated ? Effect.forever(once) : once)
    this.fiber?.addObserver(() => running.delete(this.id))
  }

  close(): this {
    this.fiber?.interruptUnsafe()
    return this
  }

  refresh(): this {
    this.close()
    this.start()
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }

  [Symbol.toPrimitive](): number {
    return this.id
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

const running = new Map<number, Timer>()

type Callback = (...args: ReadonlyArray<unknown>) => void

// The delay of a timer that is set for less than a millisecond, or for no number.
const leastDelay = 1

// A longer delay overflows, and the timer fires at once.
const mostDelay = 2_147_483_647

const delayOf = (millis: unknown) => {
  const delay = Math.trunc(Number(millis))
  return delay >= leastDelay && delay <= mostDelay ? delay : leastDelay
}

const starting =
  (real: Callback, isRepeated: boolean, millisOf: (millis: unknown) => number) =>
  (callback: Callback, millis?: unknown, ...args: ReadonlyArray<unknown>): unknown => {
    const room = current()
    if (room === undefined) return real(callback, millis, ...args)
    return new Timer(
      room,
      AsyncResource.bind(() => callback(...args)),
      millisOf(millis),
      isRepeated
    )
  }

const clearing = (real: (timer: never) => void) => (timer: unknown) => {
  if (timer instanceof Timer) return void timer.close()
  const known = typeof timer === "number" || typeof timer === "string" ? running.get(Number(timer)) : undefined
  if (known !== undefined && current() !== undefined) return void known.close()
  return real(timer as never)
}

// -----------------------------------------------------------------------------
// Replaced globals
// -----------------------------------------------------------------------------

const nowIn = ({ context }: Room) => Context.get(context, Clock.Clock).currentTimeMillisUnsafe()

const dateOver = (real: DateConstructor): DateConstructor =>
  new Proxy(real, {
    apply: (target) => {
      const room = current()
      return (room === undefined ? new target() : new target(nowIn(room))).toString()
    },
    construct: (target, args, newTarget) => {
      const room = args.length === 0 ? current() : undefined
      return Reflect.construct(target, room === undefined ? args : [nowIn(room)], newTarget) as Date
    },
    get: (target, key) => (key === "now" ? now : (Reflect.get(target, key) as unknown))
  })

const realNow = Date.now

const now = () => {
  const room = current()
  return room === undefined ? realNow() : nowIn(room)
}

const timedOut = (millis: number): AbortSignal => {
  const controller = new AbortController()
  // This is the replaced timer. @effect-diagnostics-next-line globalTimers:off
  setTimeout(
    () => controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError")),
    millis
  )
  return controller.signal
}

interface Replaced {
  readonly owner: object
  readonly name: string
  readonly before: PropertyDescriptor | undefined
  readonly value: unknown
}

const replace = (owner: object, name: string, over: (real: never) => unknown): Replaced => {
  const before = Object.getOwnPropertyDescriptor(owner, name)
  const value = over(Reflect.get(owner, name) as never)
  Object.defineProperty(owner, name, {
    configurable: true,
    writable: true,
    enumerable: before?.enumerable ?? false,
    value
  })
  return { owner, name, before, value }
}

// Other code may have replaced it since, and will restore it.
const restore = ({ before, name, owner, value }: Replaced) => {
  if (Reflect.get(owner, name) !== value) return
  if (before === undefined) Reflect.deleteProperty(owner, name)
  else Object.defineProperty(owner, name, before)
}

type Method = (...args: ReadonlyArray<unknown>) => unknown

// Replaces a method for the code of a process.
const inProcess = (owner: object, name: string, other: (room: Room, ...args: ReadonlyArray<never>) => unknown) =>
  replace(
    owner,
    name,
    (real: Method) =>
      function (this: unknown, ...args: ReadonlyArray<unknown>) {
        const room = current()
        return room === undefined ? Reflect.apply(real, this, args) : other(room, ...(args as ReadonlyArray<never>))
      }
  )

// Replaces exports of Node's own modules for their importers, too.
const inModules = (name: "setTimeout" | "setImmediate") =>
  replace(timersPromises, name, (real: Method) => (...args: ReadonlyArray<unknown>) => {
    if (current() === undefined) return real(...args)
    const [millis, value] = name === "setTimeout" ? args : [0, args[0]]
    const { signal } = ((name === "setTimeout" ? args[2] : args[1]) ?? {}) as { readonly signal?: AbortSignal }
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      // This is the replaced timer. @effect-diagnostics-next-line globalTimers:off
      const timer = setTimeout(() => resolve(value), Number(millis ?? 1))
      signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason as Error)), { once: true })
    })
  })

const printed = ["debug", "dir", "error", "info", "log", "table", "trace", "warn"] as const

const replaceAll = (): ReadonlyArray<Replaced> => [
  replace(globalThis, "Date", dateOver),
  replace(globalThis, "setTimeout", (real: Callback) => starting(real, false, delayOf)),
  replace(globalThis, "setInterval", (real: Callback) => starting(real, true, delayOf)),
  replace(globalThis, "setImmediate", (real: Callback) => {
    const start = starting(real, false, () => 0)
    return (callback: Callback, ...args: ReadonlyArray<unknown>) =>
      current() === undefined ? real(callback, ...args) : start(callback, 0, ...args)
  }),
  inModules("setTimeout"),
  inModules("setImmediate"),
  ...["clearTimeout", "clearInterval", "clearImmediate"].map((name) => replace(globalThis, name, clearing)),
  inProcess(globalThis, "fetch", ({ fetch }, input: Request, init: RequestInit) => fetch(input, init)),
  inProcess(performance, "now", ({ context }) => {
    const nanos = Context.get(context, Clock.Clock).monotonicTimeNanosUnsafe()
    return Number(nanos) / 1e6
  }),
  inProcess(AbortSignal, "timeout", (_, millis: number) => timedOut(millis)),
  inProcess(Math, "random", ({ context }) => Context.get(context, Random.Random).nextDoubleUnsafe()),
  ...printed.map((name) =>
    inProcess(console, name, ({ context }, ...args: ReadonlyArray<unknown>) =>
      Reflect.apply(Context.get(context, Console.Console)[name], undefined, args)
    )
  )
]

const fake =
  "The test runner's fake timers are active, but a scenario has its own virtual time. Use real timers first (vi.useRealTimers(), jest.useRealTimers(), mock.timers.reset())."

let replaced: ReadonlyArray<Replaced> = []
let users = 0

const isFake = () => "clock" in globalThis.setTimeout || "isFake" in globalThis.Date

/** Replaces globals, and restores the real ones once no other run needs them. */
export const installed: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.suspend(() => {
    if (users === 0 && isFake()) return Effect.die(new Error(fake))
    if (users++ === 0) {
      replaced = replaceAll()
      syncBuiltinESMExports()
    }
    return Effect.void
  }),
  () =>
    Effect.sync(() => {
      if (--users > 0) return
      for (const one of replaced.toReversed()) restore(one)
      replaced = []
      syncBuiltinESMExports()
    })
)
