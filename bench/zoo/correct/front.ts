/** Web apps for browsers. */
import * as ConnectRoutes from "../base/connectRoutes.ts"
import * as OwnRoutes from "../base/ownRoutes.ts"
import * as Case from "../case.ts"

export const cases: ReadonlyArray<Case.Case> = [
  Case.correct("own-routes", OwnRoutes.appOf()),
  Case.correct("connect-routes", ConnectRoutes.app)
]
