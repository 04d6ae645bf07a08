/** Keeps `docs/machines.md` what the edge tables say. `npx vitest run packages/core/test/docs.test.ts -u` writes it anew. */
import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as AppCredential from "../src/machine/AppCredential.ts"
import * as ClientId from "../src/machine/ClientId.ts"
import * as ConsentAttempt from "../src/machine/ConsentAttempt.ts"
import * as DriverState from "../src/machine/DriverState.ts"
import * as Machine from "../src/machine/Machine.ts"
import * as UserGrant from "../src/machine/UserGrant.ts"

const sections = [
  {
    name: "ConsentAttempt",
    initial: "Pending",
    edges: ConsentAttempt.edges,
    purpose:
      "One for each authorization URL that was handed out. Its `state` works once, and its code is exchanged at most once."
  },
  {
    name: "UserGrant",
    initial: "Absent",
    edges: UserGrant.edges,
    purpose:
      "One for each user and client application. Tokens that a refresh brings are stored in every state of the generation that they renew. A failed refresh counts only while its process owns the lease."
  },
  {
    name: "AppCredential",
    initial: "Absent",
    edges: AppCredential.edges,
    purpose: "One for each client application and set of scopes. A new token is simply requested."
  },
  {
    name: "WhiteLabelToken",
    initial: "Absent",
    edges: AppCredential.edges,
    purpose:
      "One for each client application, user and tenant of White Label. It is the machine of AppCredential under another name: a new token is requested, by a JWT that is signed for it."
  },
  {
    name: "ClientId",
    initial: "Unconfirmed",
    edges: ClientId.edges,
    purpose: "One for each process: whether Zapier takes the client id."
  },
  {
    name: "Driver",
    initial: "Idle",
    edges: DriverState.edges,
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
  ...sections.flatMap(({ edges, initial, name, purpose }) => [
    "",
    `## ${name}`,
    "",
    purpose,
    "",
    "```mermaid",
    Machine.toMermaid(initial, edges),
    "```",
    "",
    Machine.toMarkdown(edges)
  ]),
  ""
].join("\n")

it("docs/machines.md is up to date", async () => {
  await expect(document).toMatchFileSnapshot("../../../docs/machines.md")
})

it("docs/refreshing.md shows the machine as it is", () => {
  const shown = readFileSync(new URL("../../../docs/refreshing.md", import.meta.url), "utf8")
  expect(shown).toContain(`\`\`\`mermaid\n${Machine.toMermaid("Absent", UserGrant.edges)}\n\`\`\``)
})
