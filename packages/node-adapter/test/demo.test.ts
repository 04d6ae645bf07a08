import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { isBuiltin } from "node:module"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, expect, it, vi } from "@effect/vitest"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"
import { rolldown } from "rolldown"
import * as Scenario from "../demo/scenario.ts"
import * as CommandLine from "./utils/CommandLine.ts"
import * as TerminalPicture from "./utils/terminalPicture.ts"

const main = new URL("../demo/main.ts", import.meta.url).pathname

const demo = (env: Record<string, string> = {}) =>
  Effect.gen(function* () {
    const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const child = yield* spawner.spawn(
      ChildProcess.make(process.execPath, [main], { env: { ...inherited, ...env }, extendEnv: false })
    )
    const output = yield* Stream.mkString(Stream.decodeText(child.all))
    return { output, exitCode: yield* child.exitCode }
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const escape = "\u001B["

describe("npm start", () => {
  it.live("shows the three modes, each step as it should be, and no secret", () =>
    Effect.gen(function* () {
      const { exitCode, output } = yield* demo()
      expect(output).not.toContain("FAILED")
      expect(exitCode).toBe(0)
      for (const line of [
        "UserGrant: Absent -> Active by ConsentGranted (generation 1)",
        "UserGrant: Refreshing -> Active by RefreshSucceeded (generation 2)",
        "ConsentAttempt: Pending -> Denied",
        "AppCredential: Requesting -> Active",
        "ClientId: Unconfirmed -> Accepted",
        "GET /v2/zaps [Bearer] -> 401",
        "refresh_token=REDACTED",
        "code=REDACTED",
        "state=REDACTED",
        "DELETE /v2/promotions/"
      ]) {
        expect(output).toContain(line)
      }
      // In plain where it is no terminal, and nothing that could be a secret.
      expect(output).not.toContain(escape)
      expect(output).not.toMatch(/(code|state|token|secret|verifier)=(?!REDACTED)/i)
      expect(output).not.toContain("To reach the real Zapier")
      expect(output.split("\n").filter((line) => line.length > 80)).toEqual([])
    })
  )

  it.live("is in color where color is asked for", () =>
    Effect.gen(function* () {
      const { exitCode, output } = yield* demo({ FORCE_COLOR: "1" })
      expect(exitCode).toBe(0)
      expect(output).toContain(escape)
    })
  )

  it.live("is what the picture in the README shows", () =>
    Effect.gen(function* () {
      const { output } = yield* demo({ FORCE_COLOR: "1" })
      // The first two steps. The port is another on each run.
      const [begin = ""] = output.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:9270").split(/(?=\n\n[^\n]*3\. )/)
      const picture = TerminalPicture.draw("npm start", [...begin.split("\n"), "", "…"])
      yield* Effect.promise(() => expect(picture).toMatchFileSnapshot("../../../docs/images/start.svg"))
    })
  )

  it.live("says how to reach the real Zapier when there are credentials, and does not show them", () =>
    Effect.gen(function* () {
      const { exitCode, output } = yield* demo({
        ZAPIER_CLIENT_ID: "client-1",
        ZAPIER_CLIENT_SECRET: "s3cret",
        ZAPIER_REDIRECT_URIS: "https://acme.example/callback"
      })
      expect(exitCode).toBe(0)
      expect(output).toContain("To reach the real Zapier")
      expect(output).not.toContain("s3cret")
    })
  )

  it.live("says so when a step does not do what it should", () => {
    const printed: Array<string> = []
    const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => printed.push(String(text)) > 0)
    // Here ten hours are not the end of an access token.
    const fake = FakeZapier.layer({ settings: { accessTokenLifetime: 72_000 } })
    const layer = FakeZapier.layerServer.pipe(
      Layer.provideMerge(fake),
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
    )
    return Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      expect(yield* Scenario.run(HttpServer.formatAddress(address))).toBe(false)
      expect(printed.join("")).toMatch(/FAILED 2\. Ten hours pass.*\n\s+failed: the grant is Active, generation 2/)
    }).pipe(Effect.provide(layer), Effect.ensuring(Effect.sync(() => write.mockRestore())))
  })

  it("imports only what it installs: production dependencies, and those of the workspace itself", async () => {
    const read = (file: string) => JSON.parse(readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8"))
    const manifests = ["", "packages/core/", "packages/node-adapter/", "packages/testing/"].map((folder) =>
      read(`${folder}package.json`)
    )
    const installed = new Set(manifests.flatMap(({ dependencies = {} }) => Object.keys(dependencies)))
    // They are loaded for a store in one of these databases, which neither the story nor the playground has.
    for (const optional of ["@effect/sql-pg", "redis"]) installed.add(optional)
    const outside = new Set<string>()
    const bundle = await rolldown({
      input: [
        "../demo/main.ts",
        "../src/cli/run/browserThread.ts",
        "../src/cli/playground/stories/storyProcess.ts"
      ].map((file) => new URL(file, import.meta.url).pathname),
      platform: "node",
      external: (id) => {
        const name = /^(?:@[^/]+\/)?[^./][^/]*/.exec(id)?.[0]
        if (name === undefined || name === "@zapier-workflow-auth" || isBuiltin(id)) return false
        outside.add(name)
        return !name.startsWith("@zapier-workflow-auth/")
      }
    })
    await bundle.generate()
    await bundle.close()
    expect(outside).toContain("effect")
    expect([...outside].filter((name) => !installed.has(name))).toEqual([])
  })

  it.live("serves the page on which people see it work, until it is stopped", () =>
    Effect.gen(function* () {
      const running = CommandLine.start(["--serve", "--port", "0"], {}, undefined, main)
      const said = yield* running.said("stdout", "login --fake")
      const url = /Watch a sample app use it, in a browser:\s+(\S+)/.exec(said)?.[1] ?? ""
      const page = yield* Effect.flatMap(HttpClient.get(url), (response) => response.text)
      expect(page).toContain("Zapier playground")
      running.child.kill("SIGINT")
      expect((yield* running.ended).stderr).toBe("")
    }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp))
  )
})
