import * as OwnRoutes from "../base/ownRoutes.ts"
import * as Case from "../case.ts"

const app = OwnRoutes.appOf({ callback: OwnRoutes.comeBack })

export const bug = Case.bug(
  {
    name: "login-of-another-browser",
    family: "callback",
    wrong: "A callback connects the user who began to connect, whichever browser opens it.",
    fix: "Set a cookie when a login begins, and accept the callback only in the browser that has it."
  },
  app
)
