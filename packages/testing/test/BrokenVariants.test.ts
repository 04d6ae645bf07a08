import { describe, expect, it } from "@effect/vitest"
import * as BrokenVariants from "../src/BrokenVariants.ts"
import * as Explorer from "../src/Explorer.ts"
import * as GrantModel from "../src/GrantModel.ts"
import * as Invariants from "../src/Invariants.ts"

describe("BrokenVariants", () => {
  it.each(BrokenVariants.all)("$name: $breaks", ({ breaks, client, faults, workers }) => {
    const { findings } = Explorer.explore(GrantModel.make({ workers, faults, client }), {
      isEnough: ({ rule }) => rule === breaks
    })
    const found = findings.find(({ violation }) => violation.rule === breaks)
    expect(found?.violation.what).toBeDefined()
    // Short enough to be read.
    expect(found?.trace.length).toBeLessThan(20)
  })

  it("break every rule at least once", () => {
    const broken = new Set(BrokenVariants.all.map(({ breaks }) => breaks))
    expect([...broken].sort()).toEqual(Object.keys(Invariants.rules).sort())
  })
})
