/** A web app on Effect's router, visited by browsers. */
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Library from "./library.ts"

export const origin = "https://acme.example"

export const userOf = (request: HttpServerRequest.HttpServerRequest) => Option.fromUndefinedOr(request.cookies["user"])

export const page = (body: string, status = 200) =>
  HttpServerResponse.setStatus(HttpServerResponse.html(`<!doctype html>${body}`), status)

const internalError = "Internal server error"

/** The errors of a call. */
type Failure = Effect.Error<ReturnType<typeof Library.zaps>>

/** The response of a route. */
export type Page = Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, Library.Services>

export const connectPage = page(`<a href="/connect">Connect Zapier</a>`)

export const downPage = page("<p>Your Zaps cannot be shown right now.</p>", 503)

export const listPage = (titles: ReadonlyArray<string>) =>
  page(`<ul>${titles.map((title) => `<li>${title}</li>`).join("")}</ul>`)

export const homePage = (user: string): Page =>
  Library.zaps(user).pipe(
    Effect.map(listPage),
    Effect.catchReason("ZapierAuthError", "ReconnectRequired", () => Effect.succeed(connectPage)),
    Effect.orElseSucceed(() => downPage)
  )

/** A route for a signed-in user. */
export const route = (
  method: "GET" | "POST",
  path: `/${string}`,
  show: (user: string, request: HttpServerRequest.HttpServerRequest) => Page
) =>
  HttpRouter.use((router) =>
    Effect.gen(function* () {
      const services = yield* Effect.context<Library.Services>()
      yield* router.add(method, path, (request) =>
        Option.match(userOf(request), {
          onNone: () => Effect.succeed(page("Sign in", 401)),
          onSome: (user) =>
            show(user, request).pipe(
              Effect.provideContext(services),
              // Like a router with an unhandled error.
              Effect.catchCause(() => Effect.succeed(page(internalError, 500)))
            )
        })
      )
    })
  )

/** The app for browsers. */
export const appOf = <E extends {}>(routes: Layer.Layer<never, E, HttpRouter.HttpRouter | Library.Services>) =>
  Scenario.fromRoutes({
    stores: MemoryStores.layer,
    start: Scenario.fromRouter(Layer.provide(routes, Library.layer)),
    cookies: (user) => ({ user }),
    routes: { connect: "/connect", page: "/", disconnect: { method: "POST", path: "/disconnect" } }
  })
