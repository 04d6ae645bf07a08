/**
 * The fake Zapier as a pure function: a state and a request give the next state and a response. It never throws, takes
 * the time as an argument, and follows Zapier's documented rules to the letter.
 *
 * Sources: Zapier's "Authentication" page and API reference of the Workflow API; RFC 6749, RFC 7636; recorded responses
 * of Django OAuth Toolkit 1.7.0, where Zapier documents none.
 *
 * @since 0.1.0
 */
import * as FakeHttp from "./FakeHttp.ts"
import type { Responded, Handled } from "./FakeOutcome.ts"
import { type FakeState, sweep } from "./FakeState.ts"
import type { Facts } from "./FakeWhiteLabel.ts"
import * as Authenticate from "./internal/api/authenticate.ts"
import * as Api from "./internal/api/endpoints.ts"
import * as Authorize from "./internal/authorize.ts"
import * as CrossOrigin from "./internal/crossOrigin.ts"
import * as Faults from "./internal/faults.ts"
import * as Links from "./internal/links.ts"
import * as RateLimits from "./internal/rateLimits.ts"
import * as Parse from "./internal/parse.ts"
import * as Token from "./internal/token.ts"
import * as Connect from "./internal/whiteLabel/connect.ts"

/**
 * Handles a request. The first rule of `state.faults` that applies to it changes the response, or keeps it from
 * arriving.
 *
 * @param now milliseconds since the epoch; the state's clock offset is added
 * @param facts the facts that this request asked for: see `Responded.question`
 *
 * @example
 * ```ts
 * import * as FakeHttp from "@zapier-workflow-auth/testing/fake/FakeHttp"
 * import * as FakeServer from "@zapier-workflow-auth/testing/fake/FakeServer"
 * import * as FakeState from "@zapier-workflow-auth/testing/fake/FakeState"
 *
 * const { response } = FakeServer.handle(FakeState.make(), FakeHttp.request("GET", "/v2/zaps"), 0)
 *
 * response.status // => 401
 * ```
 *
 * @since 0.1.0
 */
export const handle = (state: FakeState, request: FakeHttp.FakeRequest, now: number, facts: Facts = {}): Handled => {
  // Pages are for browsers to visit, so no script reads them.
  if (!state.settings.allowsCrossOrigin || Parse.isPage(request.path)) return handled(state, request, now, facts)
  if (CrossOrigin.isPreflight(request)) {
    return { state, response: CrossOrigin.preflight(request), delivery: Faults.atOnce }
  }
  const { response, ...rest } = handled(state, request, now, facts)
  return { ...rest, response: CrossOrigin.readable(response) }
}

const handled = (state: FakeState, request: FakeHttp.FakeRequest, now: number, facts: Facts): Handled => {
  const injected = Faults.inject(state, request)
  if (injected.fault !== undefined) {
    return Faults.apply(injected.fault, request, injected.state, now, (state) =>
      respond(state, request, now + state.clockOffset, facts)
    )
  }
  return { ...respond(injected.state, request, now + state.clockOffset, facts), delivery: Faults.atOnce }
}

const slashed = ({ path, query }: FakeHttp.FakeRequest) => `${path}/${query && `?${query}`}`

const respond = (unswept: FakeState, request: FakeHttp.FakeRequest, time: number, facts: Facts): Responded => {
  const state = sweep(unswept, time)
  const limited = (partnerOf: typeof Token.partner, handle: typeof Token.handle): Responded => {
    const { refusal, state: counted } = RateLimits.check(state, request, partnerOf(state, request), time)
    return refusal === undefined ? handle(counted, request, time, facts) : { state: counted, response: refusal }
  }
  const { rateLimits, rateLimitsTokenRequests } = state.settings
  switch (Parse.route(request.path)) {
    case "Authorize":
      return Authorize.handle(state, request, time)
    case "Token":
      return rateLimits && rateLimitsTokenRequests
        ? limited(Token.partner, Token.handle)
        : Token.handle(state, request, time, facts)
    case "Connect":
      return Connect.handle(state, request, time)
    case "Unslashed":
      return { state, response: FakeHttp.redirect(301, Links.pathTo(request, slashed(request))) }
    case "Api":
      return rateLimits ? limited(Authenticate.partner, Api.handle) : Api.handle(state, request, time)
  }
}
