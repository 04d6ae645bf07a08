/**
 * The time of a function from the start of its process to the first token of a user whose grant is stored, encrypted,
 * in each store: with the published, bundled facade, and with its separate modules. Compared with an empty Node
 * program, and with one that imports the modules of `effect` that the facade needs for that store. Rounds are
 * interleaved, and their medians compared.
 */
import { execFileSync, spawn } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Clock from "effect/Clock"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { rolldown } from "rolldown"
import * as Database from "../database.ts"
import { medianOf, spreadOf } from "../measure.ts"
import * as PostgresProxy from "../postgresProxy.ts"
import * as RedisServer from "../../packages/node-adapter/test/utils/RedisServer.ts"
import { type Report, round, say } from "../report.ts"

export const name = "cold-start"

/** Rounds. */
export const calls = 7

// Relative to importing the modules of Effect.
const bound = 1.5

const adapter = fileURLToPath(new URL("../../packages/node-adapter/", import.meta.url))

const application = {
  clientId: "acme",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/zapier/callback"]
}

const encryption = btoa("0123456789abcdef0123456789abcdef")

const accessToken = "an-access-token"

/** A module, and its arguments. */
const programOf = (module: string, stores: unknown) => `
  import { make } from ${JSON.stringify(pathToFileURL(module).href)}
  const zapier = make(${JSON.stringify({ application, stores, encryption })})
  const token = await zapier.accessToken("ada")
  process.stdout.write(token.ok ? token.value.accessToken : token.error.message, () => process.exit())
`

// Its own folder, because other processes may build the published one, or measure as well.
const folder = `bundled-of-bench-${process.pid}`

const bundle = Effect.acquireRelease(
  Effect.sync(() => {
    execFileSync("tsc", ["-b", adapter])
    execFileSync(process.execPath, [join(adapter, "bundleFacade.ts"), folder])
    return join(adapter, "dist", folder, "ZapierPromise.js")
  }),
  () => Effect.sync(() => rmSync(join(adapter, "dist", folder), { recursive: true, force: true }))
)

/** The modules of `effect` that the program loads, found by the names of its lazy imports. */
const effectModules = async (onDemand: RegExp): Promise<ReadonlyArray<string>> => {
  const built = await rolldown({
    cwd: adapter,
    input: "src/bundled/ZapierPromise.ts",
    platform: "node",
    logLevel: "silent",
    external: ["undici", "redis"]
  })
  const { output } = await built.generate({ format: "esm" })
  await built.close()
  const chunks = new Map(output.flatMap((part) => (part.type === "chunk" ? [[part.fileName, part] as const] : [])))
  const loaded = new Set<string>()
  const load = (fileName: string) => {
    const chunk = chunks.get(fileName)
    if (chunk === undefined || loaded.has(fileName)) return
    loaded.add(fileName)
    for (const imported of chunk.imports) load(imported)
    for (const imported of chunk.dynamicImports) if (onDemand.test(chunks.get(imported)?.name ?? "")) load(imported)
  }
  for (const [fileName, chunk] of chunks) if (chunk.isEntry) load(fileName)
  const modules = [...loaded].flatMap((fileName) => chunks.get(fileName)?.moduleIds ?? [])
  return modules.filter((id) => id.includes("/node_modules/effect/dist/"))
}

const importing = (modules: ReadonlyArray<string>) =>
  modules.map((id) => `import ${JSON.stringify(pathToFileURL(id).href)}`).join("\n")

interface Run {
  readonly millis: number
  readonly output: string
}

const published = new URL("../published.ts", import.meta.url).href

/** Runs a whole process. */
const runOf = async (program: string, ...flags: ReadonlyArray<string>): Promise<Run> => {
  const began = performance.now()
  const child = spawn(process.execPath, [...flags, "--input-type=module", "--eval", program], {
    cwd: adapter,
    stdio: ["ignore", "pipe", "inherit"]
  })
  const exited = new Promise((resolve) => child.once("close", resolve))
  const output = await text(child.stdout)
  await exited
  return { millis: performance.now() - began, output }
}

const keys = KeyRing.layer([encryption]).pipe(
  Layer.provide([Aead.layerWebCrypto, Digest.layerWebCrypto]),
  Layer.provide(SecureRandom.layerWebCrypto)
)

