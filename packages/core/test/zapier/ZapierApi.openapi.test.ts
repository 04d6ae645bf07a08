/** Where `ZapierApi` differs from Zapier's OpenAPI description of 2024, and why. */
import { readFileSync } from "node:fs"
import { assert, describe, expect, it } from "@effect/vitest"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Operation from "../../src/zapier/Operation.ts"
import { ZapierApi } from "../../src/zapier/ZapierApi.ts"
import * as JsonSchemas from "../utils/JsonSchemas.ts"

type Facts = ReadonlyArray<string>

const described: ReadonlyMap<string, Facts> = new Map(
  readFileSync(new URL("./partner-api-2024.11.0.txt", import.meta.url), "utf8")
    .replaceAll(/^#.*\n/gm, "")
    .trim()
    .split("\n\n")
    .map((block) => {
      const [name = "", ...facts] = block.split("\n").map((line) => line.trim())
      return [name, facts]
    })
)

const spec = OpenApi.fromApi(ZapierApi)

const definitions = spec.components.schemas as JsonSchemas.Definitions

interface Content {
  readonly content?: { readonly [type: string]: { readonly schema: JsonSchemas.JsonSchema } }
}

const members = (place: string, part: unknown): Facts => {
  const schema = (part as Content | undefined)?.content?.["application/json"]?.schema
  return schema === undefined ? [] : JsonSchemas.lines(schema, definitions).map((line) => `${place} ${line}`)
}

// The same facts, read off the definitions.
const defined = (operation: Operation.Name): Facts => {
  const [method = "", path = ""] = Operation.table[operation].split(" ")
  const found = spec.paths[path as `/${string}`]?.[method.toLowerCase() as "get"]
  assert.isDefined(found, operation)
  const statuses = Object.keys(found.responses)
  return [
    ...found.parameters.map(({ in: place, name, required }) => `${place} ${name}${required ? "" : "?"}`),
    ...members("body", found.requestBody),
    ...members("response", found.responses[200] ?? found.responses[201]),
    ...statuses.map((status) => `status ${status}`)
  ]
}

const inQuery = (member: string) => [`- query ${member}?`]

const freeform = (...members: ReadonlyArray<string>) => members.map((member) => `+ response ${member}`)

const links = ["links.next? null|string", "links.prev? null|string"]

const meta = ["meta.count? number", "meta.limit? null|number", "meta.offset? number"]

const editor = "html_editor? string"

// What is otherwise, and why.
const known: { readonly [operation in Operation.Name]?: { readonly [reason: string]: Facts } } = {
  "apps.list": {
    "its links and numbers have members in the examples only": freeform(
      "links.next? null|string",
      "links.previous? null|string",
      ...meta
    )
  },
  "apps.listV1": {
    "described as text; the first and last page have no such link": [
      "- response prev_url string",
      "- response next_url string",
      "+ response prev_url? null|string",
      "+ response next_url? null|string"
    ]
  },
  "apps.listWhitelabel": { "its links and numbers are described as objects": freeform(...links, ...meta) },
  "zaps.list": {
    "a parameter for each input, by its key": inQuery("inputs"),
    "its links and numbers are described as objects": freeform(...links, ...meta, `data[].links.${editor}`)
  },
  "zaps.listV1": { "a parameter for each input, by its key": inQuery("params__{{KEY}}") },
  "zaps.create": { "its links are described as an object": freeform(`links.${editor}`) },
  "actions.inputs": {
    "described as one field by name and as a list by its words": [
      ...(described.get("POST /v2/actions/{action_id}/inputs") ?? [])
        .filter((fact) => fact.startsWith("response data[].fields"))
        .map((fact) => `- ${fact}`),
      "+ response data[].fields? any"
    ]
  }
}

// Zapier's page of errors has these for all endpoints.
const errors = ["400", "404", "500"].map((status) => `+ status ${status}`)

// Another success than the described one is taken as well.
const success = ["200", "201"].map((status) => `+ status ${status}`)

const diff = (theirs: Facts, ours: Facts): Facts => [
  ...theirs.filter((fact) => !ours.includes(fact)).map((fact) => `- ${fact}`),
  ...ours.filter((fact) => !theirs.includes(fact)).map((fact) => `+ ${fact}`)
]

describe("ZapierApi beside Zapier's OpenAPI description", () => {
  const operations = Operation.names.filter((operation) => described.has(Operation.table[operation]))

  it("has all that is described there, but the consent page", () => {
    const names = [...operations.map((operation): string => Operation.table[operation]), "GET /v2/authorize"]
    expect(names.sort()).toEqual([...described.keys()].sort())
  })

  it.each(operations)("%s differs where it is known to", (operation) => {
    const found = diff(described.get(Operation.table[operation]) ?? [], defined(operation))
    const expected = Object.values(known[operation] ?? {}).flat()
    expect(found.filter((fact) => !errors.includes(fact) && !success.includes(fact)).sort()).toEqual(
      [...expected].sort()
    )
  })
})
