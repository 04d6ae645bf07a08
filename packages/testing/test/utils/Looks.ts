/** What a page looks like, light and dark, wide and narrow, and what axe finds wrong with it in each. */
import { mkdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { AxeResults, RunOptions } from "axe-core"
import type { Page } from "playwright-core"
import { output } from "./Browser.ts"

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

const looks = [
  ["light", 1_440],
  ["dark", 1_440],
  ["light", 390],
  ["dark", 390]
] as const

interface Findings {
  /** Each violation, with what it is found at. */
  readonly found: ReadonlyArray<string>
  readonly contrast: number
  readonly rules: number
  readonly undecided: number
}

const options: RunOptions = { resultTypes: ["violations", "passes", "incomplete"] }

// Runs in the page: all that axe has found has megabytes, and takes longer to bring here than to find.
const summary = ({ incomplete, passes, violations }: AxeResults): Findings => {
  const ratios = passes
    .filter(({ id }) => id === "color-contrast")
    .flatMap(({ nodes }) =>
      nodes.flatMap(({ any }) => any.map(({ data }) => Number(data?.contrastRatio ?? Number.NaN)))
    )
    .filter((ratio) => ratio > 0)
  return {
    found: violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`)),
    contrast: Math.min(...ratios),
    rules: passes.length,
    undecided: incomplete.flatMap(({ nodes }) => nodes).length
  }
}

/** What is wrong with the page as it is. */
const findings = async (page: Page): Promise<Findings> => {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe)
  return page.evaluate<Findings>(`axe.run(document, ${JSON.stringify(options)}).then(${String(summary)})`)
}

/**
 * Keeps how the page looks in `test-output`, and prints a line for each look.
 *
 * @returns what is wrong with it
 */
export const problemsOf = async (page: Page, name: string): Promise<ReadonlyArray<string>> => {
  mkdirSync(output, { recursive: true })
  const before = page.viewportSize()
  const problems: Array<string> = []
  for (const [colorScheme, width] of looks) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
    await page.setViewportSize({ width, height: 900 })
    const look = `${name}-${colorScheme}-${width}`
    await page.screenshot({ path: `${output}${look}.png`, fullPage: true })
    const { contrast, found, rules, undecided } = await findings(page)
    process.stdout.write(
      `axe ${look}: ${found.length} violations, ${undecided} undecided, ${rules} rules passed, least contrast ${contrast.toFixed(2)}\n`
    )
    problems.push(...found.map((one) => `${look}: ${one}`))
    const scrollWidth = await page.evaluate<number>("document.documentElement.scrollWidth")
    if (scrollWidth > width) problems.push(`${look}: is ${scrollWidth} wide`)
  }
  if (before !== null) await page.setViewportSize(before)
  return problems
}
