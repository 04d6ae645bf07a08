import * as Effect from "effect/Effect"
import * as Browser from "../base/browser.ts"
import * as Library from "../base/library.ts"
import * as OwnRoutes from "../base/ownRoutes.ts"
import * as Case from "../case.ts"

const app = OwnRoutes.appOf({
  home: (user) =>
    Library.zaps(user).pipe(
      Effect.map(Browser.listPage),
      Effect.orElseSucceed(() => Browser.connectPage)
    )
})

export const bug = Case.bug(
  {
    name: "connect-for-everything",
    family: "messages to users",
    wrong: "For every error, the page asks the user to connect Zapier.",
    fix: "Ask for it only if the error requires it; otherwise ask to try later."
  },
  app
)
