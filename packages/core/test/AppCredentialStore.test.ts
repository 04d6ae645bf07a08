import * as Effect from "effect/Effect"
import type * as AppCredential from "../src/AppCredential.ts"
import * as AppCredentialStore from "../src/AppCredentialStore.ts"
import { describePairs, describeStore } from "./utils/StoreLaws.ts"

const state = (notBefore: number): AppCredential.State => ({ _tag: "Absent", notBefore })

describeStore(
  "AppCredentialStore.layerMemory",
  AppCredentialStore.AppCredentialStore,
  (effect) => Effect.provide(effect, AppCredentialStore.layerMemory),
  [
    { clientId: "client-1", scopes: "promotions:write" },
    { clientId: "client-1", scopes: "promotions:read promotions:write" }
  ],
  [state(1), state(2)]
)

describePairs(
  "AppCredentialStore.layerMemory",
  AppCredentialStore.AppCredentialStore,
  (effect) => Effect.provide(effect, AppCredentialStore.layerMemory),
  (clientId, scopes) => ({ clientId, scopes }),
  state
)
