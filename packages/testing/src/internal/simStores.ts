/**
 * The stores that all processes share, and what each process sees of them: an operation takes its time, is carried out
 * even if its process has ended meanwhile, and is answered only to a process that lives.
 */
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import * as AppCredentialStore from "@zapier-workflow-auth/core/store/AppCredentialStore"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import { from, StoreFailed, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Host } from "./simHost.ts"
import type { Hub } from "./simTypes.ts"

export type Stores = GrantStore.GrantStore | AttemptStore.AttemptStore | AppCredentialStore.AppCredentialStore

/** How the grant store is to be broken. */
export type Change = (store: GrantStore.GrantStore["Service"]) => GrantStore.GrantStore["Service"]

/** How long an operation takes at most, in milliseconds. */
export const slowest = 6

const away = from(new StoreFailed({ store: "store", operation: "answer", problem: "it is away" }))

export const make = (change: Change = (store) => store): Context.Context<Stores> => {
  const stores = Effect.runSync(Effect.scoped(Layer.build(MemoryStores.layer)))
  return Context.add(stores, GrantStore.GrantStore, change(Context.get(stores, GrantStore.GrantStore)))
}

/** Who is told of each state that a store takes. */
export interface Written {
  readonly written: (subject: string, state: UserGrant.State) => void
  readonly appWritten: (state: AppCredential.State) => void
}

export const view = (
  hub: Hub,
  shared: Context.Context<Stores>,
  host: Host,
  { appWritten, written }: Written
): Context.Context<Stores> => {
  const { crash, latency, timeline } = hub
  const runSync = Effect.runSyncExit

  const remote = <A>(
    operation: Effect.Effect<A, ZapierAuthError>,
    { isClaim = false, isOfTokens = true } = {}
  ): Effect.Effect<A, ZapierAuthError> =>
    Effect.callback((resume) => {
      if (host.isGone) return
      const arrive = () => {
        host.pending--
        const failure = hub.failureOf(host, isOfTokens)
        if (failure !== undefined) {
          host.failedAt = timeline.now()
          if (failure === "Done") runSync(operation)
          if (!host.isGone) host.room.enter(() => resume(Effect.fail(away)))
          return
        }
        const isNext = isClaim && hub.isArmed(host, "StandstillBeforeRequest")
        // It is carried out at once either way, and with less ado if there is a fiber that waits for it.
        if (!isNext && !host.isGone && !host.room.isSuspended()) return resume(operation)
        const exit = runSync(operation)
        if (host.isGone) return
        if (isNext && exit._tag === "Success" && exit.value === true) {
          hub.strike(host, "StandstillBeforeRequest")
          hub.suspend(host)
        }
        host.room.enter(() => resume(exit))
      }
      if (isClaim && hub.isArmed(host, "StandstillBeforeClaim")) {
        hub.strike(host, "StandstillBeforeClaim")
        hub.suspend(host)
      }
      host.room.enter(() => {
        host.pending++
        timeline.after(latency.below(slowest), arrive)
        if (!host.standsAtStore) return
        host.standsAtStore = false
        hub.suspend(host)
      })
    })

  // What is done is done, and nothing comes after it if the process ends with it.
  const noting = <A, E>(operation: Effect.Effect<A, E>, done: (value: A) => void): Effect.Effect<A, E> =>
    Effect.flatMap(operation, (value) => {
      done(value)
      return host.isGone ? Effect.never : Effect.succeed(value)
    })

  const grants = Context.get(shared, GrantStore.GrantStore)
  const attempts = Context.get(shared, AttemptStore.AttemptStore)
  const appTokens = Context.get(shared, AppCredentialStore.AppCredentialStore)
  const isOfTokens = false

  const afterWrite = () => {
    if (host.endsAfterWrite && !host.isGone) crash(host)
  }

  return Context.make(GrantStore.GrantStore, {
    get: (key) => remote(grants.get(key)),
    compareAndSet: (key, expected, value) =>
      remote(
        noting(grants.compareAndSet(key, expected, value), (isWritten) => {
          if (!isWritten) return
          written(key.subject, value)
          afterWrite()
        }),
        { isClaim: value._tag === "Refreshing" && value.lease.owner === host.owner }
      ),
    remove: (key, expected) =>
      remote(
        noting(grants.remove(key, expected), (isRemoved) => {
          if (!isRemoved) return
          written(key.subject, { _tag: "Absent" })
          afterWrite()
        })
      ),
    page: (options) => remote(grants.page(options))
  }).pipe(
    Context.add(AttemptStore.AttemptStore, {
      get: (key) => remote(attempts.get(key), { isOfTokens }),
      compareAndSet: (key, expected, value) => remote(attempts.compareAndSet(key, expected, value), { isOfTokens }),
      remove: (key, expected) => remote(attempts.remove(key, expected), { isOfTokens })
    }),
    Context.add(AppCredentialStore.AppCredentialStore, {
      get: (key) => remote(appTokens.get(key)),
      compareAndSet: (key, expected, value) =>
        remote(
          noting(appTokens.compareAndSet(key, expected, value), (isWritten) => {
            if (!isWritten) return
            appWritten(value)
            afterWrite()
          }),
          { isClaim: value._tag === "Requesting" && value.lease.owner === host.owner }
        ),
      remove: (key, expected) => remote(appTokens.remove(key, expected))
    })
  )
}
