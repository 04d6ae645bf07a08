import { describe, expect, it } from "@effect/vitest"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import type { Stored } from "@zapier-workflow-auth/core/store/VersionedStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AttemptStoreLaws from "../src/AttemptStoreLaws.ts"
import * as BrokenStore from "./utils/BrokenStore.ts"

const laws = [...AttemptStoreLaws.all, ...AttemptStoreLaws.persistent]

const attempts = (mistakes: BrokenStore.Mistakes<string, Stored<ConsentAttempt.Stored>>) =>
  Layer.sync(AttemptStore.AttemptStore, () => BrokenStore.attempts(mistakes))

const listing = (mistakes: BrokenStore.ListMistakes) =>
  Layer.sync(AttemptStore.AttemptStore, () => BrokenStore.attempts({}, mistakes))

const forgetful = () => {
  const store = BrokenStore.attempts({})
  return Layer.sync(AttemptStore.AttemptStore, () => {
    const removed = new Set<string>()
    return {
      ...store,
      remove: (key, expected) =>
        Effect.tap(store.remove(key, expected), () => Effect.sync(() => void removed.add(key))),
      bySubject: (options) =>
        Effect.map(store.bySubject(options), (listed) => (removed.size === 0 ? listed : listed.slice(1)))
    }
  })
}

describe("a store of attempts that", () => {
  it.effect.each([
    ["looks, and then writes", attempts({ isCareless: true }), "of concurrent writes"],
    ["looks, and then removes", attempts({ isCarelessToRemove: true }), "of concurrent writes"],
    ["removes whatever the version is", attempts({ removes: () => true }), "a record is removed only"],
    [
      "begins anew with the versions",
      attempts({ version: (before) => (before?.version ?? 0) + 1 }),
      "a version is never"
    ],
    ["ignores case", attempts({ keyText: (key) => key.toLowerCase() }), "keys that look alike"],
    ["takes - and _ for the same", attempts({ keyText: (key) => key.replaceAll("_", "-") }), "each key has a record"],
    [
      "forgets which scopes were asked for",
      attempts({ kept: (attempt) => ({ ...attempt, scopes: [] }) }),
      "a record is read as it was written"
    ],
    ["lists another subject's", listing({ isOf: () => true }), "the attempts of a subject are listed"],
    [
      "takes subjects for the same that differ in case",
      listing({ isOf: (subject, asked) => subject.toLowerCase() === asked.toLowerCase() }),
      "each subject has a list of its own"
    ],
    [
      "takes subjects for the same that begin alike",
      listing({ isOf: (subject, asked) => subject.slice(0, 200) === asked.slice(0, 200) }),
      "each subject has a list of its own"
    ],
    [
      "lists the oldest first",
      listing({ compare: (a, b) => a.value.startedAt - b.value.startedAt }),
      "the attempts of a subject are listed"
    ],
    [
      "lists the one that was written last first",
      listing({ compare: (a, b) => b.version - a.version }),
      "the attempts of a subject are listed"
    ],
    [
      "lists only those that are pending",
      listing({ cut: (listed) => listed.filter(({ state }) => state === "Pending") }),
      "the attempts of a subject are listed"
    ],
    [
      "says that all are pending",
      listing({ shown: (entry) => ({ ...BrokenStore.shown(entry), state: "Pending" }) }),
      "the attempts of a subject are listed"
    ],
    ["skips nothing", listing({ cut: (listed, { limit }) => listed.slice(0, limit) }), "the attempts of a subject"],
    ["knows no limit", listing({ cut: (listed, { skip }) => listed.slice(skip) }), "the attempts of a subject"],
    [
      "takes a limit of none by its word",
      listing({ cut: (listed, { limit, skip }) => listed.slice(Math.max(0, skip)).slice(0, Math.max(0, limit)) }),
      "a limit of less than one"
    ],
    [
      "lists a version that was",
      listing({ shown: (entry) => ({ ...BrokenStore.shown(entry), version: 1 }) }),
      "the attempts of a subject are listed"
    ],
    ["lists too little once it has removed", forgetful(), "of many who begin at once"],
    ["forgets all when it is closed", AttemptStore.layerMemory, "a reopened store has the same"]
  ] as const)("%s breaks a law", ([, layer, broken]) =>
    Effect.gen(function* () {
      const law = laws.find(({ name }) => name.startsWith(broken))
      if (law === undefined) throw new Error(`no law begins with "${broken}"`)
      expect(yield* Effect.flip(law.check(layer))).toMatchObject({ _tag: "LawBroken", law: law.name })
    })
  )
})

it.effect("a store of attempts that outlives its layer breaks no law", () =>
  Effect.gen(function* () {
    const store = BrokenStore.attempts({})
    for (const { check } of laws) yield* check(Layer.succeed(AttemptStore.AttemptStore, store), { runs: 10 })
  })
)
