/** Who looks on while a token request is under way: it notes what it is about, and what becomes of it. */
import type * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import type { FakeRequest, FakeResponse } from "../FakeHttp.ts"
import type { Host } from "./simHost.ts"
import { refreshTokenOf } from "./simServer.ts"
import * as Invariants from "../Invariants.ts"
import type { Caller, Hub, Subject } from "./simTypes.ts"

export interface Watch {
  /** The request has left. */
  readonly sent: () => void
  /** Gives the request to the server. `isLate`: its sender had no way to tell that it was still to come. */
  readonly act: (request: FakeRequest, isLate: boolean) => FakeResponse
  /** The sender has the server's answer. */
  readonly delivered: () => void
  /** The server's answer will not be there any more. `isTold`: the sender is alive and learns of it. */
  readonly missed: (isTold: boolean) => void
  /** The sender knows how it has ended. */
  readonly answered: (outcome: TokenOutcome.TokenOutcome) => void
}

const ofCode = ({ observe, server, timeline }: Hub, subject: Subject, code: string): Watch => ({
  sent: () => observe(subject, { _tag: "CodeSent", code, at: timeline.now() }),
  act: server.handle,
  delivered: () => undefined,
  missed: () => undefined,
  answered: (outcome) => observe(subject, { _tag: "CodeResponded", outcome })
})

const ofRefresh = (hub: Hub, host: Host, subject: Subject, refreshToken: string): Watch => {
  const { fates, observe, server, timeline } = hub
  const { owner } = host
  const { fate } = subject
  const exchange = fates.tried(fate, host, refreshToken)
  return {
    sent: () => observe(subject, { _tag: "Sent", owner, token: refreshToken, at: timeline.now() }),
    act: (request, isLate) => {
      const stored = refreshTokenOf(subject.ledger.record)
      const wasThere = server.isOfGrant(stored)
      const response = server.handle(request)
      if (wasThere && !server.isOfGrant(stored)) fates.reused(fate, refreshToken, isLate)
      if (stored === refreshToken) fates.answered(fate, exchange, refreshToken, response, isLate)
      return response
    },
    delivered: () => fates.delivered(fate, exchange),
    missed: (isTold) => fates.missed(fate, exchange, isTold),
    answered: (outcome) =>
      observe(subject, { _tag: "Responded", owner, token: refreshToken, at: timeline.now(), outcome })
  }
}

const ofApp = ({ counts, observeApp, server, timeline }: Hub, { owner }: Host): Watch => ({
  sent: () => {
    counts.appTokenRequests++
    observeApp({ _tag: "Sent", owner, token: Invariants.app, at: timeline.now() })
  },
  act: server.handle,
  delivered: () => undefined,
  missed: () => undefined,
  answered: (outcome) => observeApp({ _tag: "Responded", owner, token: Invariants.app, at: timeline.now(), outcome })
})

/** By what the request's form says. */
export const make = (hub: Hub, host: Host, caller: Caller, form: URLSearchParams): Watch => {
  if (caller._tag === "App") return ofApp(hub, host)
  const refreshToken = form.get("refresh_token")
  const code = form.get("code")
  if (refreshToken !== null) return ofRefresh(hub, host, caller, refreshToken)
  if (code !== null) return ofCode(hub, caller, code)
  throw new Error("a user's token request has a code or a refresh token")
}
