/** What a program that makes no typed call does not load. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { expect, it } from "@effect/vitest"

const program = `
import { registerHooks } from "node:module"
const loaded = []
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
const { make } = await import(${JSON.stringify(new URL("../src/ZapierPromise.ts", import.meta.url).href)})
const app = { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/zapier/callback"] }
const fetch = async () => Response.json({ next: null, previous: null, count: 0, objects: [] })
const zapier = make({ application: app, stores: "memory", fetch })
const definitions = () => loaded.filter((url) => /http-api|zapier\\/ZapierApi|zapier\\/api\\//.test(url)).length
const status = await zapier.fetch("/v1/categories")
const before = definitions()
const listed = await zapier.categories.list()
console.log(JSON.stringify([status.ok, before, listed.ok, definitions() > 10]))
await zapier.close()
`

it("the definitions of endpoints are loaded by the first typed call", async () => {
  const args = ["--input-type=module", "--eval", program]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(JSON.parse(stdout)).toEqual([true, 0, true, true])
})
