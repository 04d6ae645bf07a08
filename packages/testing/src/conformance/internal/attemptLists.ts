/** Attempts for the conformance suite of an attempt store, and its checks of a subject's list. */
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type { Stored } from "@zapier-workflow-auth/core/store/VersionedStore"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { Law } from "../StoreLaw.ts"
import * as Draw from "../../internal/draw.ts"
import { awkward, lookalikes } from "./keys.ts"
import { type Body, law, type Port, property, reopening } from "./trial.ts"
import { expectThat, none, noted, show, type Unmet, watch, type Watched } from "./watched.ts"

/** An attempt store that notes each operation for the report. */
interface WatchedAttempts extends Watched<string, Stored<ConsentAttempt.Stored>> {
  readonly bySubject: (options: AttemptStore.SubjectOptions) => Effect.Effect<ReadonlyArray<AttemptStore.Listed>, Unmet>
}

/** Wraps an attempt store so that its operations are noted. */
export const port: Port<AttemptStore.AttemptStore, string, WatchedAttempts> = (notebook) =>
  Effect.map(AttemptStore.AttemptStore, (store) => ({
    ...watch(store, notebook),
    bySubject: (options) =>
      noted(notebook, `bySubject ${show(notebook, options)}`, store.bySubject(options), (listed) =>
        show(
          notebook,
          listed.map(({ key, state }) => `${key} ${state}`)
        )
      )
  }))

/** The year 3000, in milliseconds since the epoch: no store deletes an attempt that expires then. */
export const farAway = 32_503_680_000_000

const states = ["Pending", "Exchanging", "Completed", "Denied", "Expired", "Failed"] as const

type State = (typeof states)[number]

interface Attempt {
  readonly stateDigest: string
  readonly subject: string
  readonly startedAt: number
}

/** An attempt in a state; `text` fills every field that takes any text, except the subject. */
export const attemptOf = (tag: State, attempt: Attempt, text = "user"): ConsentAttempt.Stored => {
  const common = { ...attempt, redirectUri: text, scopes: ["zap"], expiresAt: farAway }
  switch (tag) {
    case "Pending":
      return { _tag: tag, ...common, codeVerifier: Tokens.secret(`verifier ${text}`) }
    case "Exchanging":
      return { _tag: tag, ...common, receivedAt: attempt.startedAt }
    case "Failed":
      return { _tag: tag, ...common, why: "OutcomeUnknown" }
    default:
      return { _tag: tag, ...common }
  }
}

const isListed = (actual: ReadonlyArray<AttemptStore.Listed>, expected: ReadonlyArray<AttemptStore.Listed>) => {
  const text = (listed: ReadonlyArray<AttemptStore.Listed>) =>
    listed.map(({ key, state, version }) => `${key} ${state}, version ${version}`).join("; ") || "none"
  return expectThat(text(actual) === text(expected), `exactly ${text(expected)}, in this order`, text(actual))
}

const change = Arbitrary.all({ key: Draw.int(0, 11), to: Draw.optional(Draw.oneOf(states)) })

// Does what the library does when another attempt begins.
const forgetOldest = function* (store: WatchedAttempts, subject: string, keep: number): Body {
  let removed = 0
  do {
    removed = 0
    for (const { key, version } of yield* store.bySubject({ subject, skip: keep, limit: 2 })) {
      if (yield* store.change(key, version)) removed++
    }
  } while (removed > 0)
}

