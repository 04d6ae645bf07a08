/** The library without a network: an API that responds at once, and grants that are generated on demand. */
import * as AppCredentialStore from "@zapier-workflow-auth/core/store/AppCredentialStore"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

/** As long as Zapier's: 30 letters and digits. */
export const tokenOf = (subject: string) => subject.padEnd(30, "0")

const headers = { "content-type": "application/json" }

const page = { data: [], links: { next: null, prev: null }, meta: { count: 0, limit: 10, offset: 0 } }

const body = JSON.stringify(page)

/** Responds to every request at once with 200 and an empty page. */
export const httpClient = HttpClient.make((request) =>
  Effect.sync(() => HttpClientResponse.fromWeb(request, new Response(body, { status: 200, headers })))
)

const day = 86_400_000

const grantOf = (subject: string, now: number): GrantStore.Grant => ({
  _tag: "Active",
  family: subject,
  generation: 1,
  tokens: {
    accessToken: Tokens.secret(tokenOf(subject)),
    refreshToken: Tokens.secret(`refresh-${tokenOf(subject)}`),
    scopes: ["zap"],
    obtainedAt: now,
    expiresAt: now + day
  },
  responseLost: false
})

/** Every subject has a grant that is valid for a day, and none is stored: like a store outside this process. */
export const makeStore = Effect.map(Clock.currentTimeMillis, (now) => {
  let reads = 0
  const store = GrantStore.GrantStore.of({
    get: ({ subject }) =>
      Effect.sync(() => {
        reads++
        return Option.some({ version: 1, value: grantOf(subject, now) })
      }),
    compareAndSet: () => Effect.succeed(true),
    remove: () => Effect.succeed(true),
    page: () => Effect.succeed({ entries: [], next: undefined })
  })
  return { store, reads: () => reads }
})

export const layer = (store: GrantStore.GrantStore["Service"], settings?: Settings.Options) =>
  ZapierNode.layerWithoutStores({
    application: { clientId: "bench", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] },
    httpClient: Layer.succeed(HttpClient.HttpClient, httpClient),
    settings
  }).pipe(
    Layer.provide([
      Layer.succeed(GrantStore.GrantStore, store),
      AttemptStore.layerMemory,
      AppCredentialStore.layerMemory
    ])
  )
