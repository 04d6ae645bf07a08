import { describe, expect, it } from "@effect/vitest"
import * as AppModel from "../src/AppModel.ts"
import * as BrokenAppVariants from "../src/BrokenAppVariants.ts"
import * as Explorer from "../src/Explorer.ts"

describe("BrokenAppVariants", () => {
  it.each(BrokenAppVariants.all)("$name: $breaks", ({ breaks, client, faults, workers }) => {
    const { findings } = Explorer.explore(AppModel.make({ workers, faults, client }), {
      isEnough: ({ rule }) => rule === breaks
    })
    const found = findings.find(({ violation }) => violation.rule === breaks)
    expect(found?.violation.what).toBeDefined()
    // Short enough to be read.
    expect(found?.trace.length).toBeLessThan(20)
  })

  it("break every rule that is about an app's token at least once", () => {
    const broken = new Set(BrokenAppVariants.all.map(({ breaks }) => breaks))
    expect([...broken].sort()).toEqual([
      "Everybody is answered",
      "R1 one refresher",
      "R2 the lease outlives the request",
      "R3 success always wins",
      "R4 never overwrite newer",
      "R7 401 means look again",
      "R8 refresh when used"
    ])
  })
})
