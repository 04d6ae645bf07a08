/**
 * One user's grant, and many calls at once: with an expired token, in one process and in four that share a store; and
 * with a token that the server ended early, while its 401s arrive over 300 ms. The same for the app itself, which has
 * no token yet. This library and others, each in its own processes, against the same server, which rotates on receipt,
 * responds to a token request after 50 ms, rejects a used refresh token, and counts. Also the time of a call with a
 * valid token, one after another, in interleaved rounds.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as AppPeers from "../appPeers.ts"
import * as Database from "../database.ts"
import { spreadOf } from "../measure.ts"
import type * as Parts from "../peerParts.ts"
import * as Peers from "../peers.ts"
import { type Report, say } from "../report.ts"
import * as Workers from "../workers.ts"
import * as World from "../world.ts"
import type { Reply, Command } from "./peersWorker.ts"

export const name = "peers"

/** Calls at once, of all processes together. */
export const calls = 1_000

const file = new URL("peersWorker.ts", import.meta.url).pathname

const spreadMillis = 300

const processCount = 4

const fake = FakeZapier.layer({
  apps: [World.app],
  remember: 1_000_000,
  // The server does not revoke the grant after a second use of a refresh token, which is the milder behavior:
  // otherwise all clients would lose it.
  settings: { rateLimits: false, reuseRevokesGrant: false }
})

const server = (calls: number) =>
  Layer.provide(
    FakeZapier.layerServer,
    World.delayed(({ path, query }) => {
      if (path === World.tokenPath) return "50 millis"
      return ((Number(new URLSearchParams(query).get("offset")) % calls) / calls) * spreadMillis
    })
  ).pipe(
    Layer.provideMerge(fake),
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0, backlog: 2_048 }))
  )

const hour = 3_600_000

// A user connects.
const granted = Effect.gen(function* () {
  const zapier = yield* FakeZapier.FakeZapier
  const [redirect_uri = ""] = World.app.redirectUris
  const asked = { response_type: "code", client_id: World.app.clientId, redirect_uri, scope: "zap", state: "x" }
  const callback = yield* zapier.approve(`https://api.zapier.com/v2/authorize?${new URLSearchParams(asked)}`)
  const fetch = yield* FakeZapier.fetch
  const code = new URL(callback).searchParams.get("code") ?? ""
  const answer = yield* Effect.promise(async () => {
    const response = await fetch(`https://zapier.com${World.tokenPath}`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${World.app.clientId}:${World.app.clientSecret}`)}` },
      body: new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri })
    })
    return (await response.json()) as { readonly access_token: string; readonly refresh_token: string }
  })
  return { accessToken: answer.access_token, refreshToken: answer.refresh_token }
})

interface Situation {
  readonly processes: number
  /** True if the client knows that the token has expired; false if it learns it from a 401. */
  readonly isKnown: boolean
}

const situations = {
  storm: { processes: 1, isKnown: true },
  processes: { processes: processCount, isKnown: true },
  "late-401": { processes: 1, isKnown: false }
} satisfies { readonly [name: string]: Situation }

const app = Effect.map(HttpServer.HttpServer, ({ address }): Parts.App => ({
  origin: HttpServer.formatAddress(address),
  clientId: World.app.clientId,
  clientSecret: World.app.clientSecret,
  redirectUri: World.app.redirectUris[0] ?? ""
}))

// The start of a process whose client has the grant.
const begin = Effect.fnUntraced(function* (peer: Peers.Name, grant: Omit<Peers.Grant, "expiresAt">, lifetime: number) {
  const zapier = yield* FakeZapier.FakeZapier
  return {
    _tag: "Begin",
    peer,
    options: {
      ...(yield* app),
      grant: { ...grant, expiresAt: (yield* zapier.time) + lifetime },
      database: yield* Database.make("sqlite")
    }
  } satisfies Command
})

// All calls at once, in one process for each start.
const storm = Effect.fnUntraced(function* (peer: string, calls: number, begins: ReadonlyArray<Command>) {
  const started = yield* Workers.startResponders<Command, Reply>(file, begins)
  const all = Effect.promise(() => Promise.all(started.map(({ next }) => next())))
  yield* all
  const before = yield* World.countTokenRequests
  for (const { worker } of started) worker.send({ _tag: "Call", calls: calls / begins.length })
  const replies = yield* all
  const failedCalls = replies.reduce((total, one) => total + (one._tag === "Called" ? one.failedCalls : 0), 0)
  const result = { tokenRequests: (yield* World.countTokenRequests) - before, failedCalls }
  say(`peers: ${peer}: ${result.tokenRequests} token requests, ${failedCalls} of ${calls} calls failed`)
  return [peer, result] as const
}, Effect.scoped)

const asUser = (calls: number, { isKnown, processes }: Situation) =>
  Effect.forEach(Peers.names, (peer) =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      const grant = yield* granted
      if (!isKnown) yield* zapier.endAccessToken(grant.accessToken)
      const command = yield* begin(peer, grant, isKnown ? -hour : hour)
      return yield* storm(
        peer,
        calls,
        Array.from({ length: processes }, () => command)
      )
    }).pipe(Effect.scoped)
  )

const asApp = (calls: number) =>
  Effect.forEach(AppPeers.names, (peer) =>
    Effect.flatMap(app, (app) => storm(peer, calls, [{ _tag: "BeginAsApp", peer, app }]))
  )

const rounds = 9

// Microseconds per call with a valid token.
const inTurn = Effect.fnUntraced(function* (calls: number) {
  const names: ReadonlyArray<Peers.Name> = [Peers.constantName, ...Peers.names]
  const begins = yield* Effect.forEach(names, (peer) => Effect.flatMap(granted, (grant) => begin(peer, grant, hour)))
  const started = yield* Workers.startResponders<Command, Reply>(file, begins)
  yield* Effect.promise(() => Promise.all(started.map(({ next }) => next())))
  const round = Effect.forEach(started, ({ next, worker }) =>
    Effect.promise(async () => {
      worker.send({ _tag: "CallInTurn", calls })
      const reply = await next()
      return reply._tag === "CalledInTurn" ? reply.micros : Number.NaN
    })
  )
  // The first round lets the code be compiled.
  yield* round
  const measured = yield* Effect.forEach(Array.from({ length: rounds }), () => round)
  const spreads = names.map((name, index) => [name, spreadOf(measured.map((micros) => micros[index] ?? 0))] as const)
  for (const [name, { median }] of spreads) say(`peers: ${name}: ${median} µs a call`)
  return Object.fromEntries(spreads)
}, Effect.scoped)

export const run = Effect.fnUntraced(function* (calls: number) {
  const results = yield* Effect.forEach(
    [
      ...Object.entries(situations).map(([situation, of]) => [situation, asUser(calls, of)] as const),
      ["app-storm", asApp(calls)] as const
    ],
    ([situation, storms]) => Effect.map(storms, (all) => [situation, Object.fromEntries(all)] as const)
  ).pipe(Effect.provide(server(calls)))
  const microsPerCall = yield* Effect.provide(inTurn(calls), server(calls))
  const isIdeal = (result: { readonly tokenRequests: number; readonly failedCalls: number } | undefined) =>
    result?.tokenRequests === 1 && result.failedCalls === 0
  return {
    scenario: name,
    passed: results.every(([, of]) => isIdeal(of[Peers.oursName])),
    calls,
    processCount,
    spreadMillis,
    ...Object.fromEntries(results),
    microsPerCall
  } satisfies Report
}, Effect.orDie)
