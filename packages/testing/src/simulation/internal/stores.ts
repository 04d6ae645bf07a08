/**
 * The shared stores, as each process uses them: an operation takes time, is carried out even if its process has ended
 * meanwhile, and reports its result only to a running process.
 */
import * as AppCredentialStore from "@zapier-workflow-auth/core/store/AppCredentialStore"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import type * as VersionedStore from "@zapier-workflow-auth/core/store/VersionedStore"
import { StoreFailed } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Host, Hub } from "./types.ts"

export type Stores = GrantStore.GrantStore | AttemptStore.AttemptStore | AppCredentialStore.AppCredentialStore

/** Breaks the grant store on purpose. */
export type Change = (store: GrantStore.GrantStore["Service"]) => GrantStore.GrantStore["Service"]

// The longest duration of an operation, in milliseconds: usually, and sometimes.
const slowest = { mostly: 6, rarely: 2_000 }

const away = new StoreFailed({ store: "store", operation: "respond", problem: "it is unavailable" })

export const make = (change: Change = (store) => store): Context.Context<Stores> => {
  const stores = Effect.runSync(Effect.scoped(Layer.build(MemoryStores.layer)))
  return Context.add(stores, GrantStore.GrantStore, change(Context.get(stores, GrantStore.GrantStore)))
}

interface Kind {
  readonly isWrite: boolean
  readonly isOfTokens: boolean
  /** True if it claims the right to send a token request. */
  readonly isClaim: boolean
}

export const view = (hub: Hub, shared: Context.Context<Stores>, host: Host): Context.Context<Stores> => {
  const { appWritten, crash, latency, settings, timeline, written } = hub
  const { storeTimeout } = settings
  const runSync = Effect.runSyncExit

  const remote = <A, E extends VersionedStore.StoreError>(
    operation: Effect.Effect<A, E>,
    { isClaim, isOfTokens, isWrite }: Kind
  ): Effect.Effect<A, E | StoreFailed> =>
    Effect.callback((resume) => {
      if (host.isGone) return
      const over = () => {
        host.pending--
        if (host.isGone && host.pending === 0) hub.forget(host)
      }
      const fail = () => {
        host.failedAt = Math.max(host.failedAt, timeline.now())
        if (!host.isGone) host.room.enter(() => resume(Effect.fail(away)))
      }
      const arrive = () => {
        switch (hub.failureOf(host, isWrite, isOfTokens)) {
          case "WriteFailsDone":
            runSync(operation)
            over()
            return fail()
          case "ReadFails":
          case "WriteFails":
            over()
            return fail()
          case "ReadHangs":
          case "WriteHangs":
            host.failedAt = timeline.now() + storeTimeout
            return over()
          case "WriteHangsDone":
            host.failedAt = timeline.now() + storeTimeout
            return void timeline.after(latency.below(2 * storeTimeout), () => {
              runSync(operation)
              over()
            })
          default:
            return carryOut()
        }
      }
      const carryOut = () => {
        const isNext = isClaim && hub.isArmed(host, "PauseBeforeRequest")
        const exit = runSync(operation)
        over()
        if (host.isGone) return
        if (isNext && exit._tag === "Success" && exit.value === true) hub.pauseFor(host, "PauseBeforeRequest")
        host.room.enter(() => resume(exit))
      }
      if (isClaim && hub.isArmed(host, "PauseBeforeClaim")) hub.pauseFor(host, "PauseBeforeClaim")
      host.room.enter(() => {
        host.pending++
        timeline.after(latency.below(latency.chance(0.05) ? slowest.rarely : slowest.mostly), arrive)
        if (!host.pausesAtStore) return
        host.pausesAtStore = false
        hub.pause(host)
      })
    })

  const versioned = <Key, A extends { readonly _tag: string }>(
    store: VersionedStore.VersionedStore<Key, A>,
    options: {
      readonly isOfTokens: boolean
      readonly isClaim: (value: A) => boolean
      /** The record has changed, or was removed. */
      readonly changed: (key: Key, value: A | undefined) => void
    }
  ): VersionedStore.VersionedStore<Key, A> => {
    const { changed, isOfTokens } = options
    const write = <E extends VersionedStore.StoreError>(
      operation: Effect.Effect<boolean, E>,
      key: Key,
      value: A | undefined
    ) => {
      const noted = Effect.map(operation, (isDone) => {
        if (isDone) changed(key, value)
        if (isDone && isOfTokens && host.endsAfterWrite && !host.isGone) crash(host)
        return isDone
      })
      return remote(noted, { isWrite: true, isOfTokens, isClaim: value !== undefined && options.isClaim(value) })
    }
    return {
      get: (key) => remote(store.get(key), { isWrite: false, isOfTokens, isClaim: false }),
      compareAndSet: (key, expected, value) => write(store.compareAndSet(key, expected, value), key, value),
      remove: (key, expected) => write(store.remove(key, expected), key, undefined)
    }
  }

  const grants = Context.get(shared, GrantStore.GrantStore)
  const attempts = Context.get(shared, AttemptStore.AttemptStore)
  return Context.make(GrantStore.GrantStore, {
    ...versioned(grants, {
      isOfTokens: true,
      isClaim: (value) => value._tag === "Refreshing" && value.lease.owner === host.owner,
      changed: ({ subject }, value) => written(subject, value ?? { _tag: "Absent" }, host)
    }),
    page: (options) => remote(grants.page(options), { isWrite: false, isOfTokens: true, isClaim: false })
  }).pipe(
    Context.add(AttemptStore.AttemptStore, {
      ...versioned(attempts, {
        isOfTokens: false,
        isClaim: () => false,
        changed: () => undefined
      }),
      bySubject: (options) => remote(attempts.bySubject(options), { isWrite: false, isOfTokens: false, isClaim: false })
    }),
    Context.add(
      AppCredentialStore.AppCredentialStore,
      versioned(Context.get(shared, AppCredentialStore.AppCredentialStore), {
        isOfTokens: true,
        isClaim: (value) => value._tag === "Requesting" && value.lease.owner === host.owner,
        changed: (_, value) => appWritten(value ?? { _tag: "Absent" }, host)
      })
    )
  )
}
