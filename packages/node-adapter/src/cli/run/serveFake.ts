/** `fake`: serves a fake Zapier and a sample app on loopback, until it is stopped. */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import { FakeControlError } from "@zapier-workflow-auth/testing/fake/FakeControl"
import * as FakeControlServer from "@zapier-workflow-auth/testing/fake/FakeControlServer"
import type * as FakeState from "@zapier-workflow-auth/testing/fake/FakeState"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import * as Playground from "../playground/serve.ts"
import * as Application from "../application.ts"
import * as Output from "../output.ts"
import { Refused } from "../refused.ts"
import * as Variable from "../../internal/variable.ts"

export interface Input {
  readonly port: number
  readonly playgroundPort: Option.Option<number>
  readonly seed: string
  readonly clientId: Option.Option<string>
  readonly redirectUris: ReadonlyArray<string>
}

// For an app under development, and for `login`.
const defaultRedirectUris = ["http://localhost:3000/zapier/callback", Application.defaultRedirectUri]

// Registered at the start, so that a reset keeps them.
const fake = ({ clientId, redirectUris, seed }: Input, playground: Playground.Listening) =>
  Layer.effect(
    FakeZapier.FakeZapier,
    Effect.try({
      try: () =>
        FakeZapier.make({
          seed,
          apps: [
            {
              name: "Your app",
              clientId: Option.getOrUndefined(clientId),
              redirectUris: redirectUris.length > 0 ? redirectUris : defaultRedirectUris
            },
            Playground.app(playground)
          ]
        }),
      catch: (error) =>
        new Refused({
          why: "InvalidConfig",
          problem: error instanceof FakeControlError ? error.problem : String(error)
        })
    })
  )

const control = ({ controlled, origin }: Playground.Listening) =>
  Layer.unwrap(
    Effect.map(Variable.secret("ZAPIER_FAKE_CONTROL_TOKEN"), (token) =>
      FakeControlServer.layer({
        token: Option.getOrUndefined(token),
        links: [{ name: "Playground", url: `${origin}/` }],
        onAction: (words) => PubSub.publish(controlled, words)
      })
    )
  )

const originOf = Effect.map(HttpServer.HttpServer, ({ address }) => HttpServer.formatAddress(address))

/** The addresses of a running fake, and its app. */
export interface Serving {
  readonly origin: string
  /** The address of the control page, with its token. */
  readonly control: string
  readonly playground: string
  readonly app: Pick<FakeState.App, "clientId" | "clientSecret" | "redirectUris">
}

type Begun = (serving: Serving) => Effect.Effect<void, Refused | Output.ReaderGone, Stdio.Stdio>

const serving = Effect.fnUntraced(function* (playground: Playground.Listening) {
  const control = yield* FakeControlServer.FakeControlServer
  const { apps } = yield* (yield* FakeZapier.FakeZapier).state
  const app = [...HashMap.values(apps)].find(({ clientId }) => clientId !== Playground.clientId)
  if (app === undefined) return yield* Effect.die(new Error("the fake has no app"))
  const origin = yield* originOf
  return { origin, control: Redacted.value(control.url), playground: playground.origin, app } satisfies Serving
})

const announce = ({ app, control, origin, playground }: Serving) => {
  const urls = ZapierUrls.at(origin)
  return Output.result(
    {
      origin,
      playground: `${playground}/`,
      control,
      clientId: app.clientId,
      clientSecret: app.clientSecret,
      redirectUris: app.redirectUris
    },
    `A fake Zapier runs at ${origin} until you press Ctrl-C.

Watch a sample app use it, in a browser:

  ${playground}/

Endpoints, and the control page:

  authorize  ${urls.authorize}
  token      ${urls.token}
  API        ${urls.api}
  control    ${control}

Variables for your app:

  ZAPIER_CLIENT_ID=${app.clientId}
  ZAPIER_CLIENT_SECRET=${app.clientSecret}
  ZAPIER_REDIRECT_URIS=${app.redirectUris.join(",")}

For the library without Effect, set ZAPIER_FAKE=${origin}. With Effect:

  ZapierNode.layer({ urls: ZapierUrls.at("${origin}") })

For the command line, with the variables above:

  zapier-workflow-auth login --fake ${origin}`
  )
}

const cannotListen = (port: number, flag: string) => () =>
  new Refused({
    why: "CannotListen",
    problem: `cannot listen on 127.0.0.1:${port}. Another fake or program may use the port. Give another ${flag}, or 0 for any free port.`
  })

const listen = ({ port }: Input) =>
  NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port, gracefulShutdownTimeout: "1 second" })

// The HTTP server brings a Stdio of its own. Commands write to the outer one.
const serve = Effect.fnUntraced(function* (playground: Playground.Listening, stdio: Stdio.Stdio, begun: Begun) {
  const fake = yield* FakeZapier.FakeZapier
  const { url } = yield* FakeControlServer.FakeControlServer
  yield* Playground.serve(playground, { fake, fakeOrigin: yield* originOf, control: url })
  yield* Effect.provideService(begun(yield* serving(playground)), Stdio.Stdio, stdio)
  return yield* Effect.never
})

/**
 * Serves until it is stopped.
 *
 * @param begun runs once the fake serves
 */
export const serveFakeAnd = Effect.fnUntraced(function* (input: Input, begun: Begun) {
  const port = Option.getOrElse(input.playgroundPort, () => (input.port === 0 ? 0 : 9272))
  const playground = yield* Effect.catchTag(
    Playground.listen(port),
    "ServeError",
    cannotListen(port, "--playground-port")
  )
  return yield* serve(playground, yield* Stdio.Stdio, begun).pipe(
    Effect.provide(
      control(playground).pipe(
        Layer.provide(SecureRandom.layerWebCrypto),
        Layer.provideMerge(fake(input, playground)),
        Layer.provideMerge(listen(input))
      )
    ),
    Effect.catchTags({
      FakeControlError: ({ problem }) =>
        new Refused({ why: "InvalidConfig", problem: `ZAPIER_FAKE_CONTROL_TOKEN: ${problem}` }),
      ServeError: cannotListen(input.port, "--port")
    })
  )
}, Effect.scoped)

export const serveFake = (input: Input) => serveFakeAnd(input, announce)
