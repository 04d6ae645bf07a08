import { describe, it } from "@effect/vitest"
import * as AppCredentialStoreLaws from "@zapier-workflow-auth/testing/AppCredentialStoreLaws"
import * as AppCredentialStore from "../../src/store/AppCredentialStore.ts"

describe("AppCredentialStore.layerMemory", () => {
  for (const { check, name } of AppCredentialStoreLaws.all) {
    it.effect(name, () => check(AppCredentialStore.layerMemory))
  }
})
