import { describe, expect, it } from "@effect/vitest"
import * as Explorer from "../../src/Explorer.ts"
import * as Model from "../../src/explorer/Model.ts"
import * as Mutants from "../../src/explorer/Mutants.ts"
import * as Invariants from "../../src/Invariants.ts"

const minutes = 3 * 60_000

describe("Mutants", () => {
  it.each(Mutants.all)(
    "$name: $breaks",
    (mutant) => {
      const { findings } = Explorer.explore(Model.make(mutant), { isEnough: ({ rule }) => rule === mutant.breaks })
      const found = findings.find(({ violation }) => violation.rule === mutant.breaks)
      expect(found?.violation.observed).toBeDefined()
      // Short enough to be read.
      expect(found?.trace.length).toBeLessThan(20)
      // It can be drawn: the way is found once more.
      const entries = found === undefined ? [] : Model.page(mutant, found).diagram.entries
      expect(entries.at(-1)).toMatchObject({ _tag: "Violation", rule: mutant.breaks })
    },
    minutes
  )

  it("break every rule at least once", () => {
    const broken = new Set(Mutants.all.map(({ breaks }) => breaks))
    expect([...broken].sort()).toEqual(Object.keys(Invariants.rules).sort())
  })
})
