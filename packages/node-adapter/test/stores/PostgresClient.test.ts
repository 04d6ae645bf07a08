import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as PostgresClient from "../../src/stores/PostgresClient.ts"

// As if the driver was not installed: Node looks for a package of another name, and fails by itself.
const withoutDriver = `import { registerHooks } from "node:module"
registerHooks({
  resolve: (name, context, next) => next(name.replace(/^@effect\\/sql-pg(?=\\/|$)/, "@effect/sql-pg-absent"), context)
})`

const absent = fileURLToPath(new URL("../fixtures/absentDriver.ts", import.meta.url))

const built = (options: PostgresClient.Options) => Effect.scoped(Layer.build(PostgresClient.layer(options)))

describe("PostgresClient", () => {
  it.effect.each<readonly [unknown, string]>([
    ["", "it is empty"],
    [undefined, "it is missing"],
    [42, "it is not text"],
    ["nonsense", "it must begin with postgres://"],
    ["mysql://a:s3cret@127.0.0.1:1/x", "it must begin with postgres://"],
    ["postgres://a:s3cret@127.0.0.1:1/x\n", "it begins or ends with white space"],
    [" postgres://a:s3cret@127.0.0.1:1/x", "it begins or ends with white space"],
    ["postgres://a:s3cret@127.0.0.1:port/x", "it cannot be parsed"],
    ["postgres://a:s3cret%zz@127.0.0.1:1/x", "its user name or password is not percent-encoded"]
  ])("refuses %j: %s", ([url, problem]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(built({ url: Redacted.make(url as string) }))
      expect(error.reason).toMatchObject({ _tag: "InvalidConfig", setting: "url" })
      expect(error.message).toContain(`url: ${problem}`)
      expect(error.message).not.toContain("s3cret")
    })
  )

  it.effect.each([
    "postgres://a:s3cret@127.0.0.1:1/x",
    "postgresql://a@[::1]/x?sslmode=require",
    "postgres://a:p%40ss@%2Fvar%2Frun%2Fpostgresql/x",
    "postgres:///x?host=/var/run/postgresql",
    "socket:/var/run/postgresql?db=x"
  ])("takes %s, and asks nobody yet", (url) => Effect.asVoid(built({ url: Redacted.make(url) })))

  it.effect.each([
    [{}, "it is not set"],
    [{ DATABASE_URL: "nonsense" }, "it must begin with postgres://"]
  ] as const)("names the variable: %j", ([env, problem]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(PostgresClient.layerConfig())))
      expect(error.message).toContain(`DATABASE_URL: ${problem}`)
    }).pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env })))
  )

  it("says what to install when its driver is absent, and is imported all the same", () => {
    const hook = `--import=data:text/javascript,${encodeURIComponent(withoutDriver)}`
    const said = JSON.parse(execFileSync(process.execPath, [hook, absent], { encoding: "utf8" }))
    const error = { reason: "InvalidConfig", message: expect.stringContaining("npm install @effect/sql-pg") }
    expect(said).toEqual({ made: error, layer: error, facade: error })
  })
})
