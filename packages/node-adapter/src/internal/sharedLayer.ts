/**
 * Builds a layer once, for all clients that were given the same layer: one client's disconnect is the other's. The layer is
 * built when the first of them needs it, and closed with the last.
 *
 * A build that failed is not remembered, which Effect's `ManagedRuntime` does. Clients of different layers share nothing,
 * not even what is a part of both, such as stores in memory.
 */
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as RcRef from "effect/RcRef"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as StartFailure from "./startFailure.ts"

interface Shared {
  /** Builds it, and keeps it for as long as the scope is open. */
  readonly context: RcRef.RcRef<Context.Context<ZapierAuth>, ZapierAuthError>
  /** They are told the events of the layer whenever it is open, whichever client it was built for. */
  readonly listeners: Set<(event: AuthEvent) => void>
  /** The same layer, whose failures are this library's. */
  readonly layer: Layer.Layer<ZapierAuth, ZapierAuthError>
}

// How long closing waits for listeners to hear the last events. In milliseconds.
const lastEvents = 1_000

const build = (layer: Layer.Layer<ZapierAuth, ZapierAuthError>, listeners: Shared["listeners"]) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const services = yield* Scope.fork(scope)
    const context = yield* Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), services)
    const { events } = Context.get(context, ZapierAuth)
    const tell = (event: AuthEvent) => Effect.sync(() => listeners.forEach((listener) => listener(event)))
    const telling = yield* Effect.forkDetach(Stream.runForEach(events, tell), { startImmediately: true })
    // The events end when the services are closed, and not before.
    const end = Scope.close(services, Exit.void).pipe(
      Effect.andThen(Effect.timeoutOption(Fiber.await(telling), lastEvents)),
      Effect.andThen(Fiber.interrupt(telling))
    )
    yield* Scope.addFinalizer(scope, end)
    return context
  })

/** How long a client that closes waits for what it has begun, in milliseconds: the `requestTimeout` of what it was given. */
export const patienceOf = (context: Context.Context<ZapierAuth>): number =>
  Context.get(context, ZapierAuth).requests.patience

const known = new WeakMap<Layer.Any, Shared>()

const sharedOf = <E>(given: Layer.Layer<ZapierAuth, E>): Shared => {
  const found = known.get(given)
  if (found !== undefined) return found
  const layer = Layer.catchCause(given, (cause) =>
    Layer.effectContext(Effect.suspend(() => Effect.failCause(StartFailure.toCause(cause))))
  )
  const listeners: Shared["listeners"] = new Set()
  // Its own scope stays open: each client has a reference, which ends with the client.
  const context = Effect.runSync(Scope.provide(RcRef.make({ acquire: build(layer, listeners) }), Scope.makeUnsafe()))
  const shared = { context, listeners, layer }
  known.set(given, shared)
  known.set(layer, shared)
  return shared
}

/**
 * What the layer builds, for as long as the scope is open, who is told its events, and the layer with failures of this library
 * only, which is the same to all clients.
 */
export const of = <R, E>(given: Layer.Layer<R | ZapierAuth, E>) => {
  const { context, layer, listeners } = sharedOf(given)
  return {
    context: Effect.map(RcRef.get(context), (context) => context as Context.Context<R | ZapierAuth>),
    layer: layer as Layer.Layer<R | ZapierAuth, ZapierAuthError>,
    listeners
  }
}
