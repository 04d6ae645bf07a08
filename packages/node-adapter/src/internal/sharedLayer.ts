/**
 * Builds a layer once for all clients that share it, so that one client's disconnect is the other's. It is built for the
 * first of them, and closed with the last.
 *
 * Unlike in Effect's `ManagedRuntime`, a failed build is not remembered. Clients of different layers share nothing, not even
 * common parts such as stores in memory.
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
  /** Builds the layer, and keeps it while the scope is open. */
  readonly context: RcRef.RcRef<Context.Context<ZapierAuth>, ZapierAuthError>
  /** Called for all events while the layer is open, whichever client it was built for. */
  readonly listeners: Set<(event: AuthEvent) => void>
  /** The same layer, with errors of this library. */
  readonly layer: Layer.Layer<ZapierAuth, ZapierAuthError>
}

// How long closing waits for listeners to get the last events, in milliseconds.
const lastEvents = 1_000

const build = (layer: Layer.Layer<ZapierAuth, ZapierAuthError>, listeners: Shared["listeners"]) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const services = yield* Scope.fork(scope)
    const context = yield* Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), services)
    const { events } = Context.get(context, ZapierAuth)
    const tell = (event: AuthEvent) => Effect.sync(() => listeners.forEach((listener) => listener(event)))
    const telling = yield* Effect.forkDetach(Stream.runForEach(events, tell), { startImmediately: true })
    // The events end only when the services are closed.
    const end = Scope.close(services, Exit.void).pipe(
      Effect.andThen(Effect.timeoutOption(Fiber.await(telling), lastEvents)),
      Effect.andThen(Fiber.interrupt(telling))
    )
    yield* Scope.addFinalizer(scope, end)
    return context
  })

/** How long a closing client waits for its work, in milliseconds: the `requestTimeout` of its layer. */
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
  // This scope stays open; each client holds a reference that ends with the client.
  const context = Effect.runSync(Scope.provide(RcRef.make({ acquire: build(layer, listeners) }), Scope.makeUnsafe()))
  const shared = { context, listeners, layer }
  known.set(given, shared)
  known.set(layer, shared)
  return shared
}

/**
 * Shares a layer: its services while a scope is open, its listeners, and the layer with errors of this library, which is the
 * same for all clients.
 */
export const of = <R, E>(given: Layer.Layer<R | ZapierAuth, E>) => {
  const { context, layer, listeners } = sharedOf(given)
  return {
    context: Effect.map(RcRef.get(context), (context) => context as Context.Context<R | ZapierAuth>),
    layer: layer as Layer.Layer<R | ZapierAuth, ZapierAuthError>,
    listeners
  }
}
