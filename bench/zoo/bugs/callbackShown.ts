import * as Effect from "effect/Effect"
import * as Browser from "../base/browser.ts"
import * as Library from "../base/library.ts"
import * as OwnRoutes from "../base/ownRoutes.ts"
import * as Case from "../case.ts"

const app = OwnRoutes.appOf({
  callback: (user, { url }) =>
    Library.app.comeBack(url, user).pipe(
      Effect.as(OwnRoutes.redirect("/")),
      Effect.catch(({ message }) => Effect.succeed(Browser.page(`<p>${message}</p><small>${url}</small>`, 400)))
    )
})

export const bug = Case.bug(
  {
    name: "callback-shown",
    family: "leaks",
    wrong: "The error page of a failed callback shows its URL, including the code, for a support ticket.",
    fix: "Show a number that also appears in the log, and no part of the URL."
  },
  app
)
