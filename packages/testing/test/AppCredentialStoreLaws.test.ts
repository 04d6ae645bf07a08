import { describe, it } from "@effect/vitest"
import * as AppCredentialStore from "@zapier-workflow-auth/core/AppCredentialStore"
import * as AppCredentialStoreLaws from "../src/AppCredentialStoreLaws.ts"

describe("AppCredentialStore.layerMemory", () => {
  for (const { check, name } of AppCredentialStoreLaws.all) it.effect(name, () => check(AppCredentialStore.layerMemory))
})
