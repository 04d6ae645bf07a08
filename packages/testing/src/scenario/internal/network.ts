/**
 * The network between an app and the fake: it takes time, and records who sent what with whose tokens, and whether the
 * response arrived. Faults are injected by the fake.
 */
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Mutable } from "effect/Types"
import type * as FakeFault from "../../fake/FakeFault.ts"
import type { FakeRequest } from "../../fake/FakeHttp.ts"
import type { Handled, Issued } from "../../fake/FakeOutcome.ts"
import * as FakeZapier from "../../FakeZapier.ts"
import * as RequestLog from "../../fake/RequestLog.ts"
import type { Account, Connection, Exchange, Life, Subject, Trouble } from "../ScenarioHistory.ts"
import * as ClientRequest from "../../fake/internal/clientRequest.ts"
import * as Lookup from "../../fake/internal/lookup.ts"
import type { Seeded } from "../../internal/seeded.ts"
import type { Timeline } from "../../internal/timeline.ts"

/** The user's action that something is done for. */
export const CurrentActionId = Context.Reference<number | undefined>(
  "@zapier-workflow-auth/testing/scenario/internal/network/CurrentActionId",
  {
    defaultValue: () => undefined
  }
)

/** The user that something is done for. */
export const CurrentSubject = Context.Reference<Subject | undefined>(
  "@zapier-workflow-auth/testing/scenario/internal/network/CurrentSubject",
  { defaultValue: () => undefined }
)

/** A user with an account at Zapier who is not one of the app's users. */
export const stranger = "mallory" as const

export const emailOf = (subject: Owner, account: Account = "own"): string =>
  account === "own" ? `${subject}@example.com` : `${subject}@work.example.com`

/** A running app, as the network knows it. */
export interface Host {
  /** Its instance, counted from 0. */
  readonly instance: number
  isGone: boolean
  /** True while it shuts down properly, when it may abandon what is under way. */
  isClosing: boolean
}

/** The owner of a code or token. */
export type Owner = Subject | typeof stranger

interface Noted extends Mutable<Exchange> {
  readonly host: Host
  /** True if the response has tokens that its reader can use. */
  hasTokens: boolean
  trouble: Mutable<Trouble> | undefined
}

const CurrentExchange = Context.Reference<Noted | undefined>(
  "@zapier-workflow-auth/testing/scenario/internal/network/CurrentExchange",
  {
    defaultValue: () => undefined
  }
)

/** The last tokens that an app received for a user. */
interface Holding {
  readonly issued: Issued
  /** The user's account at Zapier that they are for. */
  readonly account: Account
  /** The request that returned them. */
  readonly exchange: Noted
  state: "Good" | "Lost" | "Wasted"
}

// One way through the network, in milliseconds.
const slowest = 400

// Tokens received within this time before the app ends may not be stored yet, in milliseconds.
const unsaved = 1_000

const decoder = new TextDecoder()

const formOf = ({ body, path }: FakeRequest) =>
  new URLSearchParams(path.startsWith("/oauth/token") ? decoder.decode(body) : "")

const bearerOf = ({ headers }: FakeRequest) => /^Bearer (.+)$/i.exec(headers["authorization"] ?? "")?.[1]

const hosts: ReadonlySet<string> = new Set(["api.zapier.com", "zapier.com"])

const hostOf = (url: string) => (URL.canParse(url) ? new URL(url).hostname : "")

// Faults without an effect at the server.
const undone: ReadonlySet<FakeFault.Fault["_tag"]> = new Set([
  "RequestLost",
  "RequestSilent",
  "RateLimited",
  "Unauthorized",
  "Forbidden",
  "Redirected"
])

const afterActing: ReadonlySet<FakeFault.Fault["_tag"]> = new Set(["ConnectionReset", "ServerError", "Unavailable"])

const isDone = ({ fault, response }: Handled): boolean => {
  if (fault !== undefined && undone.has(fault._tag)) return false
  if (fault !== undefined && afterActing.has(fault._tag)) return "afterActing" in fault && (fault.afterActing ?? false)
  return response.status < 400
}

// The `Retry-After` of a response, in milliseconds.
const pauseOf = ({ response }: Handled) => Math.max(0, Number(response.headers["retry-after"] ?? 0) || 0) * 1_000

const areReadable = ({ delivery, response }: Handled) =>
  delivery._tag === "Responded" &&
  TokenOutcome.interpret(response, { scopes: [], startedAt: 0, now: 0 })._tag === "Granted"

