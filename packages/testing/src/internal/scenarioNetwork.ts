/**
 * The network between an app and the fake: it takes its time, and notes what is sent for whom, whose tokens it carries,
 * and whether the answer arrives. What is to go wrong is the fake's to know.
 */
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import type { FakeRequest } from "../FakeHttp.ts"
import type { Handled, Issued } from "../FakeOutcome.ts"
import * as FakeZapier from "../FakeZapier.ts"
import * as RequestLog from "../RequestLog.ts"
import type { Connection, Exchange, Life, Subject } from "../ScenarioSeen.ts"
import * as Lookup from "./lookup.ts"
import type { Seeded } from "./seeded.ts"
import type { Timeline } from "./timeline.ts"

/** For whom something is done. */
export const CurrentSubject = Context.Reference<Subject | undefined>(
  "@zapier-workflow-auth/testing/Scenario/CurrentSubject",
  { defaultValue: () => undefined }
)

export const emailOf = (subject: Subject): string => `${subject}@example.com`

/** A running app, as the network sees it. */
export interface Host {
  isGone: boolean
}

interface Noted extends Mutable<Exchange> {
  readonly host: Host
  /** Whether the answer has tokens in it that whoever reads it can use. */
  hasTokens: boolean
}

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

const CurrentExchange = Context.Reference<Noted | undefined>("@zapier-workflow-auth/testing/Scenario/CurrentExchange", {
  defaultValue: () => undefined
})

/** The tokens that an app was given last for a user. */
interface Holding {
  readonly issued: Issued
  readonly host: Host
  /** In which step they arrived. */
  readonly step: number
  isLost: boolean
}

// One way through the network, in milliseconds.
const slowest = 200

const decoder = new TextDecoder()

const formOf = ({ body, path }: FakeRequest) =>
  new URLSearchParams(path.startsWith("/oauth/token") ? decoder.decode(body) : "")

const bearerOf = ({ headers }: FakeRequest) => /^Bearer (.+)$/i.exec(headers["authorization"] ?? "")?.[1]

const areReadable = ({ delivery, response }: Handled) =>
  delivery._tag === "Answered" &&
  TokenOutcome.interpret(response, { scopes: [], startedAt: 0, now: 0 })._tag === "Granted"

