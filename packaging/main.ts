/**
 * `npm run packaging`: builds and packs the packages as docs/getting-started.md says, and follows that page to its end. It
 * checks the packages' contents, installs them with npm into an empty project, and type-checks and runs it on each
 * supported Node, on Bun and Deno, and in a runtime without Node. Then it installs them as for production, and checks the
 * dependencies and their SBOM.
 * Exits with 1 if something is wrong.
 */
import { deepStrictEqual, match, ok } from "node:assert/strict"
import { accessSync, constants } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Audit from "./audit.ts"
import * as Bundled from "./bundled.ts"
import * as Consumer from "./consumer.ts"
import * as GettingStarted from "./gettingStarted.ts"
import * as Node from "./node.ts"
import * as Production from "./production.ts"
import * as Sbom from "./sbom.ts"
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

// A registry without an audit, or without a response, counts as no finding.
const audited = async (what: string, project: string) => {
  const audit = await Audit.audit(project)
  if (audit._tag === "Silent") process.stdout.write(`skipped the audit of ${what}: ${audit.why}\n`)
  else await check(`the audit of ${what}: nothing high or critical`, async () => deepStrictEqual(audit.findings, []))
}

const root = join(import.meta.dirname, "..")

const command = "node_modules/.bin/zapier-workflow-auth"

const commandFolder = "node_modules/@zapier-workflow-auth/node-adapter/dist/command"

const folder = await mkdtemp(join(tmpdir(), "packaging-"))
try {
  await GettingStarted.makeTarballs()
  for (const node of Node.versions) {
    await check(`docs/getting-started.md, followed to the letter on Node ${node}`, async () => {
      const { manifest, printed, said } = await GettingStarted.follow(join(folder, node), node)
      deepStrictEqual(printed, said)
      ok(said.length >= 3, "the page shows what each of its programs prints")
      ok(manifest.type !== "module", "npm init makes a CommonJS project")
    })
  }

  const tarballs = Tarballs.packedIn(Tarballs.folder)
  for (const tarball of tarballs) {
    await check(`${tarball.name}: its contents, its types and its manifest`, async () =>
      deepStrictEqual(await Tarballs.problemsOf(tarball), [])
    )
  }

  const consumer = await Consumer.install(join(folder, "consumer"), tarballs)
  await check("a project compiles with it, with NodeNext and with bundler resolution", async () =>
    deepStrictEqual(await consumer.typeErrors(), [])
  )

  const statuses = [200, 200, 404, 200]
  for (const node of Node.versions) {
    await check(`the three modes on Node ${node}`, async () => {
      const { stderr, stdout } = await consumer.onNode(node, "out/main.js")
      deepStrictEqual(JSON.parse(stdout || JSON.stringify(stderr)), { statuses, state: "Active", areLayers: true })
    })
    await check(`a CommonJS module on Node ${node}`, async () => {
      const { stderr, stdout } = await consumer.onNode(node, "commonjs.cjs")
      match(stdout || stderr, /^\{.*"connected":true/)
    })
    await check(`the command on Node ${node}`, async () => {
      const { code, stdout } = await consumer.onNode(node, command, "scopes", "GET /v2/zaps")
      deepStrictEqual([code, stdout.trim()], [0, "zap"])
    })
  }
  for (const { args, name, version } of Node.compatible) {
    const path = await Node.pathOf(name, version).catch(({ message }: Error) => new Error(message))
    if (path instanceof Error) {
      process.stdout.write(`skipped ${name} ${version}: its npm package does not run here: ${path.message}\n`)
      continue
    }
    await check(`the three modes on ${name} ${version}`, async () => {
      const { stderr, stdout } = await consumer.on(path, ...args, "out/main.js")
      deepStrictEqual(JSON.parse(stdout || JSON.stringify(stderr)), { statuses, state: "Active", areLayers: true })
    })
    await check(`a CommonJS module on ${name} ${version}`, async () => {
      const { stderr, stdout } = await consumer.on(path, ...args, "commonjs.cjs")
      match(stdout || stderr, /^\{.*"connected":true/)
    })
  }
  await check(`the command says which Node it needs, on Node ${Node.tooOld}`, async () => {
    const { code, stderr } = await consumer.onNode(Node.tooOld, command, "--help")
    deepStrictEqual(code, 1)
    match(stderr, /^[^\n]*22\.19[^\n]*\n$/)
  })

  await check("the three modes in a worker, where there is no Node", async () =>
    deepStrictEqual(await consumer.inWorker(), statuses)
  )

  const production = await Production.install(join(folder, "production"), tarballs, Consumer.effect)
  const { megabytes, names } = production
  await check(`a production install: ${names.length} packages, ${megabytes} MB`, async () => {
    deepStrictEqual(
      names.filter((name) => !(name in Production.expected)),
      []
    )
    const documented = Production.documented()
    ok(names.length <= documented.packages, `docs/operating.md says ${documented.packages} packages`)
    // Newer versions may be slightly larger.
    ok(megabytes <= documented.megabytes * 1.1, `docs/operating.md says ${documented.megabytes} MB`)
  })
  await check("of which none runs anything when it is installed", async () => deepStrictEqual(production.scripts(), []))
  const postgres = "PostgresClient: the package @effect/sql-pg is not installed; run: npm install @effect/sql-pg"
  const redis = "RedisClient: the package redis is not installed; run: npm install redis"
  for (const node of Node.versions) {
    await check(`the library, installed like this, on Node ${node}`, async () => {
      const { stderr, stdout } = await production.runOn(node, "main.ts")
      deepStrictEqual(JSON.parse(stdout || JSON.stringify(stderr)), {
        state: "Absent",
        body: '"there and back"',
        postgres,
        redis,
        bundled: "StoreFailed"
      })
    })
    await check(`its command on Node ${node}: help, a diagnosis where there is nothing, the fake`, async () => {
      const help = await production.runOn(node, command, "--help")
      deepStrictEqual([help.code, help.stdout.includes("Serve a fake Zapier")], [0, true])
      const doctor = await production.runOn(node, command, "doctor")
      deepStrictEqual(doctor.code, 1)
      match(doctor.stdout, /^failed {2}client application: client id and secret: missing\. Set ZAPIER_CLIENT_ID$/m)
      match(
        await production.runUntil(node, "ZapierNode.layer", command, "fake", "--port", "0"),
        /playground|sample app/
      )
    })
  }
  await check("what login starts a browser with on Linux can be run", async () =>
    accessSync(join(production.folder, commandFolder, "chunks/xdg-open"), constants.X_OK)
  )
  await audited("the production install", production.folder)
  const bundled = Bundled.packagesOf(join(production.folder, "node_modules/@zapier-workflow-auth/node-adapter"))
  await audited("the packages in the bundles", Audit.projectOf(join(folder, "bundled"), bundled))
  await check("the SBOM lists what is installed and what is bundled, with licenses", async () =>
    deepStrictEqual(Sbom.problemsOf(Sbom.make(root), Sbom.bundledIn(root)), [])
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}

process.exitCode = failed === 0 ? 0 : 1
