/** The statements that the SQL stores send, so that a database can be asked how it would carry them out. */
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import { GrantStore, type PageOptions } from "@zapier-workflow-auth/core/store/GrantStore"
import type { StoreError } from "@zapier-workflow-auth/core/store/VersionedStore"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Statement from "effect/sql/Statement"
import * as TestClock from "effect/testing/TestClock"
import * as SqlStores from "../../src/stores/SqlStores.ts"
import * as Suite from "./SqlStoreSuite.ts"

export interface Sent {
  readonly text: string
  readonly parameters: ReadonlyArray<unknown>
}

export type Operation = Effect.Effect<
  unknown,
  StoreError | ZapierAuthError,
  GrantStore | AttemptStore.AttemptStore | SqlClient
>

/** What is sent meanwhile, as the store wrote it and not as a test has copied it. */
export const sentBy = Effect.fnUntraced(function* (use: Operation) {
  const sent: Array<Sent> = []
  const record: Statement.Transformer = (statement) =>
    Effect.sync(() => {
      const [text, parameters] = statement.compile()
      // Those that look for changes of the tables are not the stores'.
      if (/zapier_(grants|consent_attempts|app_credentials)/.test(text)) sent.push({ text, parameters })
      return statement
    })
  yield* Effect.provideService(use, Statement.CurrentTransformer, record)
  return sent
})

export const clientId = "client-1"

const key = { clientId, subject: "user-05000" }

const page = (options: Omit<PageOptions, "clientId" | "limit">) =>
  GrantStore.use((grants) => grants.page({ ...options, clientId, limit: 100 }))

const some = Option.some(1)

const attempt: ConsentAttempt.Stored = {
  _tag: "Pending",
  stateDigest: "digest-1",
  subject: "ada",
  redirectUri: "https://acme.example/callback",
  scopes: ["zap"],
  startedAt: 0,
  expiresAt: 0
}

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

// The sweep has the context of the layer, and what is sent meanwhile includes its statements.
const sweeping = Effect.gen(function* () {
  const attempts = yield* AttemptStore.AttemptStore
  const old = `old-${yield* Clock.currentTimeMillis}`
  // To insert one looks for nothing.
  yield* attempts
    .compareAndSet(old, Option.none(), { ...attempt, stateDigest: old })
    .pipe(Effect.provideService(Statement.CurrentTransformer, undefined))
  yield* TestClock.adjust(2 * AttemptStore.retention)
  yield* attempts.compareAndSet("digest-1", some, attempt)
  while (Option.isSome(yield* attempts.get(old))) yield* turn
}).pipe(Effect.provide(Layer.fresh(SqlStores.layer)), Effect.scoped)

/** What reads or changes records that are there. */
export const operations: { readonly [name: string]: Operation } = {
  get: GrantStore.use((grants) => grants.get(key)),
  compareAndSet: GrantStore.use((grants) => grants.compareAndSet(key, some, Suite.grant(2))),
  remove: GrantStore.use((grants) => grants.remove({ ...key, subject: "nobody" }, 1)),
  "an attempt, and the sweep beside it": sweeping,
  "attempts of a subject": AttemptStore.AttemptStore.use((attempts) =>
    attempts.bySubject({ subject: "user-05000", skip: 20, limit: 100 })
  )
}

/** Pages, by what is asked for. */
export const pages = {
  "of all": page({}),
  "after another": page({ after: "user-05000" }),
  "of a prefix": page({ prefix: "user-05" }),
  "of a prefix, after another": page({ prefix: "user-05", after: "user-05000" }),
  "of a state": page({ state: "ReconnectRequired" }),
  "of a state, after another": page({ state: "ReconnectRequired", after: "user-05000" }),
  "of a state and a prefix": page({ state: "ReconnectRequired", prefix: "user-05" }),
  "of a state and a prefix, after another": page({ state: "ReconnectRequired", prefix: "user-05", after: "user-05000" })
}
