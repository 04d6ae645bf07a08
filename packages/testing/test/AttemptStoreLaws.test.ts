import { describe, expect, it } from "@effect/vitest"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AttemptStoreLaws from "../src/AttemptStoreLaws.ts"
import { empty, make, type Mistakes } from "./utils/BrokenStore.ts"

const laws = [...AttemptStoreLaws.all, ...AttemptStoreLaws.persistent]

const attempts = (mistakes: Mistakes<string, ConsentAttempt.Stored>) =>
  Layer.sync(AttemptStore.AttemptStore, () => make(empty(), mistakes))

describe("a store of attempts that", () => {
  it.effect.each([
    ["looks, and then writes", attempts({ isCareless: true }), "of several writers and removers"],
    ["looks, and then removes", attempts({ isCarelessToRemove: true }), "of several writers and removers"],
    ["removes whatever the version is", attempts({ removes: () => true }), "a record is removed by whoever knows"],
    ["begins anew with the versions", attempts({ version: (before) => (before?.version ?? 0) + 1 }), "a version from"],
    ["ignores case", attempts({ keyText: (key) => key.toLowerCase() }), "keys that look alike"],
    ["takes - and _ for the same", attempts({ keyText: (key) => key.replaceAll("_", "-") }), "each key has a record"],
    [
      "forgets which scopes were asked for",
      attempts({ kept: (attempt) => ({ ...attempt, scopes: [] }) }),
      "a record comes back as it was written"
    ],
    ["forgets all when it is closed", AttemptStore.layerMemory, "when it is opened again everything"]
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
    const store = make<string, ConsentAttempt.Stored>(empty())
    for (const { check } of laws) yield* check(Layer.succeed(AttemptStore.AttemptStore, store), { runs: 10 })
  })
)
