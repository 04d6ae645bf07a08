/**
 * Checks that `docs/benchmarks.md` and the README show the measurements. `npm run bench -- docs --render` writes the
 * page.
 */
import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Docs from "./docs.ts"
import * as Peers from "./peers.ts"

const shownOf = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8")

it("docs/benchmarks.md and its pictures show the results that are kept", async () => {
  const rendered = await Docs.render(Docs.read())
  expect(rendered.length).toBeGreaterThan(3)
  for (const [path, text] of rendered) expect(shownOf(`docs/${path}`), path).toBe(text)
})

it("the README's comparison is what was counted", () => {
  const peers = Docs.read().reports["peers"]
  const cells = Peers.names.map((name) => [
    name,
    ...["storm", "processes", "late-401"].map((situation) => {
      const of = peers?.[situation] as Readonly<Record<string, { tokenRequests: number; failedCalls: number }>>
      return `${of[name]?.tokenRequests}, ${of[name]?.failedCalls}`
    })
  ])
  const section = shownOf("README.md").split("## Compared with other clients")[1]?.split("\n## ")[0] ?? ""
  const rows = [...section.matchAll(/^\|(.*)\|$/gm)].slice(2).map(([, row = ""]) =>
    row
      .replaceAll("*", "")
      .split("|")
      .map((cell) => cell.trim())
  )
  expect(rows).toEqual(cells)
})