export const make = (zapier: FakeZapier.FakeZapier["Service"], latency: Seeded, timeline: Timeline) => {
  const exchanges: Array<Noted> = []
  const lives = new Map<string, Life>()
  const owners = new Map<string, Subject>()
  const holdings = new Map<Subject, Holding>()
  const revoked = new Set<Subject>()
  const disconnected = new Set<Subject>()
  let step = 0
  let activity = 0

  const noteRequest = (exchange: Noted, request: FakeRequest) => {
    const form = formOf(request)
    exchange.request = request
    exchange.refreshToken = form.get("refresh_token") ?? undefined
    exchange.accessToken = bearerOf(request)
    exchange.owner = owners.get(exchange.refreshToken ?? exchange.accessToken ?? form.get("code") ?? "")
  }

  const noteHandled = (exchange: Noted, request: FakeRequest, handled: Handled) => {
    const { fault, issued, response, state } = handled
    exchange.line = RequestLog.line(request, response.status, fault)
    exchange.issued = issued
    exchange.hasTokens = issued !== undefined && areReadable(handled)
    const made = issued && Lookup.accessToken(state, issued.accessToken)
    if (issued === undefined || made === undefined) return
    // By the clock of the app: the fake's own may have jumped.
    lives.set(issued.accessToken, { obtainedAt: timeline.now(), expiresAt: made.expiresAt - state.clockOffset })
    if (exchange.owner === undefined) return
    owners.set(issued.accessToken, exchange.owner)
    if (issued.refreshToken !== undefined) owners.set(issued.refreshToken, exchange.owner)
  }

  const handle = Effect.fnUntraced(function* (request: FakeRequest) {
    const exchange = yield* CurrentExchange
    if (exchange !== undefined) noteRequest(exchange, request)
    const handled = yield* zapier.handle(request)
    if (exchange !== undefined) noteHandled(exchange, request, handled)
    return handled
  })

  const give = (owner: Subject, issued: Issued, host: Host) => {
    const before = holdings.get(owner)
    // A server that does not rotate gives no new refresh token.
    const refreshToken = issued.refreshToken ?? before?.issued.refreshToken
    holdings.set(owner, { issued: { ...issued, refreshToken }, host, step, isLost: false })
    if (issued.origin._tag !== "Code") return
    revoked.delete(owner)
    disconnected.delete(owner)
  }

  // What a new consent gives and nobody gets takes nothing away from the grant that was there before.
  const lose = (owner: Subject, { grantId, origin, refreshToken }: Issued) => {
    const holding = holdings.get(owner)
    if (holding === undefined || holding.issued.grantId !== grantId) return
    if (origin._tag === "RefreshToken" && refreshToken !== undefined) holding.isLost = true
  }

  const end = (exchange: Noted, response: HttpClientResponse | undefined) => {
    if (exchange.end !== "Open") return
    activity++
    const { hasTokens, host, issued, owner } = exchange
    exchange.endedAt = timeline.now()
    exchange.end = response === undefined ? "Lost" : "Answered"
    exchange.status = response?.status
    exchange.isGranted = response !== undefined && hasTokens
    if (exchange.request === undefined) exchange.line = `${exchange.line} -> nothing`
    if (owner === undefined || issued === undefined) return
    if (exchange.isGranted) give(owner, issued, host)
    else lose(owner, issued)
  }

  const noting = FakeZapier.FakeZapier.of({ ...zapier, handle })
  const fake = Effect.runSync(
    Effect.scoped(Layer.build(Layer.provide(FakeZapier.layerHttpClient, Layer.succeed(FakeZapier.FakeZapier, noting))))
  )
  const { execute } = Context.get(fake, HttpClient.HttpClient)

  const send = Effect.fnUntraced(function* (host: Host, request: HttpClientRequest.HttpClientRequest) {
    if (host.isGone) return yield* Effect.never
    activity++
    const exchange: Noted = {
      step,
      subject: yield* CurrentSubject,
      owner: undefined,
      request: undefined,
      line: `${request.method} ${request.url}`,
      sentAt: timeline.now(),
      endedAt: undefined,
      end: "Open",
      status: undefined,
      issued: undefined,
      isGranted: false,
      refreshToken: undefined,
      accessToken: undefined,
      host,
      hasTokens: false
    }
    exchanges.push(exchange)
    const oneWay = Effect.suspend(() => Effect.sleep(1 + latency.below(slowest)))
    return yield* oneWay.pipe(
      Effect.andThen(execute(request)),
      Effect.tap(oneWay),
      Effect.onExit((exit) => Effect.sync(() => end(exchange, Exit.isSuccess(exit) ? exit.value : undefined))),
      Effect.provideService(CurrentExchange, exchange)
    )
  })

  const connectionOf = (subject: Subject): Connection => {
    const holding = holdings.get(subject)
    if (holding === undefined || disconnected.has(subject)) return "None"
    if (revoked.has(subject)) return "Revoked"
    return holding.isLost ? "Lost" : "Good"
  }

  return {
    exchanges: exchanges as ReadonlyArray<Exchange>,
    lives: lives as ReadonlyMap<string, Life>,
    connectionOf,

    /** Counts what is sent and what arrives. */
    activity: () => activity,

    enter: (next: number) => {
      step = next
    },

    client: (host: Host): HttpClient.HttpClient =>
      HttpClient.makeWith(
        (request: Effect.Effect<HttpClientRequest.HttpClientRequest, HttpClientError.HttpClientError>) =>
          Effect.flatMap(request, (request) => send(host, request)),
        Effect.succeed
      ),

    /** The consent page has sent the user back with this. */
    sentBack: (subject: Subject, callback: string) => {
      const code = new URL(callback).searchParams.get("code")
      if (code !== null) owners.set(code, subject)
    },

    accessTokenOf: (subject: Subject) => holdings.get(subject)?.issued.accessToken,

    revoke: (subject: Subject) => void revoked.add(subject),

    disconnect: (subject: Subject) => void disconnected.add(subject),

    stay: (subject: Subject) => void disconnected.delete(subject),

    /** The app is killed: what is on its way to it is lost, and what has only just come, too. */
    kill: (host: Host) => {
      host.isGone = true
      for (const exchange of exchanges) if (exchange.host === host) end(exchange, undefined)
      for (const holding of holdings.values()) if (holding.host === host && holding.step === step) holding.isLost = true
    }
  }
}
