/** Serves the playground over HTTP, on the loopback interface, until its scope closes. */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as FreePlay from "./freePlay/freePlay.ts"
import * as World from "./freePlay/world.ts"
import * as Routes from "./routes.ts"
import * as Playing from "./stories/playing.ts"
import { servers } from "./stories/stories.ts"

/** The reserved address. */
export interface Listening {
  readonly origin: string
  readonly redirectUri: string
  readonly server: Context.Context<HttpServer.HttpServer>
  /** Gets a sentence for each action on the fake's control page. */
  readonly controlled: PubSub.PubSub<string>
}

const loopback = (port: number) =>
  NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port, gracefulShutdownTimeout: "1 second" })

const originOf = (server: Context.Context<HttpServer.HttpServer>) =>
  HttpServer.formatAddress(Context.get(server, HttpServer.HttpServer).address)

/** Reserves a port before its address is published. 0 stands for any free port. */
export const listen = Effect.fnUntraced(function* (port: number) {
  const server = yield* Layer.build(loopback(port))
  const origin = originOf(server)
  const controlled = yield* PubSub.unbounded<string>()
  return { origin, redirectUri: `${origin}/zapier/callback`, server, controlled } satisfies Listening
})

export const { clientId } = World

/** The app to register with the fake. */
export const app = ({ redirectUri }: Listening) => ({
  name: "Acme Notes",
  clientId,
  redirectUris: [redirectUri]
})

export interface Options {
  readonly fake: FakeZapier.FakeZapier["Service"]
  /** The address of the fake. */
  readonly fakeOrigin: string
  /** The address of the fake's control page, with its token. */
  readonly control: Redacted.Redacted
  /** Default: 900 milliseconds, see `World.Options`. */
  readonly slowMotion?: Duration.Duration
}

/** A second fake, which treats used refresh tokens differently. */
const serveLenient = Effect.fnUntraced(function* (listening: Listening) {
  const fake = FakeZapier.make({ settings: servers.Lenient.settings, apps: [app(listening)] })
  const server = yield* Layer.build(
    FakeZapier.layerServer.pipe(
      Layer.provide(Layer.succeed(FakeZapier.FakeZapier, fake)),
      Layer.provideMerge(loopback(0))
    )
  )
  return { fake, origin: originOf(server) }
})

export const serve = Effect.fnUntraced(function* (
  listening: Listening,
  { control, fake, fakeOrigin, slowMotion = Duration.millis(900) }: Options
) {
  const { controlled, origin, redirectUri, server } = listening
  const changes = yield* PubSub.sliding<void>(1)
  const changed = PubSub.publish(changes, undefined)
  const freePlay = yield* FreePlay.make({
    strict: { fake, origin: fakeOrigin },
    lenient: yield* serveLenient(listening),
    redirectUri,
    slowMotion,
    changed
  })
  const playing = yield* Playing.make(changed)
  yield* Stream.runForEach(Stream.fromPubSub(controlled), freePlay.controlled).pipe(
    Effect.ignore,
    Effect.forkScoped({ startImmediately: true })
  )
  yield* Layer.build(
    HttpRouter.serve(Routes.layer({ changes, control, fakeOrigin, freePlay, origin, playing, redirectUri }), {
      disableLogger: true,
      disableListenLog: true
    }).pipe(Layer.provide(Layer.succeedContext(server)))
  )
})
