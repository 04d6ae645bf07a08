import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as OwnRoutes from "../base/ownRoutes.ts"
import * as Case from "../case.ts"

const app = OwnRoutes.appOf({
  home: Effect.fnUntraced(function* (user, request) {
    const page = yield* OwnRoutes.routes.home(user, request)
    if (page.status !== 200) return page
    const access = yield* Effect.option(ZapierAuth.use((auth) => auth.accessToken(user)))
    if (access._tag === "None") return page
    // For the page's own scripts.
    return HttpServerResponse.setCookieUnsafe(page, "zapier", Redacted.value(access.value.accessToken), { path: "/" })
  })
})

export const bug = Case.bug(
  {
    name: "token-in-cookie",
    family: "leaks",
    wrong: "The access token is in a cookie, so that the page's scripts can call Zapier.",
    fix: "Keep tokens on the server, and send pages only the data that they need."
  },
  app
)
