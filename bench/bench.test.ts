import { execFileSync } from "node:child_process"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as RedisServer from "../packages/node-adapter/test/utils/RedisServer.ts"
import * as Command from "./command.ts"
import * as Bundle from "./scenarios/bundle.ts"

const bench = (...args: ReadonlyArray<string>) => Command.run("main.ts", args)

// The output and exit code of a scenario: one line on stdout and nothing else.
const report = async (
  ...args: ReadonlyArray<string>
): Promise<{ readonly code: number | null; readonly line: unknown }> => {
  const { code, stdout } = await bench(...args)
  expect(stdout).toMatch(/^[^\n]+\n$/)
  return { code, line: JSON.parse(stdout) }
}

describe("npm run bench", () => {
  it.concurrent("storm: one refresh for each expiry, and no call fails", async () => {
    const round = { calls: 200, tokenRequests: 1, failedCalls: 0 }
    expect(await report("storm", "--calls", "200")).toMatchObject({
      code: 0,
      line: {
        scenario: "storm",
        passed: true,
        calls: 400,
        tokenRequests: 2,
        failedCalls: 0,
        rounds: [round, round]
      }
    })
  })

  it.concurrent("late-401: one refresh for all 401s, and no call fails", async () => {
    expect(await report("late-401", "--calls", "200")).toMatchObject({
      code: 0,
      line: { scenario: "late-401", passed: true, calls: 200, unauthorized: 200, tokenRequests: 1, failedCalls: 0 }
    })
  })

  it.concurrent("app-storm: one token for all calls, and no call fails", async () => {
    expect(await report("app-storm", "--calls", "200")).toMatchObject({
      code: 0,
      line: { scenario: "app-storm", passed: true, calls: 200, tokenRequests: 1, failedCalls: 0 }
    })
  })

  // Times and memory are for the benchmark. The tests check that scenarios run, count right, and exit correctly.
  it.each([
    [
      "grants",
      5_000,
      { grants: 5_000, memoryCapacity: 500, bounded: { liveTokens: 500 }, unbounded: { liveTokens: 5_000 } }
    ],
    ["mixed", 40, { calls: 240, tokenRequests: 6, failedCalls: 0, p99Ratio: expect.any(Number) }],
    ["command-start", 1, { rounds: 1, printed: 2 }],
    [
      "cold-start",
      1,
      {
        sqlite: { tokens: 4 },
        postgres: { tokens: 4, connections: 1, statements: 2 },
        redis: typeof RedisServer.find() === "string" ? "skipped" : { tokens: 4 }
      }
    ],
    ["overhead", 2, { calls: 2 * 340 }],
    [
      "fake-flows",
      20,
      { flows: 20, flowsPerSecond: { fake: expect.any(Number), "oauth2-mock-server": expect.any(Number) } }
    ]
  ])("%s: counts what it does, and exits as it says", async (scenario, calls, counts) => {
    const { code, line } = await report(scenario, "--calls", String(calls))
    expect(line).toMatchObject({ scenario, ...counts })
    expect(line).toHaveProperty("passed", code === 0)
  })

  it.effect("bundle: what a program does not use is not in it", () =>
    Effect.gen(function* () {
      const { modules } = yield* Bundle.bundle(Bundle.program)
      const used = [...modules].flatMap(([module, bytes]) => (bytes > 0 ? [module] : []))
      const has = (name: string) => used.filter((module) => module.endsWith(name)).length
      // Proves that modules are found by these names.
      expect(has("/effect/dist/Schema.js")).toBe(1)
      expect(has("/core/src/machine/UserGrant.ts")).toBe(1)
      // Modules that read the environment, and those that read and write records.
      const unused = ["Config", "ConfigProvider", "internal/schema/toCodec", "persistence/RateLimiter"]
      expect(unused.filter((name) => has(`/effect/dist/${name}.js`) > 0)).toEqual([])
      const features = ["AuthEvent", "ProblemDetails", "internal/inClear", "zapier/RateLimits"]
      const whiteLabel = [
        "WhiteLabel",
        "internal/whiteLabel",
        "machine/WhiteLabelToken",
        "oauth/TokenExchange",
        "whitelabel/PartnerKey",
        "whitelabel/PartnerSigner"
      ]
      expect(whiteLabel.filter((name) => has(`/core/src/${name}.ts`) > 0)).toEqual([])
      expect(["Signature", "KeyFormat"].filter((name) => has(`/effect/dist/crypto/${name}.js`) > 0)).toEqual([])
      expect(features.filter((name) => has(`/core/src/${name}.ts`) > 0)).toEqual([])
    })
  )

  it.effect("bundle: the index does not load what few programs use and is large", () =>
    Effect.gen(function* () {
      const { imports } = yield* Bundle.bundle(Bundle.barrel, { isAlone: true })
      expect(imports).toContain("effect/http/HttpClient")
      const large = /^effect\/(?:http-api\/|persistence\/|http\/Http(?:Router|Server))/
      expect([...imports].filter((name) => large.test(name))).toEqual([])
    })
  )

  // Finding and reading files is nearly all that an import costs beyond the modules of Effect.
  it.effect.each([
    ["core", 80],
    ["core/ZapierAuth", 64],
    ["node-adapter/ZapierNode", 73]
  ] as const)("import: %s loads at most %i modules of the library", ([module, most]) =>
    Effect.map(Bundle.loadedBy(`@zapier-workflow-auth/${module}`), (loaded) => {
      expect(loaded.filter((path) => path.endsWith("core/src/ZapierAuth.ts"))).toHaveLength(1)
      expect(loaded.length).toBeLessThanOrEqual(most)
    })
  )

  it.each(["core", "node-adapter/ZapierNode"])("import: %s does not load the fetch of Node", (module) => {
    const loaded = (program: string) => {
      const listed = `${program}; console.log(process.moduleLoadList.join("\\n"))`
      const args = ["--input-type=module", "--eval", listed]
      return execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" }).split("\n")
    }
    const itsFetch = (program: string) => loaded(program).filter((name) => name.endsWith("internal/deps/undici/undici"))
    // Proves that it is found where it is loaded.
    expect(itsFetch("globalThis.Headers")).toHaveLength(1)
    expect(itsFetch(`await import("@zapier-workflow-auth/${module}")`)).toEqual([])
  })

  it.effect("bundle: stays within what it may weigh", () =>
    Effect.map(Bundle.run(), (report) => expect(report).toMatchObject({ passed: true }))
  )

  it.concurrent.each([["nonsense"], ["storm", "--calls", "none"]])(
    "says how it is used when it is not: %s",
    async (...args) => {
      const { code, stderr, stdout } = await bench(...args)
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
      expect(stderr).toMatch(/^usage: [^\n]+\n$/)
    }
  )
})
