import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as FakeState from "../../src/fake/FakeState.ts"

const page = readFileSync(new URL("../../../../docs/fake.md", import.meta.url), "utf8")

// As the page writes a default.
const shown = (value: unknown) => (typeof value === "number" ? value.toLocaleString("en") : `\`${String(value)}\``)

it("every setting is documented, with its default", () => {
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (\S+) +\|/gm)].map(([, name, value]) => [name, value])
  const settings = Object.entries(FakeState.strictest).map(([name, value]) => [name, shown(value)])
  assert.deepStrictEqual(Object.fromEntries(rows), Object.fromEntries(settings))
})
