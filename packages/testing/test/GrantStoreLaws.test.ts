import { describe, it } from "@effect/vitest"
import * as GrantStore from "@zapier-workflow-auth/core/GrantStore"
import * as GrantStoreLaws from "../src/GrantStoreLaws.ts"

describe("GrantStore.layerMemory", () => {
  for (const { check, name } of GrantStoreLaws.all) it.effect(name, () => check(GrantStore.layerMemory))
})
