/** Observes a token request under way: whose it is, and how it ends. */
import type * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type { FakeRequest, FakeResponse } from "../../fake/FakeHttp.ts"
import * as Invariants from "../../Invariants.ts"
import { refreshTokenOf } from "./server.ts"
import { type Caller, type Host, type Hub, type Subject, wallOf } from "./types.ts"

export interface Watch {
  /** The request was sent. */
  readonly sent: () => void
  /** Passes the request to the server. `isLate`: its sender could not know that it was still under way. */
  readonly act: (request: FakeRequest, isLate: boolean) => FakeResponse
  /** The sender received the server's response. */
  readonly delivered: () => void
  /** The server's response will never arrive. `isTold`: the sender is alive and gets an error. */
  readonly missed: (isTold: boolean) => void
  /** The sender knows the outcome. */
  readonly responded: (outcome: TokenOutcome.TokenOutcome) => void
}

const nothing = () => undefined

const unwatched = ({ server }: Hub) => ({ act: server.handle, delivered: nothing, missed: nothing })

const ofCode = (hub: Hub, { owner }: Host, subject: Subject, code: string): Watch => ({
  ...unwatched(hub),
  sent: () => hub.observe(subject, { _tag: "CodeSent", code, at: hub.timeline.now() }),
  responded: (outcome) => hub.observe(subject, { _tag: "CodeResponded", outcome, owner })
})

const ofToken = (hub: Hub, host: Host, caller: Caller, token: string) => ({
  sent: () => {
    if (host.isAstray) hub.observe(caller, { _tag: "ClocksDisagree" })
    hub.observe(caller, { _tag: "Sent", owner: host.owner, token, at: wallOf(hub, host) })
  },
  responded: (outcome: TokenOutcome.TokenOutcome) =>
    hub.observe(caller, { _tag: "Responded", owner: host.owner, token, at: wallOf(hub, host), outcome })
})

const ofRefresh = (hub: Hub, host: Host, subject: Subject, token: string): Watch => {
  const { recoveries, server, settings, timeline } = hub
  const { recoverability } = subject
  const sentAt = timeline.now()
  const { record } = subject.history
  const leaseEnds = record._tag === "Refreshing" ? record.lease.deadline - host.ahead : sentAt
  const exchange = recoveries.tried(recoverability, host, token, leaseEnds)
  // True if a caller of that process without an access token waits for the result, so that it has to be sent again if
  // the connection breaks.
  const isAwaited = () => {
    const { record } = subject.history
    if (record._tag === "Absent" || Tokens.isRejected(record.tokens)) return false
    const now = timeline.now()
    const ended = record.tokens.expiresAt - host.ahead
    return [...host.calls].some(
      ({ caller, since, wantsAccess }) =>
        wantsAccess && caller === subject && ended <= since && since <= sentAt && now - since < settings.requestTimeout
    )
  }
  return {
    ...ofToken(hub, host, subject, token),
    act: (request, isLate) => {
      const stored = refreshTokenOf(subject.history.record)
      const wasThere = server.isOfGrant(stored)
      const response = server.handle(request)
      if (wasThere && !server.isOfGrant(stored)) {
        recoveries.reused(recoverability, token, isLate || subject.history.isAstray)
      }
      if (stored === token) recoveries.responded(recoverability, exchange, token, response, isLate)
      return response
    },
    delivered: () => recoveries.delivered(recoverability, exchange),
    missed: (isTold) => recoveries.missed(recoverability, exchange, isTold && isAwaited())
  }
}

const ofApp = (hub: Hub, host: Host): Watch => {
  const watch = ofToken(hub, host, hub.app, Invariants.app)
  const sent = () => {
    hub.counts.appTokenRequests++
    watch.sent()
  }
  return { ...unwatched(hub), ...watch, sent }
}

/** Chooses by the request's form. */
export const make = (hub: Hub, host: Host, form: URLSearchParams): Watch => {
  const refreshToken = form.get("refresh_token")
  if (refreshToken !== null) return ofRefresh(hub, host, hub.subjectOf(refreshToken), refreshToken)
  const code = form.get("code")
  return code === null ? ofApp(hub, host) : ofCode(hub, host, hub.subjectOf(code), code)
}
