import { createServer } from "node:net"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { describe, expect, it } from "@effect/vitest"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as ZapierNode from "../../src/ZapierNode.ts"
import * as CommandLine from "../utils/CommandLine.ts"
import { freePort } from "../utils/freePort.ts"

/** What it says, once it serves. */
const servingWith = (env: CommandLine.Environment, port = "0") =>
  Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
    const recorder = CommandLine.recorder()
    const fiber = yield* Effect.forkScoped(CommandLine.run(["fake", "--port", port, ...args], env, recorder))
    while (!recorder.lines.stdout.includes("ZapierNode.layer")) {
      if (fiber.pollUnsafe() !== undefined) return yield* Effect.die(new Error(recorder.lines.stderr))
      yield* Effect.sleep(1)
    }
    const { stdout } = recorder.lines
    const found = (name: string) => new RegExp(`${name}[ =](\\S+)`).exec(stdout)?.[1] ?? ""
    return { fiber, stdout, found, origin: found("API +") }
  })

const serving = servingWith({})

describe("fake", () => {
  it.live("prints what an app needs to reach it, and that is all that it needs", () =>
    Effect.gen(function* () {
      const { found, origin } = yield* serving("--redirect-uri", "https://acme.example/callback")
      expect(origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      const urls = ZapierUrls.at(origin)
      expect([found("authorize +"), found("token +")]).toEqual([urls.authorize, urls.token])
      const zapier = ZapierNode.layerMemory({
        urls,
        application: {
          clientId: found("ZAPIER_CLIENT_ID"),
          clientSecret: found("ZAPIER_CLIENT_SECRET"),
          redirectUris: found("ZAPIER_REDIRECT_URIS").split(",")
        }
      })
      yield* Effect.gen(function* () {
        const auth = yield* ZapierAuth
        expect((yield* auth.appToken(["promotions:write"])).scopes).toEqual(["promotions:write"])
        const { url } = yield* auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })
        const page = yield* Effect.provide(HttpClient.get(Redacted.value(url)), NodeHttpClient.layerUndici)
        expect(page.status).toBe(200)
      }).pipe(Effect.provide(zapier))
    })
  )

  it.live("draws from the seed, and takes the client id and the redirect URIs that it is given", () =>
    Effect.gen(function* () {
      const secretOf = (...args: ReadonlyArray<string>) =>
        Effect.map(serving(...args), ({ found }) => found("ZAPIER_CLIENT_SECRET"))
      const first = yield* secretOf()
      expect(first).toMatch(/^\w{20,}$/)
      expect(yield* secretOf()).toBe(first)
      expect(yield* secretOf("--seed", "other")).not.toBe(first)
      const uris = ["https://acme.example/a", "http://127.0.0.1/b"]
      const own = yield* serving("--client-id", "acme", ...uris.flatMap((uri) => ["--redirect-uri", uri]))
      expect(own.found("ZAPIER_CLIENT_ID")).toBe("acme")
      expect(own.found("ZAPIER_REDIRECT_URIS")).toBe(uris.join(","))
    })
  )

  it.live("gives the address of its control page, which opens with what is in it and not without", () =>
    Effect.gen(function* () {
      const { found, origin } = yield* serving()
      const control = found("control +")
      expect(control.startsWith(`${origin}/_control/?token=`)).toBe(true)
      const statusOf = (url: string) => Effect.map(HttpClient.get(url), ({ status }) => status)
      yield* Effect.gen(function* () {
        expect(yield* statusOf(control)).toBe(303)
        expect(yield* statusOf(`${origin}/_control/`)).toBe(403)
        const front = yield* Effect.flatMap(HttpClient.get(origin), ({ text }) => text)
        expect(front).toContain(`${origin}/_control/`)
        expect(front).toContain(`href="${found("in a browser:\\n\\n ")}"`)
      }).pipe(Effect.provide(NodeHttpClient.layerUndici))
    })
  )

  it.live("takes the token of its control API from the environment, and keeps its app when it is reset", () =>
    Effect.gen(function* () {
      const token = "0123456789abcdef"
      const { found, origin } = yield* servingWith({ ZAPIER_FAKE_CONTROL_TOKEN: token })()
      const api = `${origin}/_control/api/`
      yield* Effect.gen(function* () {
        const reset = HttpClientRequest.bearerToken(HttpClientRequest.post(`${api}reset`), token)
        expect((yield* HttpClient.execute(reset)).status).toBe(204)
        const apps = yield* HttpClient.get(`${origin}/v1/apps?client_id=${found("ZAPIER_CLIENT_ID")}`)
        expect(apps.status).toBe(200)
      }).pipe(Effect.provide(NodeHttpClient.layerUndici))
      const weak = yield* CommandLine.run(["fake", "--port", "0"], { ZAPIER_FAKE_CONTROL_TOKEN: "weak" })
      expect([weak.code, weak.stderr]).toEqual([
        1,
        expect.stringMatching(/^error: ZAPIER_FAKE_CONTROL_TOKEN: .*16.*\n$/)
      ])
    })
  )

  it.live("gives its port back when it is stopped, and says which of its ports another has", () =>
    Effect.gen(function* () {
      const port = String(yield* Effect.promise(freePort))
      const { fiber } = yield* servingWith({}, port)("--playground-port", "0")
      for (const [flag, other] of [
        ["--port", "--playground-port"],
        ["--playground-port", "--port"]
      ] as const) {
        const second = yield* CommandLine.run(["fake", flag, port, other, "0"])
        expect([second.code, second.stdout]).toEqual([1, ""])
        expect(second.stderr).toMatch(
          new RegExp(`^error: cannot listen on 127.0.0.1:${port}\\. .* another ${flag}, .*\\n$`)
        )
      }
      yield* Fiber.interrupt(fiber)
      const probe = createServer()
      yield* Effect.callback<void>((resume) => {
        probe.listen(Number(port), "127.0.0.1", () => probe.close(() => resume(Effect.void)))
        probe.once("error", (error) => resume(Effect.die(error)))
      })
    })
  )
})
