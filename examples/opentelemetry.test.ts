import { createServer } from "node:http"
import { text } from "node:stream/consumers"
import type { AddressInfo } from "node:net"
import { expect, it } from "@effect/vitest"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { countZaps, telemetry } from "./opentelemetry.ts"

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

/** An OTLP collector over HTTP in JSON, which keeps what it gets. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly received: Map<string, string>; readonly close: () => void }>(
    (resume) => {
      const received = new Map<string, string>()
      const server = createServer((request, response) => {
        text(request).then(
          (body) => {
            received.set(request.url ?? "", `${received.get(request.url ?? "") ?? ""}${body}\n`)
            response.writeHead(200, { "content-type": "application/json" }).end("{}")
          },
          () => response.destroy()
        )
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, received, close }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

// A clock that stands still: the exporter has a few seconds to end.
it.effect("opentelemetry.ts exports spans and metrics of the library, and no secret", () =>
  Effect.gen(function* () {
    const { received, url } = yield* collector
    const fake = FakeZapier.make({ apps: [app] })
    const httpClient = Layer.provide(FakeZapier.layerHttpClient, Layer.succeed(FakeZapier.FakeZapier, fake))
    const secrets = new Set(["s3cret"])
    const program = Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const begun = Redacted.value((yield* auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })).url)
      const callback = yield* fake.approve(begun)
      for (const part of [begun, callback]) {
        for (const name of ["code", "state"]) secrets.add(new URL(part).searchParams.get(name) ?? "s3cret")
      }
      yield* auth.handleCallback(callback, { subject: "ada" })
      yield* countZaps("ada")
      // The 401 that follows leads to a refresh and a replay.
      for (const { accessToken } of yield* fake.issued) yield* fake.endAccessToken(accessToken)
      expect(yield* countZaps("ada")).toBe(200)
    })
    // The rest is exported when the layer closes.
    yield* program.pipe(
      Effect.provide(Layer.provideMerge(ZapierNode.layerMemory({ application: app, httpClient }), telemetry(url)))
    )
    for (const { accessToken, refreshToken } of yield* fake.issued) {
      secrets.add(accessToken)
      if (refreshToken !== undefined) secrets.add(refreshToken)
    }

    const traces = received.get("/v1/traces") ?? ""
    for (const span of ["countZaps", "ZapierHttpClient.call", "ZapierAuth.handleCallback", "TokenEndpoint.request"]) {
      expect(traces).toContain(`"name":"${span}"`)
    }
    for (const [key, value] of [
      ["mode", "User"],
      ["endpoint", "GET /v2/zaps"],
      ["outcome", "2xx"]
    ]) {
      expect(traces).toContain(`{"key":"${key}","value":{"stringValue":"${value}"}}`)
    }
    const metrics = received.get("/v1/metrics") ?? ""
    for (const metric of [
      "zapier_auth_calls",
      "zapier_auth_token_requests",
      "zapier_auth_unauthorized",
      "zapier_auth_replays"
    ]) {
      expect(metrics).toContain(`"name":"${metric}"`)
    }
    expect(secrets.size).toBeGreaterThan(5)
    const all = [...received.values()].join("")
    for (const secret of secrets) expect(all.includes(secret), "a secret was exported").toBe(false)
  })
)
