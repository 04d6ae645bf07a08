/**
 * `npm start`: the three ways in, over real HTTP against the fake. Exits with 0 only if every step succeeded.
 *
 * `npm start -- --serve`: the fake, and a page that shows what a sample app does with it, until stopped. Other flags are those of
 * the command `fake`.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { config } from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { run } from "../src/cli/main.ts"
import * as Scenario from "./scenario.ts"
import * as Transcript from "./transcript.ts"

const layerFake = FakeZapier.layerServer.pipe(
  Layer.provideMerge(FakeZapier.layer()),
  Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
)

const forRealZapier = Effect.gen(function* () {
  yield* config
  Transcript.say("")
  Transcript.title("Your own credentials are set")
  Transcript.say(
    [
      "This run used the fake all the same. To reach the real Zapier, leave the layer at its defaults:",
      "",
      '   import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"',
      "",
      "   program.pipe(Effect.provide(ZapierNode.layer()))",
      "",
      "It reads ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET and ZAPIER_REDIRECT_URIS, and talks to api.zapier.com",
      "and zapier.com. The redirect URI must be registered (Developer Platform: Embed, Settings, Redirect URIs)",
      "and lead to a route of yours that calls handleCallback."
    ].join("\n")
  )
}).pipe(Effect.ignore)

const story = Effect.gen(function* () {
  const server = yield* HttpServer.HttpServer
  const succeeded = yield* Scenario.run(HttpServer.formatAddress(server.address))
  yield* forRealZapier
  Transcript.say("")
  Transcript.say("Next: npm start -- --serve shows it in a browser, step by step.")
  Transcript.say("docs/getting-started.md begins with your own app.")
  if (!succeeded) process.exitCode = 1
}).pipe(Effect.provide(layerFake))

const [flag, ...flags] = process.argv.slice(2)

const serve = Effect.flatMap(run(["fake", ...flags], "demo"), (code) =>
  Effect.sync(() => void (process.exitCode = code))
)

NodeRuntime.runMain(flag === "--serve" ? Effect.provide(serve, NodeServices.layer) : story)
