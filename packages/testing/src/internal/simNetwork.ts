/**
 * The network between a process and the fake: it takes its time, does to token requests what it is told to, and notes
 * what it sees. It is no part of any process: what has left arrives, whatever becomes of the sender.
 */
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as FakeHttp from "../FakeHttp.ts"
import type { Fault } from "../Fault.ts"
import * as Answers from "./answers.ts"
import type { Host } from "./simHost.ts"
import { type Caller, CurrentCaller, type Hub } from "./simTypes.ts"
import * as Watch from "./simWatch.ts"

type Response = Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError>

type Prepared = Effect.Effect<HttpClientRequest.HttpClientRequest, HttpClientError.HttpClientError>

interface Sending {
  readonly host: Host
  readonly caller: Caller
  readonly request: HttpClientRequest.HttpClientRequest
  readonly resume: (response: Response) => void
}

// One way through the network, in milliseconds.
const slowest = 200

// How long a request is under way at most that nobody expects any more, in milliseconds.
const latest = 40_000

// What a rate limit or an outage says, in seconds.
const retryAfter = "30"

const unavailable: FakeHttp.FakeResponse = { status: 503, headers: { "retry-after": retryAfter }, body: "" }
const rateLimited: FakeHttp.FakeResponse = { status: 429, headers: { "retry-after": retryAfter }, body: "" }

const decoder = new TextDecoder()

const bytesOf = ({ body }: HttpClientRequest.HttpClientRequest) =>
  body._tag === "Uint8Array" ? body.body : new Uint8Array()

const toFake = (request: HttpClientRequest.HttpClientRequest) =>
  FakeHttp.request(
    request.method,
    Option.match(HttpClientRequest.toUrl(request), { onNone: () => request.url, onSome: ({ href }) => href }),
    { headers: request.headers, body: bytesOf(request) }
  )

export const make = (hub: Hub, host: Host): HttpClient.HttpClient => {
  const { counts, crash, latency, observe, server, timeline } = hub
  const oneWay = () => 1 + latency.below(slowest)

  const sendToken = (fault: Fault | undefined, { caller, request, resume }: Sending) => {
    const broken = (code: string) => Effect.fail(Answers.transportError(request, code))
    const watch = Watch.make(hub, host, caller, new URLSearchParams(decoder.decode(bytesOf(request))))
    if (fault === "CrashBeforeRequest") {
      crash(host)
      return
    }
    if (fault === "NotSent")
      return Effect.sync(timeline.after(oneWay(), () => host.room.enter(() => resume(broken("ECONNREFUSED")))))

    counts.tokenRequests++
    const startedAt = timeline.now()
    let isOpen = true
    let isAbandoned = false
    caller.activeAt = startedAt
    watch.sent()

    const seeAnswer = (outcome: TokenOutcome.TokenOutcome) => {
      isOpen = false
      caller.activeAt = timeline.now()
      watch.answered(outcome)
    }

    const breakOff = () => {
      watch.missed(isOpen && !host.isGone)
      if (host.isGone || !isOpen) return
      seeAnswer({ _tag: "NoResponse" })
      resume(broken("ECONNRESET"))
    }

    const deliver = (response: FakeHttp.FakeResponse) => {
      if (isAbandoned) return
      if (host.isGone || !isOpen) return watch.missed(false)
      if (fault === "CrashBeforeCommit") return crash(host)
      watch.delivered()
      const now = timeline.now()
      seeAnswer(TokenOutcome.interpret(response, { scopes: [], startedAt, now }))
      if (fault === "CrashAfterCommit") host.endsAfterWrite = true
      if (fault === "StandstillBeforeCommit") host.standsAtStore = true
      resume(Effect.succeed(Answers.make(request, response)))
    }

    // What comes to a process that stands still waits for it.
    const bring = (response: FakeHttp.FakeResponse) => host.room.enter(() => deliver(response))

    const act = () => watch.act(toFake(request), false)

    const arriveLate = () => {
      watch.act(toFake(request), true)
      if (!isOpen || host.isGone) watch.missed(false)
    }

    const arrive = () => {
      switch (fault) {
        case "RequestSilent":
          return
        case "RequestLost":
          return host.room.enter(breakOff)
        case "RequestLate":
          timeline.after(latency.below(latest), arriveLate)
          // Whoever is told of it at once tries again before it arrives.
          return latency.chance(0.5) ? host.room.enter(breakOff) : undefined
        case "Unavailable":
          return bring(unavailable)
        case "RateLimited":
          return bring(rateLimited)
        case "UnavailableAfterActing":
          act()
          watch.missed(false)
          return void timeline.after(oneWay(), () => bring(unavailable))
        case "ResponseLost":
          act()
          return void timeline.after(oneWay(), () => host.room.enter(breakOff))
        default: {
          const response = act()
          const way = fault === "AnswerSlow" ? hub.requestTimeout * 2 : oneWay()
          return void timeline.after(way, () => bring(response))
        }
      }
    }

    timeline.after(oneWay(), arrive)
    if (fault === "CrashInFlight") crash(host)
    if (fault === "StandstillInFlight") hub.suspend(host)
    return Effect.sync(() => {
      if (!isOpen || host.isGone) return
      // A client that hangs up before its time throws away what it could have had: that is no excuse for a lost grant.
      isAbandoned = fault === undefined && timeline.now() - startedAt < hub.requestTimeout
      if (!isAbandoned) watch.missed(true)
      seeAnswer({ _tag: "NoResponse" })
    })
  }

  const call = ({ caller, request, resume }: Sending) => {
    timeline.after(oneWay(), () => {
      const response = server.handle(toFake(request))
      const deliver = () => {
        if (host.isGone) return
        if (response.status === 401) {
          counts.unauthorized++
          const accessToken = (request.headers["authorization"] ?? "").replace("Bearer ", "")
          const rejected = { _tag: "AccessRejected", owner: host.owner, accessToken } as const
          if (caller._tag === "User") observe(caller, rejected)
          else if (accessToken !== "") hub.observeApp(rejected)
        }
        resume(Effect.succeed(Answers.make(request, response)))
      }
      timeline.after(oneWay(), () => host.room.enter(deliver))
    })
  }

  const send = (request: HttpClientRequest.HttpClientRequest): Response =>
    Effect.flatMap(CurrentCaller, (caller) =>
      Effect.callback((resume) => {
        // Whoever is gone sends nothing, and nobody is meant where there is no caller.
        if (host.isGone || caller === undefined) return
        const sending = { host, caller, request, resume }
        return request.url.endsWith("/oauth/token/") ? sendToken(hub.faultOf(host), sending) : call(sending)
      })
    )

  return HttpClient.makeWith((request: Prepared) => Effect.flatMap(request, send), Effect.succeed)
}
