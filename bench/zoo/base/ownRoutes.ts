/** A correct web app with its own routes over the library. Bugs override one route. */
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Browser from "./browser.ts"
import * as Library from "./library.ts"

/** A route: the page for a signed-in user. */
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

// A cookie marks the browser that began to connect.
const isBegunHere = ({ cookies, url }: HttpServerRequest.HttpServerRequest) =>
  cookies["login"] !== undefined && cookies["login"] === stateOf(url)

/** Accepts a callback for the signed-in user, in any browser. */
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

/** The app, with some routes replaced. */
export const appOf = (changed: Partial<Routes> = {}) => {
  const { callback, connect, disconnect, home } = { ...routes, ...changed }
  // Any other failure is a page that says so.
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
