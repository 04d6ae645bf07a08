import { it } from "@effect/vitest"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as ScenarioRules from "@zapier-workflow-auth/testing/scenario/ScenarioRules"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

// The app under test. Its layer needs the runner's services: the HttpClient to the fake, the client application, ...
const app = Scenario.make({
  stores: MemoryStores.layer,
  layer: ZapierHttpClient.layer().pipe(Layer.provideMerge(ZapierAuth.layer()), Layer.provide(TokenEndpoint.layer)),
  logIn: (subject) =>
    ZapierAuth.ZapierAuth.use((auth) => auth.authorizationUrl({ subject, scopes: ["zap", "action:run"] })).pipe(
      Effect.map(({ url }) => Redacted.value(url))
    ),
  comeBack: (callback, subject) => ZapierAuth.ZapierAuth.use((auth) => auth.handleCallback(callback, { subject })),
  call: (subject) =>
    ZapierHttpClient.ZapierHttpClient.use((zapier) =>
      zapier.call("GET /v2/zaps", { credential: Credential.user(subject) })
    ).pipe(Effect.timeout("1 minute")),
  disconnect: (subject) => ZapierAuth.ZapierAuth.use((auth) => auth.disconnect(subject)),
  // The app's other actions.
  actions: {
    schema: Schema.Struct({ list: Schema.Literals(["apps", "categories"]) }),
    run: ({ list }) =>
      ZapierHttpClient.ZapierHttpClient.use((zapier) =>
        zapier.call(list === "apps" ? "GET /v1/apps" : "GET /v1/categories")
      ).pipe(Effect.timeout("1 minute"))
  }
})

// A rule of your own, beside the existing ones.
const publicListsNeedNoUser: ScenarioRules.Rule = {
  name: "Public lists need no user",
  check: ({ exchanges }) =>
    exchanges.find(({ owner, request }) => owner !== undefined && request?.path.startsWith("/v1/") === true)?.line
}

it.effect("the app keeps to every rule, whatever happens", () =>
  Scenario.check(app, { runs: 30, rules: [...ScenarioRules.all, publicListsNeedNoUser] })
)

// A script from a broken rule stays as a test.
it.effect("a refresh that is under way does not bring back who disconnects", () =>
  Scenario.run(app, [
    { _tag: "Consent", subject: "ada" },
    { _tag: "Wait", time: "lifetime" },
    {
      _tag: "Together",
      steps: [
        { _tag: "Call", subject: "ada" },
        { _tag: "Disconnect", subject: "ada" }
      ]
    },
    { _tag: "Call", subject: "ada" }
  ])
)
