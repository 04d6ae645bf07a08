/** Keeps `docs/machines.md` what the edge tables say. `npx vitest run packages/core/test/docs.test.ts -u` writes it anew. */
import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as AppCredential from "../src/machine/AppCredential.ts"
import * as ClientId from "../src/machine/ClientId.ts"
import * as ConsentAttempt from "../src/machine/ConsentAttempt.ts"
import * as Machine from "../src/machine/Machine.ts"
import * as Settings from "../src/Settings.ts"
import * as UserGrant from "../src/machine/UserGrant.ts"

const settings = Result.getOrThrow(Settings.make())

const sections = [
  {
    machine: ConsentAttempt.machine,
    purpose:
      "One for each authorization URL that was handed out. Its `state` works once, and its code is exchanged at most once."
  },
  {
    machine: UserGrant.machine(settings),
    purpose:
      "One for each user and client application. Outcomes of a refresh are taken in any state: whoever sent it may have slept meanwhile."
  },
  {
    machine: AppCredential.machine(settings),
    purpose: "One for each client application and set of scopes. A new token is simply asked for."
  },
  {
    machine: ClientId.machine,
    purpose: "One for each process: whether Zapier takes the client id."
  }
]

const document = [
  "# The machines",
  "",
  "Drawn from the edge tables in `packages/core/src`. An event that has no edge in a state is refused and changes nothing.",
  ...sections.flatMap(({ machine, purpose }) => [
    "",
    `## ${machine.name}`,
    "",
    purpose,
    "",
    "```mermaid",
    Machine.toMermaid(machine),
    "```"
  ]),
  ""
].join("\n")

it("docs/machines.md is up to date", async () => {
  await expect(document).toMatchFileSnapshot("../../../docs/machines.md")
})

it("docs/refreshing.md shows the machine as it is", () => {
  const shown = readFileSync(new URL("../../../docs/refreshing.md", import.meta.url), "utf8")
  expect(shown).toContain(`\`\`\`mermaid\n${Machine.toMermaid(UserGrant.machine(settings))}\n\`\`\``)
})
