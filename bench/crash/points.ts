/**
 * The points of a refresh at which a process may be told to die:
 *
 * - `claimed`: it holds the lease, and has sent nothing.
 * - `answering`: the server has rotated the tokens, and the answer has not left it. The server sees to this one.
 * - `answered`: the process has the answer, and has not begun to store it.
 * - `committing`: the process is storing it. What the store holds afterwards decides.
 * - `committed`: it is stored, and the process has not yet used it.
 *
 * A process that has reached its point says so and does nothing more until it is killed. Only while `committing` it goes
 * on: death may come at any moment of the write, or after it.
 */
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

/** Those that a process reaches by itself. */
export const ownPoints = ["claimed", "answered", "committing", "committed"] as const

export type OwnPoint = (typeof ownPoints)[number]

/** All, and any moment whatever. */
export const points = ["random", "answering", ...ownPoints] as const

export type Point = (typeof points)[number]

// Stops all of this process. Who is not killed within the time has lost its parent.
const halt = () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
  process.exit(1)
}

export const refreshTokenOf = ({ tokens }: GrantStore.Grant) =>
  tokens.refreshToken === undefined ? "" : Redacted.value(tokens.refreshToken)

/** `reached` is told before the process halts. */
export const make = (reached: (point: OwnPoint, refreshToken: string) => void) => {
  let fatal: OwnPoint | undefined
  /** What was claimed for a subject, since it was asked last. */
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
          yield* reach("answered", grant)
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
    /** Die when this is reached next. */
    dieAt: (point: OwnPoint) => {
      fatal = point
    },
    /** What this process has claimed for a subject since it was asked last. */
    claimed: (subject: string) => {
      const tokens = claims.get(subject) ?? []
      claims.delete(subject)
      return tokens
    },
    /** The store of grants, watched. */
    layer: Layer.effect(GrantStore.GrantStore, Effect.map(GrantStore.GrantStore, watch))
  }
}

export type Points = ReturnType<typeof make>
