import * as OwnRoutes from "../base/ownRoutes.ts"
import * as Case from "../case.ts"

const app = OwnRoutes.appOf({ callback: OwnRoutes.comeBack })

export const bug = Case.bug(
  {
    name: "login-of-another-browser",
    family: "callback",
    wrong: "A callback is taken for the user who began to connect, in whatever browser it is opened.",
    fix: "Set a cookie where a login begins, and take the callback only in the browser that has it."
  },
  app
)
