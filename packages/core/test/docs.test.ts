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
      "Each authorization URL has such a machine. Its `state` works once, and its code is exchanged at most once."
  },
  {
    name: "UserGrant",
    initial: "Absent",
    edges: UserGrant.edges,
    purpose:
      "Each user of a client application has such a machine. If a refresh succeeds, its tokens are stored in every state of the generation that they replace. A failed refresh counts only while its process owns the lease."
  },
  {
    name: "AppCredential",
    initial: "Absent",
    edges: AppCredential.edges,
    purpose:
      "Each client application has such a machine for each set of scopes. An expired token is not refreshed: the app requests a new one."
  },
  {
    name: "WhiteLabelToken",
    initial: "Absent",
    edges: AppCredential.edges,
    purpose:
      "Each user and tenant of a White Label partner has such a machine. It is the machine of AppCredential under another name. To get a new token, the app signs a new JWT."
  },
  {
    name: "ClientId",
    initial: "Unconfirmed",
    edges: ClientId.edges,
    purpose: "Each process has one such machine, which knows if Zapier accepts the client id."
  },
  {
    name: "Driver",
    initial: "Idle",
    edges: DriverState.edges,
    purpose:
      "Each process has a driver for each record in use. It steps one of the machines above, and sends its requests. The table shows how it uses the store. If the driver has given up a load or save, its late end changes nothing."
  }
]

const document = [
  "# The machines",
  "",
  "These diagrams are drawn from the edge tables in `packages/core/src/machine`. The text in brackets is the condition of an",
  "edge. The table under each diagram lists the same edges.",
  "",
  "If a state has no edge for an event, the machine rejects the event with `IllegalTransition`, and nothing changes. A stale",
  "event is about tokens that have been replaced, or comes from a process that has lost its lease. It changes nothing either,",
  "but is no error.",
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
