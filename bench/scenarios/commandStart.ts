/**
 * The time of `zapier-workflow-auth token` as a whole process, with a valid token in the database, compared with
 * loading `effect/Effect` alone in Node. Scripts run it whenever they need a token.
 *
 * It measures the published command, in a few files. Rounds are interleaved, and their medians compared.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as EmbeddedStores from "@zapier-workflow-auth/node-adapter/stores/EmbeddedStores"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { medianOf, spreadOf } from "../measure.ts"
import { type Report, round, say } from "../report.ts"

export const name = "command-start"

/** Rounds. */
export const calls = 15

// A slower command would be noticeable in a script's loop.
const bound = 2.5

const adapter = fileURLToPath(new URL("../../packages/node-adapter/", import.meta.url))

// Its own folder, because other processes may build the published one, or measure as well.
const folder = `command-of-bench-${process.pid}`

const bundle = Effect.acquireRelease(
  Effect.sync(() => {
    execFileSync(process.execPath, [join(adapter, "bundle.ts"), folder])
    return join(adapter, "dist", folder, "zapier-workflow-auth.js")
  }),
  () => Effect.sync(() => rmSync(join(adapter, "dist", folder), { recursive: true, force: true }))
)

const here = fileURLToPath(new URL("..", import.meta.url))

const accessToken = "an-access-token"

const grant = (now: number) =>
  ({
    _tag: "Active",
    family: "consent",
    generation: 1,
    tokens: {
      accessToken: Tokens.secret(accessToken),
      refreshToken: Tokens.secret("a-refresh-token"),
      scopes: ["zap"],
      obtainedAt: now,
      expiresAt: now + 36_000_000
    },
    responseLost: false
  }) as const

const store = Effect.fnUntraced(function* (directory: string) {
  const now = yield* Clock.currentTimeMillis
  yield* Effect.provide(
    GrantStore.use(({ compareAndSet }) =>
      compareAndSet({ clientId: "acme", subject: "ada" }, Option.none(), grant(now))
    ),
    EmbeddedStores.layer({ directory })
  )
})

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "zapier-start-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Milliseconds of a whole process. */
const timeOf = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) => {
  const began = performance.now()
  const output = execFileSync(process.execPath, args, { cwd: here, encoding: "utf8", env: { ...process.env, ...env } })
  return { millis: performance.now() - began, output }
}

export const run = Effect.fnUntraced(
  function* (rounds: number) {
    const command = yield* bundle
    const path = yield* directory
    yield* store(path)
    const env = { ZAPIER_CLIENT_ID: "acme", ZAPIER_CLIENT_SECRET: "s3cret", ZAPIER_DATA_DIRECTORY: path }
    const kinds = {
      node: () => timeOf(["--eval", "0"]),
      effect: () => timeOf(["--input-type=module", "--eval", "import 'effect/Effect'"]),
      token: () => timeOf([command, "token", "--subject", "ada"], env)
    }
    const times: { readonly [kind in keyof typeof kinds]: Array<number> } = { node: [], effect: [], token: [] }
    let printed = 0
    // The first round only warms the disk's caches.
    for (let index = 0; index <= rounds; index++) {
      for (const kind of ["node", "effect", "token"] as const) {
        const { millis, output } = kinds[kind]()
        if (index > 0) times[kind].push(millis)
        if (kind === "token" && output === `${accessToken}\n`) printed++
      }
    }
    const ratio = round(medianOf(times.token) / medianOf(times.effect), 2)
    const report: Report = {
      scenario: name,
      passed: ratio <= bound && printed === rounds + 1,
      rounds,
      printed,
      ratio,
      bound,
      millis: { node: spreadOf(times.node), effect: spreadOf(times.effect), token: spreadOf(times.token) }
    }
    say(
      `token: ${report.passed ? "within" : "beyond"} its bound: ${ratio} times import("effect/Effect"), at most ${bound}; ` +
        `medians ${spreadOf(times.token).median} ms, ${spreadOf(times.effect).median} ms, and ${spreadOf(times.node).median} ms of Node alone`
    )
    return report
  },
  Effect.scoped,
  Effect.orDie
)
