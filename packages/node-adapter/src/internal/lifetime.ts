/**
 * The lifetime of a client for programs without Effect: starts at the first use, retries a failed start at the next use, and
 * closes in order.
 */
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as RcRef from "effect/RcRef"
import * as Scope from "effect/Scope"

// Milliseconds that `close` waits for a start that cannot be interrupted. Waiting calls need it, and nothing has been sent.
const startPatience = 20_000

interface UnderWay {
  readonly ended: Promise<void>
  readonly abandon: () => void
}

const isTyped = (cause: Cause.Cause<unknown>) => cause.reasons.some(Cause.isFailReason)

export interface Lifetime<A, E> {
  /** Uses the started client. `none` if it is closed before the effect ends. */
  readonly use: <B, E2>(
    use: (started: A) => Effect.Effect<B, E2>,
    signal?: AbortSignal
  ) => Promise<Option.Option<Exit.Exit<B, E | E2>>>
  readonly close: () => Promise<void>
}

/**
 * Makes a lifetime. `start` reads the environment as it is now.
 *
 * @param patienceOf how long `close` waits, in milliseconds, for work in progress once the services are closed or left to
 *   other clients
 */
export const make = <A, E>(
  start: Effect.Effect<A, E, Scope.Scope>,
  patienceOf: (started: A) => number
): Lifetime<A, E> => {
  const environment = ConfigProvider.fromEnv()
  const scope = Scope.makeUnsafe()
  const acquire = Effect.provideService(start, ConfigProvider.ConfigProvider, environment)
  // Concurrent first uses share one start. A failed start is forgotten, a successful one is kept.
  const ref = Effect.runSync(Scope.provide(RcRef.make({ acquire, idleTimeToLive: Duration.infinity }), scope))
  const underWay = new Set<UnderWay>()
  let started: Option.Option<A> = Option.none()
  let isClosed = false
  let closing: Promise<void> | undefined

  const get: Effect.Effect<A, E> = Effect.suspend(() =>
    Option.isSome(started)
      ? Effect.succeed(started.value)
      : Effect.tap(Effect.scoped(RcRef.get(ref)), (value) => Effect.sync(() => (started = Option.some(value))))
  )

  const abandonAll = () => {
    for (const { abandon } of underWay) abandon()
  }

  const close = async () => {
    let timer: NodeJS.Timeout | undefined
    const patience = Option.match(started, { onNone: () => startPatience, onSome: patienceOf })
    // For programs without Effect. @effect-diagnostics-next-line globalTimers:off
    const overdue = new Promise<void>((resolve) => (timer = setTimeout(resolve, patience)))
    const closed = Effect.runPromise(Scope.close(scope, Exit.void))
    try {
      if (Option.isNone(started)) {
        // Do not wait longer for a start that cannot be interrupted.
        abandonAll()
        await Promise.race([closed, overdue])
      } else {
        await closed
        // If other clients share the services, closing did not wait for this client's work.
        await Promise.race([Promise.all([...underWay].map(({ ended }) => ended)), overdue])
      }
    } finally {
      clearTimeout(timer)
      abandonAll()
    }
  }

  return {
    use: <B, E2>(use: (started: A) => Effect.Effect<B, E2>, signal?: AbortSignal) => {
      type Outcome = Option.Option<Exit.Exit<B, E | E2>>
      if (isClosed) return Promise.resolve<Outcome>(Option.none())
      return new Promise<Outcome>((resolve) => {
        const fiber = Effect.runFork(Effect.flatMap(get, use), { signal })
        const ended = Promise.withResolvers<void>()
        const entry: UnderWay = {
          ended: ended.promise,
          abandon: () => {
            resolve(Option.none())
            fiber.interruptUnsafe()
          }
        }
        underWay.add(entry)
        fiber.addObserver((exit) => {
          underWay.delete(entry)
          // An effect that closing interrupted, directly or by closing its services, has not failed by itself.
          const isCut = isClosed && signal?.aborted !== true && Exit.isFailure(exit) && !isTyped(exit.cause)
          resolve(isCut ? Option.none() : Option.some(exit))
          ended.resolve()
        })
      })
    },
    close: () => {
      isClosed = true
      return (closing ??= close())
    }
  }
}
