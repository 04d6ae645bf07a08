/** Limits the wait for something that may not be interruptible, such as a secret manager or a store. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Application, ClientApplication } from "../oauth/ClientApplication.ts"
import * as Defects from "./defects.ts"
import type { StoreError } from "../store/VersionedStore.ts"
import { ApplicationUnavailable, StoreFailed, ZapierAuthError } from "../ZapierAuthError.ts"

/** Runs an effect for at most `millis`. Then it is interrupted without waiting for the interruption. */
const bounded = <A, E>(effect: Effect.Effect<A, E>, millis: number, late: () => E): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
    // Most end at once, and then need neither a timer nor a second fiber.
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return yield* exit
    const abandon = Effect.sync(() => fiber.interruptUnsafe())
    const result = yield* Fiber.join(fiber).pipe(
      Effect.timeoutOption(millis),
      Effect.onInterrupt(() => abandon)
    )
    if (Option.isSome(result)) return result.value
    yield* abandon
    return yield* Effect.fail(late())
  })

/** Reads the client application, for example from a secret manager. */
export const readApplication = (
  application: ClientApplication["Service"],
  millis: number
): Effect.Effect<Application, ZapierAuthError> => {
  // A fixed application needs no reading.
  if (Exit.isExit(application.get)) return application.get
  const unavailable = () => ZapierAuthError.make(new ApplicationUnavailable({ waited: Duration.millis(millis) }))
  const read = Effect.catchDefect(application.get, (defect) =>
    Effect.andThen(
      Effect.logError(`Reading the client application threw ${Defects.nameOf(defect)}`),
      Effect.fail(unavailable())
    )
  )
  return bounded(read, millis, unavailable)
}

/** Runs a store operation that no driver waits for. */
export const boundedStore = <A>(
  store: string,
  operation: () => Effect.Effect<A, StoreError>,
  { storeTimeout }: { readonly storeTimeout: number }
): Effect.Effect<A, ZapierAuthError> =>
  Effect.mapError(
    bounded(
      // A defect may hold a record.
      Effect.catchDefect(
        Effect.suspend(operation),
        () => new StoreFailed({ store, operation: "respond", problem: "it threw" })
      ),
      storeTimeout,
      (): StoreError => StoreFailed.silent(store, storeTimeout)
    ),
    ZapierAuthError.make
  )
