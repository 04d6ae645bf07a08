import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Browser from "../base/browser.ts"
import * as OwnRoutes from "../base/ownRoutes.ts"
import * as Case from "../case.ts"

const cookie = { httpOnly: true, path: "/", sameSite: "lax", secure: true } as const

const app = OwnRoutes.appOf({
  home: (user, request) =>
    request.cookies["off"] === "1" ? Effect.succeed(Browser.connectPage) : Browser.homePage(user),
  connect: (user, request) =>
    Effect.map(OwnRoutes.routes.connect(user, request), HttpServerResponse.setCookieUnsafe("off", "0", cookie)),
  disconnect: () => Effect.succeed(HttpServerResponse.setCookieUnsafe(OwnRoutes.redirect("/"), "off", "1", cookie))
})

export const bug = Case.bug(
  {
    name: "disconnected-here-only",
    family: "browsers",
    wrong: "Disconnecting only sets a cookie in this browser: the app keeps the tokens, and other browsers use them.",
    fix: "Remove the stored grant, for all browsers of the user."
  },
  app
)
