/** Apps over the library. */
import * as EncryptionKey from "@zapier-workflow-auth/node-adapter/EncryptionKey"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Library from "../base/library.ts"
import * as Case from "../case.ts"

interface Kept {
  readonly at: number
  readonly zaps: ReadonlyArray<string>
}

class Cache extends Context.Service<Cache, Map<string, Kept>>()("zoo/library/Cache") {}

const forget = (subject: string) => Cache.use((cache) => Effect.sync(() => cache.delete(subject)))

// A list is cached for a minute, for each user, and dropped when the user connects or disconnects.
const cached = Scenario.make({
  ...Library.app,
  layer: Layer.merge(
    Library.layer,
    Layer.sync(Cache, () => new Map<string, Kept>())
  ),
  comeBack: (callback, subject) => Effect.tap(Library.app.comeBack(callback, subject), forget(subject)),
  call: Effect.fnUntraced(function* (subject: string) {
    const cache = yield* Cache
    const now = yield* Clock.currentTimeMillis
    const kept = cache.get(subject)
    if (kept !== undefined && now - kept.at < 60_000) return kept.zaps
    // A user who connects or disconnects meanwhile removes this, and then the list is not cached.
    const mine: Kept = { at: Number.NEGATIVE_INFINITY, zaps: [] }
    cache.set(subject, mine)
    const zaps = yield* Library.zaps(subject)
    if (cache.get(subject) === mine) cache.set(subject, { at: now, zaps })
    return zaps
  }),
  disconnect: (subject) => Effect.tap(Library.app.disconnect(subject), forget(subject))
})

const key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

const encrypted = EncryptedStores.layer.pipe(
  Layer.provide([
    MemoryStores.layer,
    Layer.effect(KeyRing.KeyRing, KeyRing.make([key])).pipe(Layer.provide(EncryptionKey.crypto))
  ])
)

const withSettings = (settings: Parameters<typeof Library.layerWith>[0], more = {}) =>
  Scenario.make({ ...Library.app, layer: Library.layerWith(settings), ...more })

// Returns a value that says that a user has to connect.
const asValue = Scenario.make({
  ...Library.app,
  call: (subject) =>
    Library.zaps(subject).pipe(
      Effect.map((zaps) => ({ connect: false, zaps })),
      Effect.catchReason("ZapierAuthError", "ReconnectRequired", () => Effect.succeed({ connect: true, zaps: [] }))
    )
})

// Its own API: JSON with a status, 409 if the user has to connect, and 503 while Zapier is unavailable.
const json = Scenario.make({
  ...Library.app,
  call: (subject) =>
    Library.zaps(subject).pipe(
      Effect.map((zaps) => ({ status: 200, body: { zaps } })),
      Effect.catchReason("ZapierAuthError", "ReconnectRequired", () =>
        Effect.succeed({ status: 409, body: { error: "connect" } })
      ),
      Effect.orElseSucceed(() => ({ status: 503, body: { error: "later" } }))
    ),
  shows: (exit) => {
    if (exit._tag === "Failure") return "TryLater"
    const { value } = exit
    const status = typeof value === "object" && value !== null && "status" in value ? value.status : 200
    return status === 409 ? "Connect" : status === 503 ? "TryLater" : "Data"
  }
})

export const cases: ReadonlyArray<Case.Case> = [
  Case.correct("library", Scenario.make(Library.app)),
  Case.correct("two-instances", Scenario.make({ ...Library.app, instances: 2 })),
  Case.correct("no-memory", withSettings({ memoryLifetime: 0 }, { instances: 2 })),
  Case.correct(
    "library-early",
    withSettings({ expiryMargin: "10 minutes" }, { expects: { expiryMargin: "10 minutes" } })
  ),
  Case.correct("encrypted", Scenario.make({ ...Library.app, stores: encrypted })),
  Case.correct("cached", cached),
  Case.correct("as-value", asValue),
  Case.correct("json", json)
]
