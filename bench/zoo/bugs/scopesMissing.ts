import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as Effect from "effect/Effect"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Library from "../base/library.ts"
import * as Case from "../case.ts"

const accounts = (subject: string) =>
  Library.zapier
    .use((zapier) => zapier.call("GET /v2/authentications", { credential: Credential.user(subject) }))
    .pipe(
      Effect.flatMap(HttpClientResponse.filterStatusOk),
      Effect.flatMap(({ json }) => json),
      Effect.timeout("1 minute")
    )

const app = Scenario.make({
  ...Library.app,
  logIn: Library.logInFor(["zap"]),
  call: Effect.fnUntraced(function* (subject: string) {
    const zaps = yield* Library.zaps(subject)
    return { zaps, accounts: yield* Effect.orElseSucceed(accounts(subject), () => undefined) }
  }),
  expects: { scopes: ["zap", "authentication"] }
})

export const bug = Case.bug(
  {
    name: "scopes-missing",
    family: "scopes",
    wrong: "The list of accounts needs a scope that the app never requests, and stays empty.",
    fix: "Request every scope that the app's calls need."
  },
  app
)
