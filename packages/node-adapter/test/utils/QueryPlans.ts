/** The statements that the SQL stores send, so that a database can be asked how it would carry them out. */
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import { GrantStore, type PageOptions } from "@zapier-workflow-auth/core/store/GrantStore"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Statement from "effect/sql/Statement"
import * as TestClock from "effect/testing/TestClock"
import * as Suite from "./SqlStoreSuite.ts"

export interface Sent {
  readonly text: string
  readonly parameters: ReadonlyArray<unknown>
}

export type Operation = Effect.Effect<unknown, ZapierAuthError, GrantStore | AttemptStore.AttemptStore>

/** What is sent meanwhile, as the store wrote it and not as a test has copied it. */
export const sentBy = Effect.fnUntraced(function* (use: Operation) {
  const sent: Array<Sent> = []
  const record: Statement.Transformer = (statement) =>
    Effect.sync(() => {
      const [text, parameters] = statement.compile()
      sent.push({ text, parameters })
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

// Nothing is swept in the first minute of the epoch.
const sweeping = Effect.andThen(
  TestClock.adjust(2 * AttemptStore.sweepInterval),
  AttemptStore.AttemptStore.use((attempts) => attempts.compareAndSet("digest-1", some, attempt))
)

/** What reads or changes records that are there. */
export const operations: { readonly [name: string]: Operation } = {
  get: GrantStore.use((grants) => grants.get(key)),
  compareAndSet: GrantStore.use((grants) => grants.compareAndSet(key, some, Suite.grant(2))),
  remove: GrantStore.use((grants) => grants.remove({ ...key, subject: "nobody" }, 1)),
  "an attempt, and the sweep before it": sweeping
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
