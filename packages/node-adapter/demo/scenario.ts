/** The story of `npm start`: the three ways in, step by step, through the public API. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import { FakeZapier } from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { lineOf } from "../src/cli/playground/requestLine.ts"
import * as Transcript from "./transcript.ts"

const redirectUri = "https://acme.example/zapier/callback"

// Node's HTTP client, which prints each request.
const printingHttpClient = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(HttpClient.HttpClient, (client) =>
    HttpClient.transform(client, (effect, request) =>
      Effect.tap(effect, ({ status }) => Effect.sync(() => Transcript.request(lineOf(request, status))))
    )
  )
).pipe(Layer.provide(NodeHttpClient.layerUndici))

const zapTitles = Schema.decodeUnknownEffect(
  Schema.Struct({ data: Schema.Array(Schema.Struct({ title: Schema.String })) })
)

const appTitles = Schema.decodeUnknownEffect(
  Schema.Struct({ total: Schema.Int, objects: Schema.Array(Schema.Struct({ title: Schema.String })) })
)

const enrollment = Schema.decodeUnknownEffect(Schema.Struct({ enrollment_id: Schema.String }))

// Events arrive a moment later.
const settle = Effect.sleep("1 millis")

/** The browser: opens the consent page, presses a button, and is sent back. */
const consent = Effect.fnUntraced(function* (url: Redacted.Redacted, decision: "allow" | "deny") {
  const client = yield* HttpClient.HttpClient
  const page = yield* client.get(Redacted.value(url))
  Transcript.browser(lineOf(page.request, page.status))
  const form = HttpClientRequest.post(Redacted.value(url)).pipe(HttpClientRequest.bodyUrlParams({ decision }))
  const response = yield* client.execute(form)
  Transcript.browser(`presses "${decision}": ${response.status}, back to ${redirectUri}`)
  return response.headers["location"] ?? ""
}, Effect.provide(NodeHttpClient.layerUndici))

const story = Effect.gen(function* () {
  const fake = yield* FakeZapier
  const auth = yield* ZapierAuth
  const zapier = yield* ZapierHttpClient
  yield* Effect.forkScoped(
    Stream.runForEach(auth.events, (event) => Effect.sync(() => Transcript.event(event))),
    { startImmediately: true }
  )
  const scopes = Endpoint.leastScopes(["GET /v2/zaps", "POST /v2/promotions"])
  const asAda = Credential.user("ada")

  Transcript.step("User grant: Ada connects, and the app reads her Zaps")
  Transcript.app(`authorizationUrl for the least scopes of two endpoints: ${scopes.join(", ")}`)
  const { url } = yield* auth.authorizationUrl({ subject: "ada", scopes })
  const callback = yield* consent(url, "allow")
  Transcript.app("handleCallback with the URL that the browser came back to")
  const connected = yield* auth.handleCallback(callback, { subject: "ada" })
  yield* settle
  Transcript.check("the grant is Active, generation 1", connected._tag === "Active" && connected.generation === 1)
  Transcript.app("GET /v2/zaps on behalf of Ada")
  const zaps = yield* zapier.call("GET /v2/zaps", { credential: asAda })
  const titles = (yield* zapTitles(yield* zaps.json)).data.map(({ title }) => title)
  Transcript.check(`Zapier returns ${titles.length} Zaps: "${titles[0]}", ...`, titles.length > 0)
  const used = yield* Effect.flip(auth.handleCallback(callback, { subject: "ada" }))
  Transcript.check("the same callback is rejected the second time", used.reason._tag === "StateMismatch")

  Transcript.step("Ten hours pass: the access token expires, and is refreshed")
  yield* fake.advance("10 hours")
  Transcript.world("the clock at Zapier moves ten hours ahead")
  Transcript.app("GET /v2/zaps on behalf of Ada")
  const later = yield* zapier.call("GET /v2/zaps", { credential: asAda })
  yield* settle
  Transcript.check("after a 401 and one refresh, the request is sent again: 200", later.status === 200)
  const renewed = yield* auth.status("ada")
  Transcript.check("the grant is Active, generation 2", renewed._tag === "Active" && renewed.generation === 2)
  const refreshes = (yield* fake.issued).filter(({ origin }) => origin._tag === "RefreshToken").length
  Transcript.check("Zapier received one refresh", refreshes === 1)

  Transcript.step("A denial: Bob says no")
  Transcript.app("authorizationUrl")
  const asked = yield* auth.authorizationUrl({ subject: "bob", scopes })
  const refusal = yield* consent(asked.url, "deny")
  Transcript.app("handleCallback with the URL that the browser came back to")
  const denied = yield* Effect.flip(auth.handleCallback(refusal, { subject: "bob" }))
  yield* settle
  Transcript.check(`the error says: ${denied.message}`, denied.reason._tag === "ConsentDenied")
  const bob = yield* auth.status("bob")
  Transcript.check("Bob has no grant, and Ada's is untouched", bob._tag === "Absent")

  Transcript.step("App credential: the app unenrolls an account from a promotion")
  Transcript.app("POST /v2/promotions on behalf of Ada, to have something to delete")
  const body = HttpBody.jsonUnsafe({ promotion_id: "spring" })
  const enrolled = yield* zapier.call("POST /v2/promotions", { credential: asAda, body })
  const path = yield* enrollment(yield* enrolled.json)
  Transcript.app("DELETE /v2/promotions/{enrollment_id} as the app itself")
  const deleted = yield* zapier.call("DELETE /v2/promotions/{enrollment_id}", { path })
  yield* settle
  Transcript.check("the enrollment is gone: 204", deleted.status === 204)

  Transcript.step("Client id: anyone may list Zapier's apps")
  Transcript.app("GET /v1/apps with the public client id")
  const apps = yield* appTitles(yield* (yield* zapier.call("GET /v1/apps")).json)
  yield* settle
  Transcript.check(`Zapier returns ${apps.total} apps: ${apps.objects[0]?.title}, ...`, apps.total > 0)
  Transcript.check("the client id is Accepted", (yield* auth.clientIdState) === "Accepted")
})

/** Runs the story against the fake that listens at `origin`. Returns whether every step succeeded. */
export const run = Effect.fnUntraced(function* (origin: string) {
  const fake = yield* FakeZapier
  const { clientId, clientSecret } = yield* fake.registerApp({ name: "Acme", redirectUris: [redirectUri] })
  Transcript.title("Three ways into the Zapier Workflow API")
  Transcript.say(`A fake Zapier listens on ${origin}, with the app "Acme".`)
  yield* story.pipe(
    Effect.scoped,
    Effect.provide(
      ZapierNode.layerMemory({
        application: { clientId, clientSecret, redirectUris: [redirectUri] },
        urls: ZapierUrls.at(origin),
        httpClient: printingHttpClient
      })
    )
  )
  return Transcript.summary()
})