/** The checks of lists. */
export const laws: ReadonlyArray<Law<AttemptStore.AttemptStore>> = [
  property(
    port,
    "the attempts of a subject are listed as they are, the newest first",
    Arbitrary.all({
      startedAt: Arbitrary.array(Draw.int(0, 9), { minLength: 12, maxLength: 12 }),
      changes: Arbitrary.array(change, { maxLength: 20 }),
      skip: Draw.int(0, 4),
      limit: Draw.int(1, 4)
    }),
    function* ({ place, store }, { changes, limit, skip, startedAt }) {
      const subjects = ["ada", "Ada", "ada "].map((name) => `${place}${name}`)
      const attempts = startedAt.map((tens, index) => ({
        stateDigest: `${place}${index}`,
        subject: subjects[index % 3] ?? place,
        // Distinct times.
        startedAt: tens * 100 + index
      }))
      const there = new Map<number, AttemptStore.Listed>()
      const begun = attempts.map((_, key) => ({ key, to: states[0] }))
      for (const { key: index, to } of [...begun, ...changes]) {
        const attempt = attempts[index]
        if (attempt === undefined) continue
        const { stateDigest: key } = attempt
        const before = there.get(index)?.version
        if (to === undefined) {
          if (before !== undefined) yield* store.removed(key, before)
          there.delete(index)
        } else {
          const { version } = yield* store.written(key, before, attemptOf(to, attempt))
          there.set(index, { key, version, state: to })
        }
      }
      for (const subject of subjects) {
        const own = attempts
          .map((attempt, index) => ({ ...attempt, listed: there.get(index) }))
          .filter((attempt) => attempt.subject === subject)
          .sort((a, b) => b.startedAt - a.startedAt)
          .flatMap(({ listed }) => listed ?? [])
        yield* isListed(yield* store.bySubject({ subject, skip: 0, limit: 100 }), own)
        yield* isListed(yield* store.bySubject({ subject, skip, limit }), own.slice(skip, skip + limit))
      }
    },
    { runs: 30 }
  ),
  law(
    port,
    "a limit of less than one counts as one, and a skip of less than none as none",
    function* ({ place, store }) {
      const attempt = { stateDigest: `${place}a`, subject: place, startedAt: 1 }
      const { version } = yield* store.written(attempt.stateDigest, none, attemptOf("Pending", attempt))
      for (const least of [0, -1, -100]) {
        const listed = yield* store.bySubject({ subject: place, skip: least, limit: least })
        yield* isListed(listed, [{ key: attempt.stateDigest, version, state: "Pending" }])
      }
    }
  ),
  property(
    port,
    "each subject has a list of its own, whatever its characters",
    Arbitrary.array(awkward, { maxLength: 6 }),
    function* ({ place, store }, drawn) {
      const long = "x".repeat(900)
      const subjects = [...new Set([...lookalikes, ...drawn, long, `${long}x`])].map((text) => `${place}${text}`)
      const listed: Array<readonly [subject: string, AttemptStore.Listed]> = []
      for (const [index, subject] of subjects.entries()) {
        const attempt = { stateDigest: `${place}${index}`, subject, startedAt: index }
        const { version } = yield* store.written(attempt.stateDigest, none, attemptOf("Pending", attempt))
        listed.push([subject, { key: attempt.stateDigest, version, state: "Pending" }])
      }
      for (const [subject, one] of listed) {
        yield* isListed(yield* store.bySubject({ subject, skip: 0, limit: 10 }), [one])
      }
    },
    { runs: 5 }
  )
]

/** The checks of lists for a store that keeps its data and is opened twice. */
export const persistent: ReadonlyArray<Law<AttemptStore.AttemptStore>> = [
  reopening(port, "an attempt that began through one opening is listed in another", function* (open, place) {
    yield* open(function* (one) {
      const attempt = { stateDigest: `${place}a`, subject: place, startedAt: 1 }
      const first = yield* one.written(attempt.stateDigest, none, attemptOf("Pending", attempt))
      yield* open(function* (other) {
        const all = { subject: place, skip: 0, limit: 10 }
        const key = attempt.stateDigest
        yield* isListed(yield* other.bySubject(all), [{ key, version: first.version, state: "Pending" }])
        const second = yield* other.written(key, first.version, attemptOf("Denied", attempt))
        yield* isListed(yield* one.bySubject(all), [{ key, version: second.version, state: "Denied" }])
        yield* one.removed(key, second.version)
        yield* isListed(yield* other.bySubject(all), [])
      })
    })
  }),
  reopening(
    port,
    "of many who begin at once through two openings, and remove what is too old, the newest are left",
    function* (open, place) {
      yield* open(function* (one) {
        yield* open(function* (other) {
          const keep = 3
          const begin = Effect.fnUntraced(function* (startedAt: number) {
            const store = startedAt % 2 === 0 ? one : other
            const attempt = { stateDigest: `${place}${startedAt}`, subject: place, startedAt }
            // Another fiber may have removed it already.
            yield* store.change(attempt.stateDigest, none, attemptOf("Pending", attempt))
            yield* Effect.gen(() => forgetOldest(store, place, keep))
          })
          const all = Array.from({ length: 20 }, (_, index) => index)
          yield* Effect.forEach(all, begin, { concurrency: "unbounded", discard: true })
          const left = (yield* one.bySubject({ subject: place, skip: 0, limit: 100 })).map(({ key }) => key)
          const newest = [19, 18, 17].map((startedAt) => `${place}${startedAt}`)
          yield* expectThat(
            left.join() === newest.join(),
            `the newest ${keep}`,
            `${left.length}: ${show({ place }, left)}`
          )
        })
      })
    }
  )
]
