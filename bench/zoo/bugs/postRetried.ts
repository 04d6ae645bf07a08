import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Library from "../base/library.ts"
import * as Case from "../case.ts"

const promote = (subject: string) =>
  Library.zapier.use((zapier) =>
    zapier.call("POST /v2/promotions", {
      credential: Credential.user(subject),
      body: HttpBody.jsonUnsafe({ promotion_id: "spring" })
    })
  )

const app = Scenario.make({
  ...Library.app,
  logIn: Library.logInFor(["promotions:write"]),
  call: (subject) =>
    promote(subject).pipe(
      Effect.flatMap(HttpClientResponse.filterStatusOk),
      Effect.timeout("15 seconds"),
      Effect.retry({ times: 2 })
    )
})

export const bug = Case.bug(
  {
    name: "post-retried",
    family: "effects at Zapier",
    wrong: "A POST that creates something is retried if no response arrives.",
    fix: "Retry only requests that create nothing, or first check whether it was created."
  },
  app
)
