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

interface Built {
  readonly context: Context.Context<ZapierAuth>
  /** They are told the events of the layer until it is closed. */
  readonly listeners: Set<(event: AuthEvent) => void>
}

// How long closing waits for listeners to hear the last events. In milliseconds.
const lastEvents = 1_000

const build = (layer: Layer.Layer<ZapierAuth, ZapierAuthError>) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const services = yield* Scope.fork(scope)
    const context = yield* Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), services)
    const { events } = Context.get(context, ZapierAuth)
    const listeners: Built["listeners"] = new Set()
    const tell = (event: AuthEvent) => Effect.sync(() => listeners.forEach((listener) => listener(event)))
    const telling = yield* Effect.forkDetach(Stream.runForEach(events, tell), { startImmediately: true })
    // The events end when the services are closed, and not before.
    const end = Scope.close(services, Exit.void).pipe(
      Effect.andThen(Effect.timeoutOption(Fiber.await(telling), lastEvents)),
      Effect.andThen(Fiber.interrupt(telling))
    )
    yield* Scope.addFinalizer(scope, end)
    return { context, listeners }
  })

const builds = new WeakMap<Layer.Any, RcRef.RcRef<Built, ZapierAuthError>>()

const buildOf = (layer: Layer.Layer<ZapierAuth, ZapierAuthError>) => {
  const known = builds.get(layer)
  if (known !== undefined) return known
  // Its own scope stays open: each client has a reference, which ends with the client.
  const made = Effect.runSync(Scope.provide(RcRef.make({ acquire: build(layer) }), Scope.makeUnsafe()))
  builds.set(layer, made)
  return made
}

/** What the layer builds, and its events for a listener, for as long as the scope is open. */
export const get = Effect.fnUntraced(function* <R>(
  layer: Layer.Layer<R | ZapierAuth, ZapierAuthError>,
  listener: (event: AuthEvent) => void
) {
  let forget = (): unknown => undefined
  // Runs after the layer was closed, when the last events were told.
  yield* Effect.addFinalizer(() => Effect.sync(() => forget()))
  const { context, listeners } = yield* RcRef.get(buildOf(layer))
  listeners.add(listener)
  forget = () => listeners.delete(listener)
  return context as Context.Context<R | ZapierAuth>
})
