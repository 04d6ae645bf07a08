/** Grants whose access tokens have all expired, in a database, and a Zapier in this process that renews them. */
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { SqlClient } from "effect/sql/SqlClient"
import * as Database from "./database.ts"
import * as ManyGrants from "./manyGrants.ts"

// Of twenty grants one has expired: the number among all of the n-th that has.
const indexOf = (expired: number) => 20 * expired + 1

export const subjectOf = (expired: number) => ManyGrants.subjectOf(indexOf(expired))

/** Writes the expired grants from number `first` on, in one transaction. */
export const fill = (database: Database.SqlDatabase, first: number, count: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const store = yield* GrantStore
    const now = yield* Clock.currentTimeMillis
    const { clientId } = ManyGrants.application
    const write = (offset: number) =>
      store.compareAndSet(
        { clientId, subject: subjectOf(first + offset) },
        Option.none(),
        ManyGrants.grantOf(indexOf(first + offset), now)
      )
    yield* sql.withTransaction(Effect.forEach(ManyGrants.indices(count), write, { discard: true }))
  }).pipe(Effect.provide(Layer.provideMerge(SqlStores.layer, Database.layer(database))), Effect.orDie)

export const tokenUrl = "https://zapier.com/oauth/token/"

const page = { data: [], links: { next: null, prev: null }, meta: { count: 0, limit: 10, offset: 0 } }

/** Responds at once: with new tokens for a refresh token that it sees for the first time, and with a page for a call. */
export const makeZapier = () => {
  const seen = new Set<string>()
  let tokenRequests = 0
  const respond = (text: string) => {
    tokenRequests++
    const refreshToken = new URLSearchParams(text).get("refresh_token") ?? ""
    if (seen.has(refreshToken)) return Response.json({ error: "invalid_grant" }, { status: 400 })
    seen.add(refreshToken)
    return Response.json({
      access_token: ManyGrants.tokenOf(`access after ${refreshToken}`),
      expires_in: ManyGrants.tokenLife,
      token_type: "Bearer",
      scope: ManyGrants.scopes.join(" "),
      refresh_token: ManyGrants.tokenOf(`refresh after ${refreshToken}`)
    })
  }
  const httpClient = HttpClient.make((request) =>
    Effect.sync(() => {
      const isForTokens = request.url === tokenUrl && request.body._tag === "Uint8Array"
      const response = isForTokens
        ? respond(new TextDecoder().decode((request.body as { readonly body: Uint8Array }).body))
        : Response.json(page)
      return HttpClientResponse.fromWeb(request, response)
    })
  )
  return { httpClient, tokenRequests: () => tokenRequests }
}
