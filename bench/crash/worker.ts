/** One of the processes that are killed: it always needs access tokens, and each of them has expired. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Database from "../database.ts"
import { commands, sendToParent } from "../workers.ts"
import * as Points from "./points.ts"
import { application, clock, nameHeader, real, settings } from "./settings.ts"

export interface Begin {
  readonly _tag: "Begin"
  readonly name: string
  readonly database: Database.Database
  readonly origin: string
  readonly subjects: ReadonlyArray<string>
}

export type Command = Begin | { readonly _tag: "DieAt"; readonly point: Points.OwnPoint } | { readonly _tag: "Stop" }

export type Reply =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Reached"; readonly point: Points.OwnPoint; readonly refreshToken: string }
  /** A call ended for which these refresh tokens had been claimed. */
  | { readonly _tag: "Returned"; readonly refreshTokens: ReadonlyArray<string> }
  /** The response to this refresh token did not come, or came too late. */
  | { readonly _tag: "NoResponse"; readonly refreshToken: string }

const send = (reply: Reply) => sendToParent(reply)

// How many subjects are handled in parallel.
const lanes = 4

const decoder = new TextDecoder()

const refreshTokenOf = ({ body }: HttpClientRequest.HttpClientRequest) =>
  body._tag === "Uint8Array" ? new URLSearchParams(decoder.decode(body.body)).get("refresh_token") : null

const httpClient = (name: string) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (client) =>
      client.pipe(
        HttpClient.mapRequest(HttpClientRequest.setHeader(nameHeader, name)),
        HttpClient.transform((answer, request) =>
          Effect.onExit(answer, (exit) =>
            Effect.sync(() => {
              const refreshToken = refreshTokenOf(request)
              if (exit._tag === "Failure" && refreshToken !== null) send({ _tag: "NoResponse", refreshToken })
            })
          )
        )
      )
    )
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))

const work = Effect.fnUntraced(function* ({ subjects }: Begin, points: Points.Points, isOver: () => boolean) {
  const auth = yield* ZapierAuth
  // A subject is in one lane only, so that its calls do not overlap.
  const lane = Effect.fnUntraced(function* (first: number) {
    for (let index = first; !isOver(); index = index + lanes < subjects.length ? index + lanes : first) {
      const subject = subjects[index] ?? ""
      yield* Effect.exit(auth.accessToken(subject))
      const refreshTokens = points.claimed(subject)
      if (refreshTokens.length > 0) send({ _tag: "Returned", refreshTokens })
      yield* Effect.sleep(real(5))
    }
  })
  send({ _tag: "Ready" })
  yield* Effect.forEach(
    Array.from({ length: lanes }, (_, index) => index),
    lane,
    { concurrency: "unbounded" }
  )
})

const main = async () => {
  const messages = commands<Command>()
  const { value: begin } = await messages.next()
  if (begin?._tag !== "Begin") return
  const points = Points.make((point, refreshToken) => send({ _tag: "Reached", point, refreshToken }))
  let isOver = false
  const listen = async () => {
    for await (const message of messages) {
      if (message._tag === "DieAt") points.dieAt(message.point)
      if (message._tag === "Stop") isOver = true
    }
    // Its parent has ended.
    process.exit(1)
  }
  void listen()
  const stores = Database.stores(begin.database, { name: begin.name })
  const layer = ZapierNode.layerWithoutStores({
    application,
    urls: ZapierUrls.at(begin.origin),
    httpClient: httpClient(begin.name),
    settings
  }).pipe(Layer.provide(Layer.provideMerge(points.layer, stores)))
  const working = work(begin, points, () => isOver).pipe(Effect.provide(layer))
  await Effect.runPromise(Effect.provideService(working, Clock.Clock, clock))
  // The connection to its parent would keep it alive.
  process.exit(0)
}

await main()
