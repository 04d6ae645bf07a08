import { assert, describe, it } from "@effect/vitest"
import * as Styles from "../../../src/internal/pages/styles.ts"

const palettes = Styles.control
  .split("@media (prefers-color-scheme: dark)")
  .slice(0, 2)
  .map(
    (css) =>
      new Map(Array.from(css.matchAll(/--([\w-]+): #([\da-f]{6});/g), ([, name, rgb]) => [name ?? "", rgb ?? ""]))
  )

// Relative luminance and contrast as WCAG 2.2 has them.
const luminance = (rgb: string) => {
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const part = Number.parseInt(rgb.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const contrast = (one: string, other: string) => {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

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
