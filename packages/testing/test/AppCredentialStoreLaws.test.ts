import { describe, expect, it } from "@effect/vitest"
import * as AppCredentialStore from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AppCredentialStoreLaws from "../src/AppCredentialStoreLaws.ts"
import { empty, make, type Mistakes } from "./utils/BrokenStore.ts"

const laws = [...AppCredentialStoreLaws.all, ...AppCredentialStoreLaws.persistent]

const tokens = (mistakes: Mistakes<AppCredentialStore.Key, AppCredential.State>) =>
  Layer.sync(AppCredentialStore.AppCredentialStore, () => make(empty(), mistakes))

describe("a store of app tokens that", () => {
  it.effect.each([
    ["looks, and then writes", tokens({ isCareless: true }), "of concurrent writes"],
    ["looks, and then removes", tokens({ isCarelessToRemove: true }), "of concurrent writes"],
    ["removes whatever the version is", tokens({ removes: () => true }), "a record is removed only"],
    [
      "begins anew with the versions",
      tokens({ version: (before) => (before?.version ?? 0) + 1 }),
      "a version is never"
    ],
    ["ignores case", tokens({ keyText: (key) => JSON.stringify(key).toLowerCase() }), "keys that look alike"],
    ["joins keys with a space", tokens({ keyText: (key) => `${key.clientId} ${key.scopes}` }), "each key has a record"],
    ["has one token for all scopes", tokens({ keyText: ({ clientId }) => clientId }), "keys that look alike"],
    [
      "cuts long keys",
      tokens({ keyText: (key) => JSON.stringify(key).slice(0, 255) }),
      "keys of a thousand characters"
    ],
    [
      "keeps no token",
      tokens({ kept: (state) => (state._tag === "Active" ? { _tag: "Absent" } : state) }),
      "a record is read as it was written"
    ],
    ["forgets all when it is closed", AppCredentialStore.layerMemory, "a reopened store has the same"]
  ] as const)("%s breaks a law", ([, layer, broken]) =>
    Effect.gen(function* () {
      const law = laws.find(({ name }) => name.startsWith(broken))
      if (law === undefined) throw new Error(`no law begins with "${broken}"`)
      expect(yield* Effect.flip(law.check(layer))).toMatchObject({ _tag: "LawBroken", law: law.name })
    })
  )
})

it.effect("a store of app tokens that outlives its layer breaks no law", () =>
  Effect.gen(function* () {
    const store = make<AppCredentialStore.Key, AppCredential.State>(empty())
    for (const { check } of laws)
      yield* check(Layer.succeed(AppCredentialStore.AppCredentialStore, store), { runs: 10 })
  })
)
