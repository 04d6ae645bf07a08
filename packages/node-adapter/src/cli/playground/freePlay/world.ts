/**
 * The sample app of free play with one fake: the library with stores in memory, over HTTP. It uses the fake's clock, and
 * records its actions and requests.
 */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { type Status, ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { type CallError, ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import type { FakeZapier } from "@zapier-workflow-auth/testing/FakeZapier"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as ZapierNode from "../../../ZapierNode.ts"
import { lineOf } from "../requestLine.ts"
import type { Lit } from "./diagram.ts"
import * as Entry from "./entry.ts"

/** The client id of the sample app. */
export const clientId = "acme-notes"

/** The user who is signed in to the sample app. */
export const subject = "ada"

/** The scopes that it requests. */
export const scopes = ["profile", "zap"] as const

// The number of entries that are kept.
const remembered = 200

/** A clock that follows the fake's. */
const clockOf = (fake: FakeZapier["Service"]) =>
  Effect.map(Clock.Clock, (outer) => {
    // Reading the fake's state has no side effects.
    const millis = () => outer.currentTimeMillisUnsafe() + Effect.runSync(fake.state).clockOffset
    const clock: Clock.Clock = Object.assign(Object.create(outer) as Clock.Clock, {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis)
    })
    return { clock, millis }
  })

/** The events, oldest first. */
const makeJournal = (changed: Effect.Effect<unknown>) => {
  let entries: ReadonlyArray<Entry.Entry> = []
  let lit: Lit = { state: "Absent" }

  const add = (entry: Entry.Entry) => {
    entries = Entry.add(entries, entry).slice(-remembered)
    return changed
  }

  return {
    add: (entry: Entry.Entry) => Effect.suspend(() => add(entry)),
    light: (next: Lit) => Effect.sync(() => void (lit = next)),
    clear: Effect.suspend(() => {
      entries = []
      return changed
    }),
    entries: Effect.sync(() => entries),
    lit: Effect.sync(() => lit)
  }
}

export interface Options {
  readonly fake: FakeZapier["Service"]
  /** The address of the fake. */
  readonly origin: string
  readonly redirectUri: string
  /** How long a refresh is delayed, so that users can watch it. */
  readonly slowMotion: Duration.Duration
  /** Runs whenever the page has to be updated. */
  readonly changed: Effect.Effect<unknown>
  /** Runs after each change of the user's grant. */
  readonly granted: (event: string) => Effect.Effect<unknown>
}

export const make = Effect.fnUntraced(function* ({ changed, fake, granted, origin, redirectUri, slowMotion }: Options) {
  const urls = ZapierUrls.at(origin)
  const time = yield* clockOf(fake)
  const journal = makeJournal(changed)
  const secretAtZapier = Effect.map(fake.state, ({ apps }) =>
    Option.match(HashMap.get(apps, clientId), { onNone: () => "", onSome: (app) => app.clientSecret })
  )
  // The app's secret. Zapier may have replaced it since.
  let clientSecret = yield* secretAtZapier
  let tokenRequests = 0

  const told = (request: HttpClientRequest.HttpClientRequest, status: number | undefined) =>
    Effect.suspend(() => journal.add(Entry.ofRequest(time.millis(), lineOf(request, status ?? 0), status)))

  const httpClient = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (client) =>
      HttpClient.transform(client, (effect, request) => {
        if (request.url === urls.token) tokenRequests++
        const isRefresh = lineOf(request, 0).includes("grant_type=refresh_token")
        return (isRefresh ? Effect.delay(effect, slowMotion) : effect).pipe(
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

  /** Runs an effect with the app's services and clock. */
  const inApp = <A, E>(effect: Effect.Effect<A, E, ZapierAuth | ZapierHttpClient>): Effect.Effect<A, E> =>
    effect.pipe(Effect.provideContext(services), Effect.provideService(Clock.Clock, time.clock))

  yield* inApp(
    ZapierAuth.use(({ events }) =>
      Stream.runForEach(events, (event) =>
        Effect.gen(function* () {
          if (event._tag === "UserGrantChanged") {
            yield* journal.light({ state: event.to, from: event.from, event: event.event })
          }
          yield* journal.add(Entry.ofEvent(event))
          if (event._tag === "UserGrantChanged") yield* granted(event.event)
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

  const add = (kind: "You" | "Control") => (title: string, words: string) =>
    Effect.suspend(() => journal.add({ at: time.millis(), kind, title, words }))

  /** Makes several calls of the API at once. */
  const call = Effect.fnUntraced(function* (count: number) {
    const before = tokenRequests
    const outcomes = yield* Effect.replicateEffect(one, count, { concurrency: "unbounded" })
    // Show the events of the calls first.
    yield* Effect.sleep(0)
    yield* journal.add(Entry.ofCalls(time.millis(), outcomes, tokenRequests - before))
  })

  const lastAccessToken = Effect.map(fake.state, ({ grants }) =>
    Array.from(HashMap.values(grants))
      .filter((grant) => grant.clientId === clientId)
      .flatMap(({ accessTokens }) => accessTokens)
      .findLast(({ expiresAt }) => expiresAt > time.millis())
  )

  const endAccessToken = Effect.flatMap(lastAccessToken, (token) =>
    token === undefined ? Effect.void : fake.endAccessToken(token.accessToken)
  )

  const status: Effect.Effect<Status, ZapierAuthError> = inApp(ZapierAuth.use((auth) => auth.status(subject)))

  /** The facts that decide which buttons are enabled. */
  const facts = Effect.gen(function* () {
    const { faults, grants } = yield* fake.state
    return {
      status: yield* status,
      isGrantedAtZapier: Array.from(HashMap.values(grants)).some((grant) => grant.clientId === clientId),
      hasLiveToken: (yield* lastAccessToken) !== undefined,
      isSecretCurrent: clientSecret === (yield* secretAtZapier),
      isFaultSet: faults.length > 0,
      hasEntries: (yield* journal.entries).length > 0
    }
  })

  return {
    advance: fake.advance,
    call,
    clear: journal.clear,
    clock: time.clock,
    /** Connects without a browser, as the user did at another server. */
    connect: inApp(
      Effect.gen(function* () {
        const auth = yield* ZapierAuth
        const { url } = yield* auth.authorizationUrl({ subject, scopes, redirectUri })
        const callback = yield* fake.approve(Redacted.value(url))
        yield* auth.handleCallback(callback, { subject })
      })
    ),
    disconnect: inApp(ZapierAuth.use((auth) => auth.disconnect(subject))),
    endAccessToken,
    entries: journal.entries,
    facts,
    lit: journal.lit,
    loseNextResponse: fake.setFaults([{ fault: { _tag: "ResponseLost" }, match: { endpoint: "token" } }]),
    millis: time.millis,
    regenerateSecret: fake.regenerateSecret(clientId),
    revoke: fake.revoke({ clientId }),
    /** Records an action of the user, here or on the control page. */
    say: add("You"),
    note: add("Control"),
    services,
    setTime: fake.setTime,
    updateSecret: Effect.map(secretAtZapier, (secret) => void (clientSecret = secret))
  }
})

export type World = Effect.Success<ReturnType<typeof make>>

export type Facts = Effect.Success<World["facts"]>
