import * as Effect from "effect/Effect"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as Browser from "../base/browser.ts"
import * as Library from "../base/library.ts"
import * as OwnRoutes from "../base/ownRoutes.ts"
import * as Case from "../case.ts"

const home = (user: string) =>
  Library.zapier
    .use((zapier) => zapier.call("GET /v2/zaps", { credential: Credential.user(user) }))
    .pipe(
      Effect.timeout("1 minute"),
      Effect.flatMap(HttpClientResponse.filterStatusOk),
      Effect.flatMap((response) => Effect.orDie(Library.titlesOf(response))),
      Effect.map(Browser.listPage),
      Effect.catchReason("ZapierAuthError", "ReconnectRequired", () => Effect.succeed(Browser.connectPage))
    )

export const bug = Case.bug(
  {
    name: "odd-response-breaks-page",
    family: "errors",
    wrong: "A response that is not a list, or only half of one, breaks the page.",
    fix: "Treat it like any other failure of Zapier, and ask to try later."
  },
  OwnRoutes.appOf({ home })
)
