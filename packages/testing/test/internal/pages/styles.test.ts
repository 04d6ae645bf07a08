import { assert, describe, it } from "@effect/vitest"
import * as Styles from "../../../src/internal/pages/styles.ts"
import { contrast } from "../../utils/Contrast.ts"

const palettes = Styles.control
  .split("@media (prefers-color-scheme: dark)")
  .slice(0, 2)
  .map(
    (css) =>
      new Map(Array.from(css.matchAll(/--([\w-]+): #([\da-f]{6});/g), ([, name, rgb]) => [name ?? "", rgb ?? ""]))
  )

describe.each([
  ["light", palettes[0] ?? new Map<string, string>()],
  ["dark", palettes[1] ?? new Map<string, string>()]
])("the %s colours", (_, colours) => {
  const of = (name: string) => colours.get(name) ?? assert.fail(`no colour ${name}`)

  it.each([
    ["text", "ground"],
    ["text", "card"],
    ["quiet", "ground"],
    ["quiet", "card"],
    ["accent", "ground"],
    ["accent", "card"],
    ["accent-text", "accent"],
    ["good", "card"],
    ["bad", "card"]
  ])("let %s be read on %s: at least 4.5 to 1", (one, other) => {
    assert.isAtLeast(contrast(of(one), of(other)), 4.5)
  })

  it.each([
    ["edge", "ground"],
    ["edge", "card"],
    ["focus", "ground"],
    ["focus", "card"]
  ])("let %s be seen on %s: at least 3 to 1", (one, other) => {
    assert.isAtLeast(contrast(of(one), of(other)), 3)
  })
})
