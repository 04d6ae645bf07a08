import type { Row } from "../base/database.ts"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override rowOf(response: ByHand.Granted, before: Row | undefined): Row {
    return { ...super.rowOf(response, before), refreshToken: before?.refreshToken ?? response.refreshToken }
  }
}

export const bug = Case.bug(
  {
    name: "refresh-token-kept",
    family: "refresh",
    wrong: "After a refresh the app stores the new access token with the old refresh token.",
    fix: "Store the refresh token of each response, and keep the old one only if the response has none."
  },
  ByHand.appOf(App)
)
