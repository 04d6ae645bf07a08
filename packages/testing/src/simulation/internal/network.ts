/**
 * The network between a process and the fake: it takes time, injects faults into token requests, and records them. It
 * is not part of any process: a sent request arrives even if its sender ends.
 */
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as FakeHttp from "../../fake/FakeHttp.ts"
import type { TokenRequestFault } from "../TokenRequestFault.ts"
import * as Responses from "../../fake/internal/responses.ts"
import { CurrentCaller, type Host, type Hub, wallOf } from "./types.ts"
import * as Watch from "./watch.ts"

type Response = Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError>

type Prepared = Effect.Effect<HttpClientRequest.HttpClientRequest, HttpClientError.HttpClientError>

interface Sending {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly resume: (response: Response) => void
}

// One way through the network, in milliseconds.
const slowest = 200

// The longest delay of a late request, and of a late response after the process stops waiting, in milliseconds.
const latest = 40_000

// The value of `Retry-After`, in seconds.
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
  const { counts, crash, latency, server, settings, timeline } = hub
  const { responseTimeout, requestTimeout, storeTimeout } = settings
  const oneWay = () => 1 + latency.below(slowest)

  // The shortest time that a process waits for a response: the claim took a part of it.
  const listening = responseTimeout - storeTimeout

  const sendToken = (fault: TokenRequestFault | undefined, { request, resume }: Sending) => {
    const broken = (code: string) => Effect.fail(Responses.transportError(request, code))
    const watch = Watch.make(hub, host, new URLSearchParams(decoder.decode(bytesOf(request))))
    if (fault === "CrashBeforeRequest") {
      crash(host)
      return
    }
    if (fault === "NotSent")
      return Effect.sync(timeline.after(oneWay(), () => host.room.enter(() => resume(broken("ECONNREFUSED")))))

    counts.tokenRequests++
    const sentAt = timeline.now()
    const startedAt = wallOf(hub, host)
    let isOpen = true
    let hasArrived = false
    let isAbandoned = false
    // A process that was paused between its claim and its request has less time to wait.
    const atLeast = host.awakeSince < sentAt - responseTimeout ? listening : 0
    watch.sent()

    const conclude = (outcome: TokenOutcome.TokenOutcome) => {
      isOpen = false
      watch.responded(outcome)
    }

    const breakOff = () => {
      watch.missed(isOpen && !host.isGone)
      if (host.isGone || !isOpen) return
      conclude({ _tag: "NoResponse" })
      resume(broken("ECONNRESET"))
    }

    const deliver = (response: FakeHttp.FakeResponse) => {
      if (isAbandoned) return
      if (host.isGone || !isOpen) return watch.missed(false)
      if (fault === "CrashBeforeCommit") return crash(host)
      watch.delivered()
      conclude(TokenOutcome.interpret(response, { scopes: [], startedAt, now: wallOf(hub, host) }))
      if (fault === "CrashAfterCommit") host.endsAfterWrite = true
      if (fault === "PauseBeforeCommit") host.pausesAtStore = true
      resume(Effect.succeed(Responses.make(request, response)))
    }

    // A paused process receives it when it resumes.
    const bring = (response: FakeHttp.FakeResponse) => {
      hasArrived = true
      host.room.enter(() => deliver(response))
    }

    const act = () => watch.act(toFake(request), false)

    const arriveLate = () => {
      watch.act(toFake(request), true)
      if (!isOpen || host.isGone) watch.missed(false)
    }

    const wayBack = () => {
      if (fault === "ResponseSlow")
        return latency.chance(0.5)
          ? latency.below(requestTimeout)
          : requestTimeout + latency.below(listening - requestTimeout)
      return fault === "ResponseLate" ? responseTimeout + 1_000 + latency.below(latest) : oneWay()
    }
    const arrive = () => {
      switch (fault) {
        case "RequestSilent":
          return
        case "RequestLost":
          return host.room.enter(breakOff)
        case "ResponseSilent":
          act()
          return
        case "RequestLate":
          timeline.after(latency.below(latest), arriveLate)
          // A sender that gets an error at once retries before the request arrives.
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
          return void timeline.after(wayBack(), () => bring(response))
        }
      }
    }

    timeline.after(oneWay(), arrive)
    if (fault === "CrashInFlight") crash(host)
    if (fault === "PauseInFlight") hub.pause(host)
    return Effect.sync(() => {
      if (!isOpen || host.isGone) return
      // A client that stops waiting early, or after the response arrived, drops it: no excuse for a lost grant.
      const isEarly = timeline.now() - sentAt < atLeast && (fault === undefined || fault === "ResponseSlow")
      isAbandoned = isEarly || hasArrived
      if (!isAbandoned) watch.missed(false)
      conclude({ _tag: "NoResponse" })
    })
  }

  const call = ({ request, resume }: Sending) => {
    timeline.after(oneWay(), () => {
      const response = server.handle(toFake(request))
      const deliver = () => {
        if (host.isGone) return
        if (response.status === 401) counts.unauthorized++
        resume(Effect.succeed(Responses.make(request, response)))
      }
      timeline.after(oneWay(), () => host.room.enter(deliver))
    })
  }

  const send = (request: HttpClientRequest.HttpClientRequest): Response =>
    Effect.flatMap(CurrentCaller, (caller) =>
      Effect.callback((resume) => {
        if (host.isGone) return
        if (request.url.endsWith("/oauth/token/")) return sendToken(hub.faultOf(host), { request, resume })
        return caller === undefined ? undefined : call({ request, resume })
      })
    )

  return HttpClient.makeWith((request: Prepared) => Effect.flatMap(request, send), Effect.succeed)
}
