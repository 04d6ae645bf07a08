/**
 * One of the processes of the scenario `mass-expiry`: calls Zapier with each of many expired grants, through the library, or
 * through the same store and the same client without it.
 */
import { type Grant, GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import type { StoreError } from "@zapier-workflow-auth/core/store/VersionedStore"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Database from "../database.ts"
import * as ExpiredGrants from "../expiredGrants.ts"
import * as ManyGrants from "../manyGrants.ts"
import { commands, sendToParent } from "../workers.ts"

/** By whom the calls are made. */
export const ways = ["library", "bare"] as const

export type Way = (typeof ways)[number]

export type Command =
  | { readonly _tag: "Begin"; readonly database: Database.SqlDatabase }
  /** One call for each of these grants, so many at a time. */
  | { readonly _tag: "Call"; readonly way: Way; readonly grants: ReadonlyArray<number>; readonly concurrency: number }

export type Reply =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Called"; readonly tokenRequests: number; readonly failedCalls: number }

const send = (reply: Reply) => sendToParent(reply)

const { application } = ManyGrants

const apiUrl = "https://api.zapier.com/v2/zaps"

// The same reads, compare-and-sets and requests, and nothing else: a process that loses a claim only looks once more.
const bareCall = (store: GrantStore["Service"], client: HttpClient.HttpClient) => {
  const refresh = (refreshToken: string) =>
    HttpClientRequest.post(ExpiredGrants.tokenUrl).pipe(
      HttpClientRequest.acceptJson,
      HttpClientRequest.basicAuth(application.clientId, application.clientSecret),
      HttpClientRequest.bodyUrlParams({ grant_type: "refresh_token", refresh_token: refreshToken }),
      client.execute,
      Effect.flatMap((response) => response.json),
      Effect.map((tokens) => tokens as { readonly access_token: string; readonly refresh_token: string })
    )

  return Effect.fnUntraced(function* (subject: string) {
    const key = { clientId: application.clientId, subject }
    const found = Option.getOrThrow(yield* store.get(key))
    const now = yield* Clock.currentTimeMillis
    const { value } = found
    const { tokens } = value
    let accessToken = Redacted.value(tokens.accessToken)
    if (value._tag === "Active" && tokens.refreshToken !== undefined && tokens.expiresAt <= now) {
      const { _tag, ...held } = value
      const lease = { owner: "bare", deadline: now + 90_000 }
      const claim: Grant = {
        ...held,
        _tag: "Refreshing",
        tokens: { ...tokens, refreshToken: tokens.refreshToken },
        lease,
        attempt: 1
      }
      if (yield* store.compareAndSet(key, Option.some(found.version), claim)) {
        const renewed = yield* refresh(Redacted.value(tokens.refreshToken))
        const claimed = Option.getOrThrow(yield* store.get(key))
        accessToken = renewed.access_token
        yield* store.compareAndSet(key, Option.some(claimed.version), {
          ...value,
          generation: value.generation + 1,
          tokens: {
            ...tokens,
            accessToken: Tokens.secret(accessToken),
            refreshToken: Tokens.secret(renewed.refresh_token),
            obtainedAt: now,
            expiresAt: now + ManyGrants.tokenLife * 1_000
          }
        })
      } else {
        accessToken = Redacted.value(Option.getOrThrow(yield* store.get(key)).value.tokens.accessToken)
      }
    }
    return yield* client.execute(HttpClientRequest.get(apiUrl).pipe(HttpClientRequest.bearerToken(accessToken)))
  })
}

type Failure = ZapierAuthError | StoreError | HttpClientError

const work = Effect.fnUntraced(function* (
  messages: AsyncIterator<Command>,
  zapier: ReturnType<typeof ExpiredGrants.makeZapier>
) {
  const library = yield* ZapierHttpClient
  const calls: { readonly [way in Way]: (subject: string) => Effect.Effect<HttpClientResponse, Failure> } = {
    library: (subject) => library.call("GET /v2/zaps", { credential: Credential.user(subject) }),
    bare: bareCall(yield* GrantStore, zapier.httpClient)
  }
  send({ _tag: "Ready" })
  while (true) {
    const { done, value } = yield* Effect.promise(() => messages.next())
    if (done === true || value._tag !== "Call") return
    const before = zapier.tokenRequests()
    const one = (grant: number) =>
      Effect.exit(Effect.tap(calls[value.way](ExpiredGrants.subjectOf(grant)), (response) => response.arrayBuffer))
    const exits = yield* Effect.forEach(value.grants, one, { concurrency: value.concurrency })
    send({
      _tag: "Called",
      tokenRequests: zapier.tokenRequests() - before,
      failedCalls: exits.filter((exit) => exit._tag === "Failure" || exit.value.status !== 200).length
    })
  }
})

const main = async () => {
  const messages = commands<Command>()
  const { value: begin } = await messages.next()
  if (begin?._tag !== "Begin") return
  const zapier = ExpiredGrants.makeZapier()
  const layer = ZapierNode.layerWithoutStores({
    application,
    httpClient: Layer.succeed(HttpClient.HttpClient, zapier.httpClient)
  }).pipe(Layer.provideMerge(Database.stores(begin.database)))
  await Effect.runPromise(Effect.provide(work(messages, zapier), layer))
}

await main()
