/**
 * The life of a client for programs without Effect: it starts when it is first used, starts again at the next use if that
 * failed, and ends in good order.
 */
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as RcRef from "effect/RcRef"
import * as Scope from "effect/Scope"

// How long `close` waits for a start that cannot be interrupted: what is under way needs it, and nothing has been sent. In
// milliseconds.
const startPatience = 20_000

interface UnderWay {
  readonly ended: Promise<void>
  readonly abandon: () => void
}

const isTyped = (cause: Cause.Cause<unknown>) => cause.reasons.some(Cause.isFailReason)

export interface Lifetime<A, E> {
  /** Uses what was started. Nothing comes of it if the client is closed before it ends. */
  readonly use: <B, E2>(
    use: (started: A) => Effect.Effect<B, E2>,
    signal?: AbortSignal
  ) => Promise<Option.Option<Exit.Exit<B, E | E2>>>
  readonly close: () => Promise<void>
}

/**
 * `start` may use the environment as it is now, when the client is made.
 *
 * @param patienceOf how long `close` waits for what is under way once the services are closed, or left to others: in
 *   milliseconds, by what was started
 */
export const make = <A, E>(
  start: Effect.Effect<A, E, Scope.Scope>,
  patienceOf: (started: A) => number
): Lifetime<A, E> => {
  const environment = ConfigProvider.fromEnv()
  const scope = Scope.makeUnsafe()
  const acquire = Effect.provideService(start, ConfigProvider.ConfigProvider, environment)
  // Those who come first share one start. A start that failed is forgotten, one that succeeded is kept.
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
        // A start that cannot be interrupted is not waited for longer than that.
        abandonAll()
        await Promise.race([closed, overdue])
      } else {
        await closed
        // Where other clients have the same services, closing was not what these wait for.
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
          // What closing has cut off, by interrupting it or by closing what it needs, has not failed by itself.
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
