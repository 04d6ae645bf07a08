/** The routes of the playground. They serve only this machine, and only their own pages may press buttons. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as PubSub from "effect/PubSub"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as ZapierConnect from "../../ZapierConnect.ts"
import * as Origin from "../../internal/connect/origin.ts"
import type * as Actions from "./freePlay/actions.ts"
import type { FreePlay } from "./freePlay/freePlay.ts"
import * as FreePlayPage from "./freePlay/freePlayPage.ts"
import * as World from "./freePlay/world.ts"
import * as Page from "./page.ts"
import type { Playing } from "./stories/playing.ts"
import { sources } from "./stories/source.ts"
import * as StoriesPage from "./stories/storiesPage.ts"

export interface Options {
  readonly freePlay: FreePlay
  readonly playing: Playing
  readonly changes: PubSub.PubSub<void>
  /** The addresses of the playground and of the fake. */
  readonly origin: string
  readonly fakeOrigin: string
  readonly redirectUri: string
  /** The address of the fake's control page, with its token. */
  readonly control: Redacted.Redacted
}

const html = (page: Page.Page) =>
  HttpServerResponse.text(Page.html(page), { headers: Page.headers, contentType: "text/html; charset=utf-8" })

const text = (status: number, words: string) => HttpServerResponse.text(words, { status })

const refused = text(403, "Open this page by the address that was printed at the start.")

export const layer = ({
  changes,
  control,
  fakeOrigin,
  freePlay,
  origin,
  playing,
  redirectUri
}: Options): Layer.Layer<never, ZapierAuthError, HttpRouter.HttpRouter> => {
  const { host } = new URL(origin)

  const stories = Effect.gen(function* () {
    const runs = yield* playing.runs
    return html({ path: "/", body: StoriesPage.body(runs, yield* sources), news: StoriesPage.newsOf(runs) })
  })

  const play = Effect.gen(function* () {
    const sides = yield* freePlay.sides
    return html({
      path: "/play",
      body: FreePlayPage.body(sides, { origin, fakeOrigin }),
      news: FreePlayPage.newsOf(sides)
    })
  }).pipe(Effect.orDie)

  /** Actions that only the playground's own pages may request. Without a script, the browser goes back to its page. */
  const post = (
    path: `/${string}`,
    backTo: (name: string) => string,
    act: (name: string) => Effect.Effect<Actions.Pressed>
  ) =>
    HttpRouter.add(
      "POST",
      path,
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        if (!Origin.isOwnPost(request, [origin])) return refused
        const { name = "" } = yield* HttpRouter.params
        const pressed = yield* act(name)
        if (pressed._tag === "Unknown") return text(404, "The playground has no such button.")
        if (request.headers["sec-fetch-mode"] === "navigate") {
          return HttpServerResponse.redirect(backTo(name), { status: 303 })
        }
        return pressed._tag === "Done" ? HttpServerResponse.empty({ status: 204 }) : text(409, pressed.why)
      })
    )

  const events = HttpServerResponse.stream(
    // Send an event at once, because something may have happened since the page was loaded.
    Stream.concat(
      Stream.make("data: now\n\n"),
      Stream.map(Stream.fromPubSub(changes), () => "data: now\n\n")
    ).pipe(Stream.encodeText),
    { contentType: "text/event-stream", headers: { "Cache-Control": "no-store" } }
  )

  const signedIn = Layer.succeed(ZapierConnect.SignedIn, { subject: () => Effect.succeedSome(World.subject) })

  return Layer.mergeAll(
    HttpRouter.add("GET", "/", stories),
    HttpRouter.add("GET", "/play", play),
    HttpRouter.add("GET", "/events", events),
    HttpRouter.add(
      "GET",
      "/control",
      HttpServerResponse.redirect(Redacted.value(control), {
        status: 303,
        headers: { "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" }
      })
    ),
    post(
      "/stories/:name",
      (name) => `/#${name}`,
      (name) => Effect.map(playing.play(name), (isKnown) => (isKnown ? { _tag: "Done" } : { _tag: "Unknown" }))
    ),
    post("/actions/:name", () => "/play", freePlay.press),
    ZapierConnect.layer({ redirectUri, scopes: World.scopes, returnTo: "/play" }).pipe(
      Layer.provide([signedIn, Layer.succeedContext(freePlay.services)])
    ),
    HttpRouter.use((router) =>
      router.addGlobalMiddleware((effect) =>
        Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          // A page of another origin may have a host name that resolves to this machine (DNS rebinding).
          if (request.headers["host"] !== host) return refused
          return yield* Effect.provideService(effect, Clock.Clock, freePlay.clock)
        })
      )
    )
  )
}
