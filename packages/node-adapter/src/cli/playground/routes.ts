/** The sample app of the playground over HTTP. It is for the own machine, and its buttons for its own page. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as ZapierConnect from "../../ZapierConnect.ts"
import * as Origin from "../../internal/connect/origin.ts"
import * as Actions from "./actions.ts"
import * as Page from "./page.ts"
import * as World from "./world.ts"

export interface Options {
  readonly world: World.World
  /** Where the sample app is. */
  readonly origin: string
  readonly redirectUri: string
}

const html = (text: string) =>
  HttpServerResponse.text(text, { headers: Page.headers, contentType: "text/html; charset=utf-8" })

const refused = HttpServerResponse.empty({ status: 403 })

export const layer = ({
  origin,
  redirectUri,
  world
}: Options): Layer.Layer<never, ZapierAuthError, HttpRouter.HttpRouter> => {
  const { host } = new URL(origin)

  const shown = Effect.gen(function* () {
    const [entries, lit, status] = [yield* world.entries, yield* world.lit, yield* world.status]
    return { entries, lit, status, now: world.millis() }
  }).pipe(Effect.orDie)

  const press = (request: HttpServerRequest.HttpServerRequest) =>
    Effect.gen(function* () {
      if (!Origin.isOwnPost(request, [origin])) return refused
      const { name = "" } = yield* HttpRouter.params
      const isKnown = yield* Effect.orDie(Actions.press(world, name))
      if (!isKnown) return HttpServerResponse.empty({ status: 404 })
      // Without a script, the browser goes back to the page.
      return request.headers["sec-fetch-mode"] === "navigate"
        ? HttpServerResponse.redirect("/", { status: 303 })
        : HttpServerResponse.empty({ status: 204 })
    })

  const events = HttpServerResponse.stream(
    // At once, so that what happened since the page was made is shown.
    Stream.concat(
      Stream.make("data: now\n\n"),
      Stream.map(world.changes, () => "data: now\n\n")
    ).pipe(Stream.encodeText),
    { contentType: "text/event-stream", headers: { "Cache-Control": "no-store" } }
  )

  const signedIn = Layer.succeed(ZapierConnect.SignedIn, { subject: () => Effect.succeedSome(World.subject) })

  return Layer.mergeAll(
    HttpRouter.add(
      "GET",
      "/",
      Effect.map(shown, (now) => html(Page.whole(now)))
    ),
    HttpRouter.add(
      "GET",
      "/live",
      Effect.map(shown, (now) => html(Page.live(now)))
    ),
    HttpRouter.add("GET", "/events", events),
    HttpRouter.add("POST", "/actions/:name", press),
    ZapierConnect.layer({ redirectUri, scopes: ["profile", "zap"] }).pipe(
      Layer.provide([signedIn, Layer.succeedContext(world.services)])
    ),
    HttpRouter.use((router) =>
      router.addGlobalMiddleware((effect) =>
        Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          // A page of another origin may have a name that leads here.
          if (request.headers["host"] !== host) return refused
          return yield* Effect.provideService(effect, Clock.Clock, world.clock)
        })
      )
    )
  )
}
