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
    family: "what users are told",
    wrong: "Whatever goes wrong, the page says that Zapier has to be connected.",
    fix: "Say so only for an error that needs it, and else ask to try later."
  },
  app
)
