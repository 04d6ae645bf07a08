/** The playground over HTTP, on loopback, for as long as the scope lasts. */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type { FakeZapier } from "@zapier-workflow-auth/testing/FakeZapier"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Routes from "./routes.ts"
import * as World from "./world.ts"

/** Where it is going to be. */
export interface Listening {
  readonly origin: string
  readonly redirectUri: string
  readonly server: Context.Context<HttpServer.HttpServer>
}

/** Takes a port, before anybody is told of it. 0 is any that is free. */
export const listen = Effect.fnUntraced(function* (port: number) {
  const server = yield* Layer.build(
    NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port, gracefulShutdownTimeout: "1 second" })
  )
  const origin = HttpServer.formatAddress(Context.get(server, HttpServer.HttpServer).address)
  const listening: Listening = { origin, redirectUri: `${origin}/zapier/callback`, server }
  return listening
})

export const { clientId } = World

/** What is to be registered with the fake. */
export const app = ({ redirectUri }: Listening) => ({
  name: "Acme Notes",
  clientId,
  redirectUris: [redirectUri]
})

export interface Options {
  readonly fake: FakeZapier["Service"]
  /** Where the fake is, over HTTP. */
  readonly fakeOrigin: string
  /** Default: 900 milliseconds, see `World.Options`. */
  readonly slowMotion?: Duration.Duration
}

export const serve = Effect.fnUntraced(function* (
  { origin, redirectUri, server }: Listening,
  { fake, fakeOrigin, slowMotion = Duration.millis(900) }: Options
) {
  const world = yield* World.make({ fake, origin: fakeOrigin, redirectUri, slowMotion })
  yield* Layer.build(
    HttpRouter.serve(Routes.layer({ world, origin, redirectUri }), {
      disableLogger: true,
      disableListenLog: true
    }).pipe(Layer.provide(Layer.succeedContext(server)))
  )
})
