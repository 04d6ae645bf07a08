/**
 * The fake Zapier as a pure function: a state and a request give the next state and a response. It never throws, it knows
 * the time only as an argument, and it follows Zapier's documented rules to the letter.
 *
 * Sources: Zapier's "Authentication" page and API reference of the Workflow API; RFC 6749, RFC 7636; Django OAuth
 * Toolkit 1.7.0, as recorded, for answers that Zapier does not document.
 *
 * @since 0.1.0
 */
import type * as FakeFault from "./FakeFault.ts"
import type { FakeRequest, FakeResponse } from "./FakeHttp.ts"
import * as FakeHttp from "./FakeHttp.ts"
import { type FakeState, sweep } from "./FakeState.ts"
import * as Authenticate from "./internal/api/authenticate.ts"
import * as Api from "./internal/api/endpoints.ts"
import * as Authorize from "./internal/authorize.ts"
import * as Faults from "./internal/faults.ts"
import * as RateLimits from "./internal/rateLimits.ts"
import { route } from "./internal/route.ts"
import * as Token from "./internal/token.ts"

/**
 * Tokens that an answer gave, and what they came from.
 *
 * @since 0.1.0
 */
export type Issued = Token.Issued

/**
 * What the client gets to see of an answer.
 *
 * - `Answered`: all of it, after `delay` milliseconds
 * - `Truncated`: so many bytes of the body, of which the headers promise more; then the connection is closed
 * - `Closed`: nothing: the connection is closed
 * - `Reset`: nothing: the connection is reset
 * - `Silent`: nothing, for as long as it waits
 *
 * @since 0.1.0
 */
export type Delivery =
  | { readonly _tag: "Answered"; readonly delay: number }
  | { readonly _tag: "Truncated"; readonly bytes: number }
  | { readonly _tag: "Closed" }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Silent" }

/**
 * What came of a request.
 *
 * @since 0.1.0
 */
export interface Handled {
  readonly state: FakeState
  /** What it was answered with, whether that arrives or not. `FakeHttp.networkError` when the request never arrived. */
  readonly response: FakeResponse
  /** What of the answer arrives. */
  readonly delivery: Delivery
  /** The tokens of this answer, if it has any, whether it arrives or not. */
  readonly issued?: Issued
  /** What it was struck by. */
  readonly fault?: FakeFault.Fault
}

/**
 * Answers a request. The first rule of `state.faults` that strikes it changes the answer, or keeps it from arriving.
 *
 * @param now milliseconds since the epoch; the state's clock offset is added
 *
 * @example
 * ```ts
 * import * as FakeHttp from "@zapier-workflow-auth/testing/FakeHttp"
 * import * as FakeServer from "@zapier-workflow-auth/testing/FakeServer"
 * import * as FakeState from "@zapier-workflow-auth/testing/FakeState"
 *
 * const { response } = FakeServer.handle(FakeState.make(), FakeHttp.request("GET", "/v2/zaps"), 0)
 *
 * response.status // => 401
 * ```
 *
 * @since 0.1.0
 */
export const handle = (state: FakeState, request: FakeRequest, now: number): Handled => {
  const struck = Faults.strike(state, request)
  if (struck.fault !== undefined) {
    return Faults.apply(struck.fault, struck.state, now, (state) => answer(state, request, now + state.clockOffset))
  }
  return { ...answer(struck.state, request, now + state.clockOffset), delivery: atOnce }
}

const atOnce: Delivery = { _tag: "Answered", delay: 0 }

type Answer = Omit<Handled, "delivery" | "fault">

const answer = (unswept: FakeState, request: FakeRequest, time: number): Answer => {
  const state = sweep(unswept, time)
  switch (route(request.path)) {
    case "Authorize":
      return Authorize.handle(state, request, time)
    case "Token": {
      if (!state.knobs.rateLimitsTokenRequests) return Token.handle(state, request, time)
      return limited(state, request, time, Token.partner, Token.handle)
    }
    case "Unslashed":
      return { state, response: FakeHttp.redirect(301, `${request.path}/${request.query && `?${request.query}`}`) }
    case "Api":
      return limited(state, request, time, Authenticate.partner, Api.handle)
  }
}

// Answers within the rate limits.
const limited = (
  state: FakeState,
  request: FakeRequest,
  time: number,
  partnerOf: (state: FakeState, request: FakeRequest) => string | undefined,
  answer: (state: FakeState, request: FakeRequest, time: number) => Answer
): Answer => {
  if (!state.knobs.rateLimits) return answer(state, request, time)
  const counted = RateLimits.check(state, request, partnerOf(state, request), time)
  return counted.refusal === undefined
    ? answer(counted.state, request, time)
    : { state: counted.state, response: counted.refusal }
}
