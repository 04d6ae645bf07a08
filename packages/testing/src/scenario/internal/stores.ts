/** Notes the writes to an app's grant store. */
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Write } from "../ScenarioHistory.ts"

type Noted = Pick<Write, "subject" | "grant" | "isDone">

/** The same stores, with a grant store that notes its writes. */
export const watched = <S>(stores: Context.Context<S>, note: (write: Noted) => void): Context.Context<S> =>
  Option.match(Context.getOption(stores, GrantStore.GrantStore), {
    onNone: () => stores,
    onSome: (grants) => {
      const noting = <E>(subject: string, grant: Write["grant"], write: Effect.Effect<boolean, E>) =>
        Effect.tap(write, (isDone) => Effect.sync(() => note({ subject, grant, isDone })))
      // A store may have more members than its interface.
      const store: GrantStore.GrantStore["Service"] = Object.assign(Object.create(grants), {
        compareAndSet: (...[key, expected, grant]: Parameters<typeof grants.compareAndSet>) =>
          noting(key.subject, grant, grants.compareAndSet(key, expected, grant)),
        remove: (...[key, expected]: Parameters<typeof grants.remove>) =>
          noting(key.subject, undefined, grants.remove(key, expected))
      })
      return Context.add(stores, GrantStore.GrantStore, store)
    }
  })
