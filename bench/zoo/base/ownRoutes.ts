/** A web app with routes of its own over the library: correct. Bugs override one route. */
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Browser from "./browser.ts"
import * as Library from "./library.ts"

/** A route: what it shows a user who is signed in. */
export type Route = (user: string, request: HttpServerRequest.HttpServerRequest) => Browser.Page

export interface Routes {
  readonly home: Route
  readonly connect: Route
  readonly callback: Route
  readonly disconnect: Route
}

export const redirect = (to: string) => HttpServerResponse.redirect(to, { status: 303 })

const triedInVain = Browser.page(`<p>That did not work.</p><a href="/connect">Try again</a>`, 400)

const stateOf = (url: string) => new URL(url, Browser.origin).searchParams.get("state") ?? ""

// The browser that began to connect has a cookie that says so.
const isBegunHere = ({ cookies, url }: HttpServerRequest.HttpServerRequest) =>
  cookies["login"] !== undefined && cookies["login"] === stateOf(url)

/** Takes a callback for the user who is signed in, whatever the browser is. */
export const comeBack: Route = (user, { url }) =>
  Library.app.comeBack(url, user).pipe(
    Effect.as(redirect("/")),
    Effect.orElseSucceed(() => triedInVain)
  )

export const routes: Routes = {
  home: Browser.homePage,
  connect: (user) =>
    Effect.map(Library.app.logIn(user), (url) =>
      HttpServerResponse.setCookieUnsafe(redirect(url), "login", stateOf(url), {
        httpOnly: true,
        maxAge: "10 minutes",
        path: "/callback",
        sameSite: "lax",
        secure: true
      })
    ),
  callback: (user, request) => (isBegunHere(request) ? comeBack(user, request) : Effect.succeed(triedInVain)),
  disconnect: (user) => Effect.as(Library.app.disconnect(user), redirect("/"))
}

/** The app, with other routes in the place of some. */
export const appOf = (changed: Partial<Routes> = {}) => {
  const { callback, connect, disconnect, home } = { ...routes, ...changed }
  // Whatever else fails is a page that says so.
  const orDown =
    (route: Route): Route =>
    (user, request) =>
      Effect.orElseSucceed(route(user, request), () => Browser.downPage)
  return Browser.appOf(
    Layer.mergeAll(
      Browser.route("GET", "/", orDown(home)),
      Browser.route("GET", "/connect", orDown(connect)),
      Browser.route("GET", "/callback", orDown(callback)),
      Browser.route("POST", "/disconnect", orDown(disconnect))
    )
  )
}