const store = Effect.fnUntraced(function* (database: Database.Database) {
  const now = yield* Clock.currentTimeMillis
  const tokens = {
    accessToken: Tokens.secret(accessToken),
    refreshToken: Tokens.secret("a-refresh-token"),
    scopes: ["zap"],
    obtainedAt: now,
    expiresAt: now + 36_000_000
  }
  const grant = { _tag: "Active", family: "consent", generation: 1, tokens, responseLost: false } as const
  const key = { clientId: application.clientId, subject: "ada" }
  yield* GrantStore.use(({ compareAndSet }) => compareAndSet(key, Option.none(), grant)).pipe(
    Effect.provide(EncryptedStores.layer),
    Effect.provide([Database.stores(database), keys])
  )
})

const kinds = ["node", "effect", "bundled", "modules"] as const

const measure = Effect.fnUntraced(function* (
  database: Database.Database,
  { bundled, modules, rounds }: { readonly bundled: string; readonly modules: string; readonly rounds: number }
) {
  yield* store(database)
  const stores = (url?: string) =>
    database.kind === "sqlite"
      ? { directory: database.directory }
      : database.kind === "redis"
        ? { redis: database.url }
        : { postgres: url ?? database.url }
  const onDemand = {
    sqlite: /Embedded|Encrypt|Sql|KeyRing/,
    postgres: /Postgres|Pg|Encrypt|SqlStores|KeyRing/,
    redis: /Redis|Encrypt|KeyRing/
  }[database.kind]
  const needed = yield* Effect.promise(() => effectModules(onDemand))
  const programs = {
    node: "0",
    effect: importing(needed),
    bundled: programOf(bundled, stores()),
    modules: programOf(modules, stores())
  }
  const times: { readonly [kind in (typeof kinds)[number]]: Array<number> } = {
    node: [],
    effect: [],
    bundled: [],
    modules: []
  }
  let tokens = 0
  // The first round only warms the disk's caches.
  for (let index = 0; index <= rounds; index++) {
    for (const kind of kinds) {
      const flags = kind === "modules" ? ["--import", published] : []
      const { millis, output } = yield* Effect.promise(() => runOf(programs[kind], ...flags))
      if (index > 0) times[kind].push(millis)
      if (output === accessToken) tokens++
      else if (output !== "") say(`${kind}: ${output}`)
    }
  }
  const counted = yield* Effect.promise(async () => {
    if (database.kind !== "postgres") return {}
    const proxy = await PostgresProxy.start(database.url)
    await runOf(programOf(bundled, stores(proxy.url)))
    await proxy.close()
    return proxy.counts()
  })
  const ratio = round(medianOf(times.bundled) / medianOf(times.effect), 2)
  const passed = ratio <= bound && tokens === 2 * (rounds + 1)
  say(
    `${database.kind}: ${passed ? "within" : "beyond"} its bound: ${ratio} times the import of ${needed.length} modules of effect, at most ${bound}; ` +
      `medians: ${kinds.map((kind) => `${kind} ${round(medianOf(times[kind]))} ms`).join(", ")}`
  )
  return {
    passed,
    ratio,
    effectModules: needed.length,
    tokens,
    ...counted,
    millis: Object.fromEntries(kinds.map((kind) => [kind, spreadOf(times[kind])]))
  }
})

export const run = Effect.fnUntraced(
  function* (rounds: number) {
    const bundled = yield* bundle
    const modules = join(adapter, "dist/ZapierPromise.js")
    const options = { bundled, modules, rounds }
    const sqlite = yield* Effect.scoped(Effect.flatMap(Database.make("sqlite"), (made) => measure(made, options)))
    const postgres = yield* Effect.scoped(Effect.flatMap(Database.make("postgres"), (made) => measure(made, options)))
    // A machine may have no Redis server; the other two bring their own.
    const none = RedisServer.find()
    if (typeof none === "string") say(`skipped Redis: ${none}`)
    const redis =
      typeof none === "string"
        ? undefined
        : yield* Effect.scoped(Effect.flatMap(Database.make("redis"), (made) => measure(made, options)))
    const report: Report = {
      scenario: name,
      passed: [sqlite, postgres, redis].every((measured) => measured?.passed !== false),
      rounds,
      bound,
      sqlite,
      postgres,
      redis: redis ?? "skipped"
    }
    return report
  },
  Effect.scoped,
  Effect.orDie
)
