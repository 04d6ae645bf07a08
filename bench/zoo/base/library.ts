/** A correct program over the library. Bugs override one of its functions. */
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import type * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as Effect from "effect/Effect"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const auth = ZapierAuth.ZapierAuth

export const zapier = ZapierHttpClient.ZapierHttpClient

/** The services of an app over the library. */
export type Services = ZapierAuth.ZapierAuth | ZapierHttpClient.ZapierHttpClient

export const scopes: ReadonlyArray<Scopes.Scope> = ["zap", "profile", "action:run"]

export const layerWith = (settings?: Settings.Options) =>
  ZapierHttpClient.layer().pipe(Layer.provideMerge(ZapierAuth.layer(settings)), Layer.provide(TokenEndpoint.layer))

export const layer = layerWith()

const Zaps = Schema.Struct({ data: Schema.Array(Schema.Struct({ title: Schema.String })) })

export const titlesOf = (response: HttpClientResponse.HttpClientResponse) =>
  HttpClientResponse.filterStatusOk(response).pipe(
    Effect.flatMap(HttpClientResponse.schemaBodyJson(Zaps)),
    Effect.map(({ data }): ReadonlyArray<string> => data.map(({ title }) => title))
  )

/** The titles of a user's Zaps. */
export const zaps = (subject: string) =>
  zapier
    .use((client) => client.call("GET /v2/zaps", { credential: Credential.user(subject) }))
    .pipe(Effect.flatMap(titlesOf), Effect.timeout("1 minute"))

/** The URL that a user is sent to. */
export const logInFor =
  (scopes: ReadonlyArray<Scopes.Scope>) =>
  (subject: string): Effect.Effect<string, ZapierAuthError, ZapierAuth.ZapierAuth> =>
    auth
      .use((auth) => auth.authorizationUrl({ subject, scopes: [...scopes] }))
      .pipe(Effect.map(({ url }) => Redacted.value(url)))

/** The app. */
export const app = {
  stores: MemoryStores.layer,
  layer,
  logIn: logInFor(scopes),
  comeBack: (callback: string, subject: string) => auth.use((auth) => auth.handleCallback(callback, { subject })),
  call: zaps,
  disconnect: (subject: string) => auth.use((auth) => auth.disconnect(subject))
}
