/**
 * The sample app of the playground: the library as any app has it, in memory, which talks HTTP to the fake. Its clock moves
 * together with the fake's, and what it does and sends is written down.
 */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { type Status, ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { type CallError, ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import type { FakeZapier } from "@zapier-workflow-auth/testing/FakeZapier"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import * as ZapierNode from "../../ZapierNode.ts"
import { lineOf } from "./requestLine.ts"
import type { Lit } from "./diagram.ts"
import * as Story from "./story.ts"

/** The sample app, at the fake. */
export const clientId = "acme-notes"

/** Who is signed in to the sample app. */
export const subject = "ada"

// Entries.
const remembered = 200

// How far back the same request is looked for, to be counted instead of told again.
const recent = 8

/** A clock that can be moved ahead. */
const makeClock = Effect.map(Clock.Clock, (outer) => {
  let ahead = 0
  const millis = () => outer.currentTimeMillisUnsafe() + ahead
  const clock: Clock.Clock = Object.assign(Object.create(outer) as Clock.Clock, {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis)
  })
  const advance = (by: Duration.Duration) => Effect.sync(() => void (ahead += Duration.toMillis(by)))
  return { clock, millis, advance }
})

/** What happened, and whoever wants to know when something does. */
const makeJournal = Effect.gen(function* () {
  const changes = yield* PubSub.sliding<void>(1)
  let entries: ReadonlyArray<Story.Entry> = []
  let lit: Lit = { state: "Absent" }

  const add = (entry: Story.Entry) => {
    const same = entries
      .slice(-recent)
      .find(({ kind, title }) => kind === "Request" && kind === entry.kind && title === entry.title)
    entries =
      same === undefined
        ? [...entries, entry].slice(-remembered)
        : entries.map((other) => (other === same ? { ...same, times: (same.times ?? 1) + 1 } : other))
    return PubSub.publish(changes, undefined)
  }

  return {
    changes,
    add: (entry: Story.Entry) => Effect.suspend(() => add(entry)),
    light: (next: Lit) => Effect.sync(() => void (lit = next)),
    clear: Effect.suspend(() => {
      entries = []
      return PubSub.publish(changes, undefined)
    }),
    entries: Effect.sync(() => entries),
    lit: Effect.sync(() => lit)
  }
})

export interface Options {
  readonly fake: FakeZapier["Service"]
  /** Where the fake is, over HTTP. */
  readonly origin: string
  readonly redirectUri: string
  /** How long a token request is held back, so that people see what goes on meanwhile. */
  readonly slowMotion: Duration.Duration
}

export const make = Effect.fnUntraced(function* ({ fake, origin, redirectUri, slowMotion }: Options) {
  const urls = ZapierUrls.at(origin)
  const time = yield* makeClock
  const journal = yield* makeJournal
  const secretAtZapier = Effect.map(fake.state, ({ apps }) =>
    Option.match(HashMap.get(apps, clientId), { onNone: () => "", onSome: (app) => app.clientSecret })
  )
  // What the app has been given. Zapier may have replaced it since.
  let clientSecret = yield* secretAtZapier
  let tokenRequests = 0

  const told = (request: HttpClientRequest.HttpClientRequest, status: number | undefined) =>
    Effect.suspend(() => journal.add(Story.ofRequest(time.millis(), lineOf(request, status ?? 0), status)))

  const httpClient = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (client) =>
      HttpClient.transform(client, (effect, request) => {
        const isToken = request.url === urls.token
        if (isToken) tokenRequests++
        return (isToken ? Effect.delay(effect, slowMotion) : effect).pipe(
          Effect.tap(({ status }) => told(request, status)),
          Effect.tapError(() => told(request, undefined))
        )
      })
    )
  ).pipe(Layer.provide(FetchHttpClient.layer))

  const services = yield* Layer.build(
    ZapierNode.layerMemory({
      urls,
      httpClient,
      application: ClientApplication.layerEffect(
        Effect.sync(() => ({ clientId, clientSecret, redirectUris: [redirectUri] }))
      )
    })
  ).pipe(Effect.provideService(Clock.Clock, time.clock))

  /** As the app does it: with its services, and by its clock. */
  const inApp = <A, E>(effect: Effect.Effect<A, E, ZapierAuth | ZapierHttpClient>): Effect.Effect<A, E> =>
    effect.pipe(Effect.provideContext(services), Effect.provideService(Clock.Clock, time.clock))

  yield* inApp(
    ZapierAuth.use(({ events }) =>
      Stream.runForEach(events, (event) =>
        Effect.gen(function* () {
          if (event._tag === "UserGrantChanged") {
            yield* journal.light({ state: event.to, from: event.from, event: event.event })
          }
          yield* journal.add(Story.ofEvent(event))
        })
      )
    )
  ).pipe(Effect.forkScoped({ startImmediately: true }))

  const one: Effect.Effect<number | CallError> = inApp(
    ZapierHttpClient.use((zapier) => zapier.call("GET /v2/zaps", { credential: Credential.user(subject) }))
  ).pipe(
    Effect.tap((response) => response.arrayBuffer),
    Effect.map(({ status }): number | CallError => status),
    Effect.catch((error) => Effect.succeed(error))
  )

  const say = (title: string, words: string) =>
    Effect.suspend(() => journal.add({ at: time.millis(), kind: "You", title, words }))

  /** So many calls of the API at a time. */
  const call = Effect.fnUntraced(function* (count: number) {
    const before = tokenRequests
    const outcomes = yield* Effect.replicateEffect(one, count, { concurrency: "unbounded" })
    yield* journal.add(Story.ofCalls(time.millis(), outcomes, tokenRequests - before))
  })

  const advance = (by: Duration.Duration) => Effect.andThen(fake.advance(by), time.advance(by))

  const endAccessToken = Effect.gen(function* () {
    const issued = (yield* fake.issued).filter((token) => token.clientId === clientId)
    const last = issued.at(-1)
    if (last !== undefined) yield* fake.endAccessToken(last.accessToken)
  })

  const status: Effect.Effect<Status, ZapierAuthError> = inApp(ZapierAuth.use((auth) => auth.status(subject)))

  return {
    advance,
    call,
    clear: journal.clear,
    changes: Stream.fromPubSub(journal.changes),
    clock: time.clock,
    endAccessToken,
    entries: journal.entries,
    lit: journal.lit,
    loseNextAnswer: fake.setFaults([{ fault: { _tag: "ResponseLost" }, match: { endpoint: "token" } }]),
    millis: time.millis,
    regenerateSecret: fake.regenerateSecret(clientId),
    revoke: fake.revoke({ clientId }),
    say,
    services,
    setGrace: (millis: number) => fake.setKnobs({ graceMillis: millis }),
    status,
    updateSecret: Effect.map(secretAtZapier, (secret) => void (clientSecret = secret))
  }
})

export type World = Effect.Success<ReturnType<typeof make>>
