/**
 * The points of a refresh at which a process may be killed:
 *
 * - `claimed`: it holds the lease, and has sent nothing.
 * - `responding`: the server has rotated the tokens, and not sent the response yet. The server handles this point.
 * - `responded`: the process has the response, and has not begun to store it.
 * - `committing`: the process is storing it. The contents of the store afterwards decide.
 * - `committed`: it is stored, and the process has not used it yet.
 *
 * A process at its point says so, and halts until it is killed. Only while `committing` it continues: it may die at any
 * moment of the write, or after it.
 */
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

/** The points that a process reaches by itself. */
export const ownPoints = ["claimed", "responded", "committing", "committed"] as const

export type OwnPoint = (typeof ownPoints)[number]

/** All points, and a random moment. */
export const points = ["random", "responding", ...ownPoints] as const

export type Point = (typeof points)[number]

// Halts this process. If it is not killed in time, it has lost its parent.
const halt = () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
  process.exit(1)
}

export const refreshTokenOf = ({ tokens }: GrantStore.Grant) =>
  tokens.refreshToken === undefined ? "" : Redacted.value(tokens.refreshToken)

/** `reached` is called before the process halts. */
export const make = (reached: (point: OwnPoint, refreshToken: string) => void) => {
  let fatal: OwnPoint | undefined
  /** The claim for a subject since the last call. */
  const claims = new Map<string, ReadonlyArray<string>>()

  const reach = (point: OwnPoint, grant: GrantStore.Grant) =>
    Effect.sync(() => {
      if (fatal !== point) return
      fatal = undefined
      reached(point, refreshTokenOf(grant))
      if (point !== "committing") halt()
    })

  const claim = (subject: string, grant: GrantStore.Grant) =>
    Effect.sync(() => void claims.set(subject, [...(claims.get(subject) ?? []), refreshTokenOf(grant)]))

  const watch = (store: GrantStore.GrantStore["Service"]) => {
    const generations = new Map<string, number>()
    return GrantStore.GrantStore.of({
      ...store,
      get: (key) =>
        Effect.tap(store.get(key), (found) =>
          Effect.sync(() => {
            if (found._tag === "Some") generations.set(key.subject, found.value.value.generation)
          })
        ),
      compareAndSet: Effect.fnUntraced(function* (key, expected, grant) {
        const isCommit = grant._tag === "Active" && grant.generation !== generations.get(key.subject)
        if (isCommit) {
          yield* reach("responded", grant)
          yield* reach("committing", grant)
        }
        const isStored = yield* store.compareAndSet(key, expected, grant)
        if (isStored && isCommit) yield* reach("committed", grant)
        if (isStored && grant._tag === "Refreshing") {
          yield* claim(key.subject, grant)
          yield* reach("claimed", grant)
        }
        return isStored
      })
    })
  }

  return {
    /** Halt at this point next. */
    dieAt: (point: OwnPoint) => {
      fatal = point
    },
    /** This process's claim for a subject since the last call. */
    claimed: (subject: string) => {
      const tokens = claims.get(subject) ?? []
      claims.delete(subject)
      return tokens
    },
    /** The grant store, observed. */
    layer: Layer.effect(GrantStore.GrantStore, Effect.map(GrantStore.GrantStore, watch))
  }
}

export type Points = ReturnType<typeof make>
