/** Keeps `docs/machines.md` what the edge tables say. `npx vitest run packages/core/test/docs.test.ts -u` writes it anew. */
import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as AppCredential from "../src/machine/AppCredential.ts"
import * as ClientId from "../src/machine/ClientId.ts"
import * as ConsentAttempt from "../src/machine/ConsentAttempt.ts"
import * as DriverState from "../src/machine/DriverState.ts"
import * as Machine from "../src/machine/Machine.ts"
import * as Settings from "../src/Settings.ts"
import * as UserGrant from "../src/machine/UserGrant.ts"
import * as WhiteLabelToken from "../src/machine/WhiteLabelToken.ts"

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
      "One for each user and client application. Tokens that a refresh brings are stored in every state of the generation that they renew. A failed refresh counts only while its process owns the lease."
  },
  {
    machine: AppCredential.machine(settings),
    purpose: "One for each client application and set of scopes. A new token is simply requested."
  },
  {
    machine: WhiteLabelToken.machine(settings),
    purpose:
      "One for each client application, user and tenant of White Label. It is the machine of AppCredential under another name: a new token is requested, by a JWT that is signed for it."
  },
  {
    machine: ClientId.machine,
    purpose: "One for each process: whether Zapier takes the client id."
  },
  {
    machine: { name: "Driver", initial: "Idle", edges: DriverState.edges },
    purpose:
      "One for each process and record. It steps one of the machines above over the record, and sends its requests. The table has what it does with the store; a load or save that it has given up changes nothing when it ends."
  }
]

const document = [
  "# The machines",
  "",
  "Drawn from the edge tables in `packages/core/src/machine`. The text in brackets is the condition of an edge. A table under",
  "each diagram says the same in words.",
  "",
  "An event that a state has no edge for is rejected with `IllegalTransition` and changes nothing. A stale event, one about",
  "tokens that have been replaced or from a process that has lost its lease, changes nothing either, and is no error.",
  ...sections.flatMap(({ machine, purpose }) => [
    "",
    `## ${machine.name}`,
    "",
    purpose,
    "",
    "```mermaid",
    Machine.toMermaid(machine),
    "```",
    "",
    Machine.toMarkdown(machine)
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