export const make = (zapier: FakeZapier.FakeZapier["Service"], latency: Pick<Seeded, "below">, timeline: Timeline) => {
  const exchanges: Array<Noted> = []
  const lives = new Map<string, Life>()
  const owners = new Map<string, Owner>()
  const holdings = new Map<Subject, Holding>()
  const revoked = new Set<Subject>()
  const disconnected = new Set<Subject>()
  const troubles: Array<Trouble> = []
  const secrets = new Map<string, string>()
  const accounts = new Map<string, Account>()
  const tokensOf = new Map<string, number>()
  let step = 0

  // Tokens are named by their owner, and numbered in the order of their creation.
  const noteSecret = (what: string, text: string | undefined) => {
    if (text !== undefined && text !== "" && !secrets.has(text)) secrets.set(text, what)
  }

  const noteTokens = ({ accessToken, refreshToken }: Issued, owner: Owner | undefined) => {
    const whose = owner ?? "the app"
    const number = (tokensOf.get(whose) ?? 0) + 1
    tokensOf.set(whose, number)
    noteSecret(`an access token (${whose}#${number})`, accessToken)
    noteSecret(`a refresh token (${whose}#${number})`, refreshToken)
  }

  const noteRequest = (exchange: Noted, request: FakeRequest) => {
    const form = formOf(request)
    exchange.request = request
    exchange.refreshToken = form.get("refresh_token") ?? undefined
    exchange.accessToken = bearerOf(request)
    exchange.code = form.get("code") ?? undefined
    exchange.owner = owners.get(exchange.refreshToken ?? exchange.accessToken ?? exchange.code ?? "")
  }

  const noteHandled = (exchange: Noted, request: FakeRequest, handled: Handled) => {
    const { fault, issued, response, state } = handled
    exchange.line = RequestLog.line(request, response.status, fault)
    exchange.isDone = isDone(handled)
    exchange.hasFault = fault !== undefined
    if (fault !== undefined) {
      const pause = pauseOf(handled)
      exchange.trouble = { what: exchange.line, from: exchange.sentAt, until: Infinity }
      exchange.retryAfter = pause
      troubles.push(exchange.trouble)
    }
    if (issued !== undefined) noteTokens(issued, exchange.owner)
    exchange.issued = issued
    exchange.hasTokens = issued !== undefined && areReadable(handled)
    const made = issued && Lookup.accessToken(state, issued.accessToken)
    if (issued === undefined || made === undefined) return
    // By the app's clock, because the fake's own may have jumped.
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

  const give = (owner: Subject, issued: Issued, exchange: Noted) => {
    const before = holdings.get(owner)
    // A server without rotation returns no new refresh token.
    const refreshToken = issued.refreshToken ?? before?.issued.refreshToken
    const account = accounts.get(exchange.code ?? "") ?? before?.account ?? "own"
    holdings.set(owner, { issued: { ...issued, refreshToken }, account, exchange, state: "Good" })
    if (issued.origin._tag !== "Code") return
    revoked.delete(owner)
    disconnected.delete(owner)
  }

  // A lost response to a new consent does not affect the existing grant.
  const lose = (owner: Subject, { grantId, origin, refreshToken }: Issued, { host, trouble }: Noted) => {
    const holding = holdings.get(owner)
    if (holding === undefined || holding.issued.grantId !== grantId) return
    if (origin._tag !== "RefreshToken" || refreshToken === undefined) return
    // A running app without faults has no reason to abandon its request.
    const isOwnFault = trouble === undefined && !host.isGone && !host.isClosing
    holding.state = isOwnFault ? "Wasted" : "Lost"
  }

  const end = (exchange: Noted, response: HttpClientResponse.HttpClientResponse | undefined) => {
    if (exchange.end !== "Open") return
    const { hasTokens, issued, owner, retryAfter, trouble } = exchange
    exchange.endedAt = timeline.now()
    if (trouble !== undefined) trouble.until = exchange.endedAt + (retryAfter ?? 0)
    exchange.end = response === undefined ? "Lost" : "Responded"
    exchange.status = response?.status
    exchange.isGranted = response !== undefined && hasTokens
    if (exchange.request === undefined) exchange.line = `${exchange.line} -> no response`
    if (owner === undefined || owner === stranger || issued === undefined) return
    if (exchange.isGranted) give(owner, issued, exchange)
    else lose(owner, issued, exchange)
  }

  const noting = FakeZapier.FakeZapier.of({ ...zapier, handle })
  const fake = Effect.runSync(
    Effect.scoped(Layer.build(Layer.provide(FakeZapier.layerHttpClient, Layer.succeed(FakeZapier.FakeZapier, noting))))
  )
  const { execute } = Context.get(fake, HttpClient.HttpClient)

  const send = Effect.fnUntraced(function* (host: Host, request: HttpClientRequest.HttpClientRequest) {
    if (host.isGone) return yield* Effect.never
    const url = Option.match(HttpClientRequest.toUrl(request), {
      onNone: () => request.url,
      onSome: ({ href }) => href
    })
    const isForZapier = hosts.has(hostOf(url))
    const exchange: Noted = {
      step,
      actionId: yield* CurrentActionId,
      subject: yield* CurrentSubject,
      instance: host.instance,
      owner: undefined,
      request: undefined,
      url,
      isForZapier,
      line: `${request.method} ${request.url}`,
      sentAt: timeline.now(),
      endedAt: undefined,
      end: "Open",
      status: undefined,
      hasFault: false,
      isDone: false,
      retryAfter: undefined,
      issued: undefined,
      isGranted: false,
      refreshToken: undefined,
      code: undefined,
      accessToken: undefined,
      host,
      hasTokens: false,
      trouble: undefined
    }
    exchanges.push(exchange)
    const oneWay = Effect.suspend(() => Effect.sleep(1 + latency.below(slowest)))
    return yield* oneWay.pipe(
      Effect.andThen(isForZapier ? execute(request) : elsewhere(exchange, request)),
      Effect.tap(oneWay),
      Effect.onExit((exit) => Effect.sync(() => end(exchange, Exit.isSuccess(exit) ? exit.value : undefined))),
      Effect.provideService(CurrentExchange, exchange)
    )
  })

  // Every other host responds 204.
  const elsewhere = (exchange: Noted, request: HttpClientRequest.HttpClientRequest) =>
    Effect.map(Effect.orDie(ClientRequest.toFake(request, new URL(exchange.url))), (sent) => {
      exchange.request = sent
      exchange.line = `${request.method} ${hostOf(exchange.url)} -> 204`
      exchange.isDone = true
      return HttpClientResponse.fromWeb(request, new Response(undefined, { status: 204 }))
    })

  const connectionOf = (subject: Subject): Connection => {
    const holding = holdings.get(subject)
    if (holding === undefined || disconnected.has(subject)) return "None"
    if (revoked.has(subject)) return "Revoked"
    return holding.state
  }

  const isNew = ({ endedAt }: Noted) => endedAt !== undefined && timeline.now() - endedAt < unsaved

  const loseUngranted = (host: Host) => {
    for (const holding of holdings.values()) {
      if (holding.exchange.host === host && !holding.exchange.isGranted) holding.state = "Lost"
    }
  }

  return {
    exchanges: exchanges as ReadonlyArray<Exchange>,
    lives: lives as ReadonlyMap<string, Life>,
    secrets: secrets as ReadonlyMap<string, string>,
    troubles: troubles as ReadonlyArray<Trouble>,
    noteSecret,

    /** Records a cause of failures that lasts for this many milliseconds from now. */
    trouble: (what: string, millis: number) => {
      troubles.push({ what, step, from: timeline.now(), until: timeline.now() + millis })
    },

    connectionOf,

    enter: (next: number) => {
      step = next
    },

    client: (host: Host): HttpClient.HttpClient =>
      HttpClient.makeWith(
        (request: Effect.Effect<HttpClientRequest.HttpClientRequest, HttpClientError.HttpClientError>) =>
          Effect.flatMap(request, (request) => send(host, request)),
        Effect.succeed
      ),

    /** The consent page has redirected the user to this URL. */
    sentBack: (subject: Owner, callback: string, account: Account = "own") => {
      const { searchParams } = new URL(callback)
      const code = searchParams.get("code")
      noteSecret(`a code (${subject})`, code ?? undefined)
      if (code === null) return
      owners.set(code, subject)
      accounts.set(code, account)
    },

    accountOf: (subject: Subject) => holdings.get(subject)?.account,

    accessTokenOf: (subject: Subject) => holdings.get(subject)?.issued.accessToken,

    revoke: (subject: Subject) => void revoked.add(subject),

    disconnect: (subject: Subject) => void disconnected.add(subject),

    stay: (subject: Subject) => void disconnected.delete(subject),

    /** The app closes: tokens that have just arrived for actions under way may not be stored any more. */
    close: (host: Host, actionIds: ReadonlySet<number>) => {
      host.isClosing = true
      for (const exchange of exchanges) {
        if (exchange.host === host && isNew(exchange) && actionIds.has(exchange.actionId ?? -1))
          exchange.isGranted = false
      }
      loseUngranted(host)
    },

    /** The app is killed: responses on their way are lost, and so are those that have just arrived. */
    kill: (host: Host) => {
      host.isGone = true
      for (const exchange of exchanges) {
        if (exchange.host !== host) continue
        if (isNew(exchange) && exchange.isGranted) {
          exchange.isGranted = false
          exchange.end = "Lost"
        }
        end(exchange, undefined)
      }
      loseUngranted(host)
    }
  }
}
