import { describe, it } from "@effect/vitest"
import * as AttemptStore from "@zapier-workflow-auth/core/AttemptStore"
import * as AttemptStoreLaws from "../src/AttemptStoreLaws.ts"

describe("AttemptStore.layerMemory", () => {
  for (const { check, name } of AttemptStoreLaws.all) it.effect(name, () => check(AttemptStore.layerMemory))
})
