/**
 * `npm run packaging`, after a build: packs the packages, looks at what is in them, installs them by npm into an empty
 * project, type checks and runs it there on each Node that is said to do, and in a runtime without Node. Ends with 1 when
 * something is wrong.
 */
import { deepStrictEqual, match } from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Consumer from "./consumer.ts"
import * as Tarballs from "./tarballs.ts"

let failed = 0

const check = async (what: string, run: () => Promise<void>) => {
  try {
    await run()
    process.stdout.write(`ok      ${what}\n`)
  } catch (error) {
    failed++
    process.stdout.write(`FAILED  ${what}\n${error instanceof Error ? error.message : String(error)}\n\n`)
  }
}

const folder = await mkdtemp(join(tmpdir(), "packaging-"))
try {
  const tarballs = Tarballs.pack(folder)
  for (const tarball of tarballs) {
    await check(`${tarball.name}: what is in it, its types and its manifest`, async () =>
      deepStrictEqual(await Tarballs.problemsOf(tarball), [])
    )
  }

  const consumer = await Consumer.install(join(folder, "consumer"), tarballs)
  await check("a project compiles with it, with NodeNext and with bundler resolution", async () =>
    deepStrictEqual(await consumer.typeErrors(), [])
  )

  const statuses = [200, 200, 404, 200]
  const command = "node_modules/.bin/zapier-workflow-auth"
  for (const node of Consumer.nodes) {
    await check(`the three modes on Node ${node}`, async () => {
      const { stderr, stdout } = await consumer.onNode(node, "out/main.js")
      deepStrictEqual(JSON.parse(stdout || JSON.stringify(stderr)), { statuses, state: "Active", isLayer: true })
    })
    await check(`the command on Node ${node}`, async () => {
      const { code, stdout } = await consumer.onNode(node, command, "scopes", "GET /v2/zaps")
      deepStrictEqual([code, stdout.trim()], [0, "zap"])
    })
  }
  await check(`the command says which Node it needs, on Node ${Consumer.tooOld}`, async () => {
    const { code, stderr } = await consumer.onNode(Consumer.tooOld, command, "--help")
    deepStrictEqual(code, 1)
    match(stderr, /^[^\n]*22\.19[^\n]*\n$/)
  })

  await check("the three modes in a worker, where there is no Node", async () =>
    deepStrictEqual(await consumer.inWorker(), statuses)
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}

process.exitCode = failed === 0 ? 0 : 1
