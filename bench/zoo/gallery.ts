/** A page about some bugs of the zoo: the wrong code, the report, and the fix. */
import { readFile } from "node:fs/promises"
import { bugs } from "./bugs.ts"
import type { Bug } from "./case.ts"
import { carryOut } from "./try.ts"

// The most instructive bugs.
const shown = [
  "refresh-uncoordinated",
  "refresh-token-kept",
  "refresh-ends-with-caller",
  "brought-back",
  "outage-taken-for-refusal",
  "failure-kept",
  "secret-read-once",
  "deploy-reads-old-rows",
  "state-not-checked",
  "attempt-kept",
  "users-mixed-up",
  "post-retried"
]

const fileOf = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

// The code between the imports and the description of the bug.
const wrongPartOf = async (name: string) => {
  const source = await readFile(new URL(`bugs/${fileOf(name)}.ts`, import.meta.url), "utf8")
  const [before = ""] = source.split("\nexport const bug")
  return before.replaceAll(/^import [^\n]*\n/gm, "").trim()
}

const fenced = (language: string, text: string) => [`\`\`\`${language}`, text, "```"]

const sectionOf = async ({ family, fix, name, wrong }: Bug) => {
  const { message } = await carryOut({ name, runs: 100, seed: 1 })
  return [
    "",
    `## ${name}`,
    "",
    `_${family}._ ${wrong}`,
    "",
    ...fenced("typescript", await wrongPartOf(name)),
    "",
    "`Scenario.check` prints:",
    "",
    ...fenced("text", message),
    "",
    `The fix: ${fix}`
  ]
}

/** The page. */
export const page = async (): Promise<string> => {
  const sections: Array<string> = []
  for (const name of shown) {
    const bug = bugs.find((one) => one.name === name)
    if (bug === undefined) throw new Error(`The zoo has no app called ${name}.`)
    sections.push(...(await sectionOf(bug)))
  }
  return [
    "# Twelve bugs",
    "",
    "This page shows twelve typical bugs of apps that connect their users to Zapier, and how [`Scenario`](testing.md#an-app)",
    "finds them. Each app is correct except for the code shown here, which overrides a part of an app in `bench/zoo/base`.",
    "`npm run zoo` tests these apps and more, and also correct apps, in which it must find no bug.",
    "`npx vitest run bench/gallery.test.ts -u` generates this page.",
    ...sections,
    ""
  ].join("\n")
}
