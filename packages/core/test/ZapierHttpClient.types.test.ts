/** What the compiler says of a call that is wrong: one sentence, with the word that is wrong. */
import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"

const core = fileURLToPath(new URL("../src", import.meta.url))
const base = fileURLToPath(new URL("../../../tsconfig.test.json", import.meta.url))

// Each call, and what is said of it. What is fine is said nothing of.
const calls: ReadonlyArray<readonly [call: string, said: string | undefined]> = [
  [`client.call("GET /v1/apps")`, undefined],
  [`client.call("GET /v1/apps", { urlParams: { category: "crm" } })`, undefined],
  [`client.call("GET /v1/categories", { credential: ada })`, undefined],
  [`client.call("GET /v2/apps", { credential: Credential.clientId })`, undefined],
  [`client.call("POST /v2/zaps", { credential: ada, json: { data: {} } })`, undefined],
  [`client.call("DELETE /v2/zaps/{id}", { credential: ada, path: { id: "1" } })`, undefined],
  [`client.call("GET /v2/zaps", options)`, undefined],
  [`client.call(either, { credential: ada })`, undefined],
  [
    `client.call("GET /v2/zap", { credential: ada })`,
    `Argument of type '"GET /v2/zap"' is not assignable to parameter of type '"GET /v2/zap is not in the endpoint table"'.`
  ],
  [
    `client.call("GET /v2/zaps")`,
    `Argument of type '"GET /v2/zaps"' is not assignable to parameter of type '"GET /v2/zaps needs the option credential: Credential.user(subject)"'.`
  ],
  [
    `client.call("GET /v2/zaps", { urlParams: { limit: 1 } })`,
    `Argument of type '"GET /v2/zaps"' is not assignable to parameter of type '"GET /v2/zaps needs the option credential: Credential.user(subject)"'.`
  ],
  [
    `client.call("GET /v2/zaps", { credential: Credential.app() })`,
    `Argument of type '"GET /v2/zaps"' is not assignable to parameter of type '"GET /v2/zaps takes no credential of App"'.`
  ],
  [
    `client.call("DELETE /v2/zaps/{id}", { credential: ada })`,
    `Argument of type '"DELETE /v2/zaps/{id}"' is not assignable to parameter of type '"DELETE /v2/zaps/{id} needs the path parameter id"'.`
  ],
  [
    `client.call("DELETE /v2/zaps/{id}", { credential: ada, path: { zap: "1" } })`,
    `Argument of type '"DELETE /v2/zaps/{id}"' is not assignable to parameter of type '"DELETE /v2/zaps/{id} has no path parameter zap"'.`
  ],
  [
    `client.call("GET /v2/zaps", { credential: ada, query: {} })`,
    `Argument of type '"GET /v2/zaps"' is not assignable to parameter of type '"GET /v2/zaps takes no option query"'.`
  ],
  [
    `client.call("GET /v2/zaps", { credential: "ada" })`,
    `Type 'string' is not assignable to type 'Credential | undefined'.`
  ],
  // An editor lists the same names while one is being typed, and no sentences.
  [
    `client.call(text)`,
    `Argument of type 'string' is not assignable to parameter of type '"DELETE /v2/authentications/{authentication_id}" | "DELETE`
  ],
  [`api.zaps.list({ subject: "ada" })`, undefined],
  [`api.zaps.list.items({ subject: "ada", query: { "inputs[form]": "1" } })`, undefined],
  [`api.apps.list({ credential: Credential.clientId })`, undefined],
  [`api.categories.list()`, undefined],
  [`api.zaps.lst({ subject: "ada" })`, `Property 'lst' does not exist on type`],
  [`api.zaps.list()`, `Expected 1 arguments, but got 0.`],
  [`api.zaps.list({ subject: "ada", query: { limit: "1" } })`, `Type 'string' is not assignable to type 'number'.`],
  [`api.profiles.me.items({ subject: "ada" })`, `Property 'items' does not exist on type`],
  [
    `api.zaps.list({ credential: Credential.clientId })`,
    `Type 'ClientId' is not assignable to type 'User | WhiteLabel | undefined'.`
  ],
  [
    `api.zaps.remove({ subject: "ada", params: { zap: "1" } })`,
    `Object literal may only specify known properties, and 'zap' does not exist in type '{ readonly id: string; }'.`
  ]
]

const preamble = [
  `import * as Credential from "${core}/zapier/Credential.ts"`,
  `import type { ZapierApiClient } from "${core}/zapier/ZapierApiClient.ts"`,
  `import type { CallOptions, ZapierHttpClient } from "${core}/ZapierHttpClient.ts"`,
  `declare const client: ZapierHttpClient["Service"]`,
  `declare const api: ZapierApiClient["Service"]`,
  `declare const options: CallOptions<"GET /v2/zaps">`,
  `declare const text: string`,
  `declare const either: "GET /v2/zaps" | "GET /v1/zaps"`,
  `export const ada = Credential.user("ada")`
]

describe("the types of calls", () => {
  let folder = ""
  let said = new Map<number, string>()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "types-"))
    const lines = [...preamble, ...calls.map(([call], index) => `export const call${index} = () => ${call}`)]
    await writeFile(join(folder, "calls.mts"), `${lines.join("\n")}\n`)
    const compilerOptions = { types: [], skipLibCheck: true }
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: base, compilerOptions, include: ["calls.mts"] })
    )
    const output = await promisify(execFile)("tsc", ["-p", folder, "--noEmit", "--pretty", "false"]).then(
      () => "",
      ({ stdout }: { readonly stdout: string }) => stdout
    )
    // What is said of a line, with what is said in more words below it.
    const found = output.matchAll(/^\S*calls\.mts\((\d+),\d+\): error TS\d+: (.*(?:\n .*)*)/gm)
    said = new Map([...found].map(([, line, text = ""]) => [Number(line), text]))
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each(calls.map(([call, expected], index) => [call, expected, index] as const))("%s", (_, expected, index) => {
    const text = said.get(preamble.length + index + 1)
    if (expected === undefined) expect(text).toBeUndefined()
    else expect(text).toContain(expected)
  })

  it("say no more of a raw call than one line", () => {
    const ofCalls = [...said].filter(([line]) => calls[line - preamble.length - 1]?.[0].startsWith("client.call"))
    for (const [, text] of ofCalls) expect(text.split("\n")).toHaveLength(1)
  })
})
