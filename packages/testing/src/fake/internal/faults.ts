/** Selects the fault of a request, and applies it to the response. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as FakeFault from "../FakeFault.ts"
import * as FakeHttp from "../FakeHttp.ts"
import type { Responded, Delivery, Handled } from "../FakeOutcome.ts"
import type * as FakeState from "../FakeState.ts"
import * as Authenticate from "./api/authenticate.ts"
import { problem } from "./api/call.ts"
import * as Authorize from "./authorize.ts"
import * as Lookup from "./lookup.ts"
import * as Parse from "./parse.ts"
import * as RateLimits from "./rateLimits.ts"
import * as Seeded from "../../internal/seeded.ts"
import * as Token from "./token.ts"
import * as Tokens from "./tokens.ts"
import * as Connect from "./whiteLabel/connect.ts"
import * as Jwt from "./whiteLabel/jwt.ts"

// -----------------------------------------------------------------------------
// Selecting a fault
// -----------------------------------------------------------------------------

const isFor = (target: FakeFault.Target, { method, path }: FakeHttp.FakeRequest): boolean => {
  if (target === "token") return Parse.route(path) === "Token"
  if (target === "authorize") return Parse.route(path) === "Authorize"
  if (target === "connect") return Parse.route(path) === "Connect"
  return target.startsWith("/") ? path === target : Endpoint.match(method, path) === target
}

// A White Label user also has the partner's own id, which is the only one before the first exchange.
const isOf = (state: FakeState.FakeState, id: number | undefined, user: string): boolean => {
  if (id === undefined) return false
  const partners = Option.getOrUndefined(HashMap.get(state.whiteLabelUsers, id))
  return partners === undefined
    ? Lookup.user(state, id)?.email === user
    : [partners.email, partners.user].includes(user)
}

const isOfTokenRequest = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, user: string): boolean => {
  const form = Parse.form(request) ?? Parse.none
  const subject = form.get("subject_token") ?? ""
  const claims = Jwt.parts(subject)?.claims
  if (claims !== undefined) {
    const app = Option.getOrUndefined(HashMap.get(state.apps, Token.partner(state, request) ?? ""))
    return claims[app?.whiteLabel?.userClaim ?? "sub"] === user
  }
  const { code, exchanged } = Lookup.code(state, form.get("code") ?? "")
  const grant = exchanged ?? Lookup.refreshToken(state, form.get("refresh_token") ?? "", 0)?.grant
  return isOf(state, (code ?? grant ?? Lookup.accessToken(state, subject))?.userId, user)
}

const isOfUser = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, user: string): boolean => {
  switch (Parse.route(request.path)) {
    case "Token":
      return isOfTokenRequest(state, request, user)
    case "Authorize":
      return Parse.form(request)?.get("user") === user && state.users.some(({ email }) => email === user)
    case "Connect":
      return isOf(state, Connect.userIdOf(state, request), user)
    case "Api":
      return isOf(state, Authenticate.tokenOf(state, request)?.userId, user)
    case "Unslashed":
      return false
  }
}

const isMeant = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, match: FakeFault.Match = {}): boolean => {
  const { endpoint, grantType, user } = match
  if (endpoint !== undefined && !isFor(endpoint, request)) return false
  if (grantType !== undefined) {
    if (Parse.route(request.path) !== "Token" || Parse.form(request)?.get("grant_type") !== grantType) return false
  }
  return user === undefined || isOfUser(state, request, user)
}

// A random source of its own, so that faults do not change tokens.
const draw = (state: FakeState.FakeState): readonly [number, FakeState.FakeState] => [
  Seeded.make(state.key.join(" "), `fault ${state.faultsDrawn}`).next(),
  { ...state, faultsDrawn: state.faultsDrawn + 1 }
]

const used = (rule: FakeFault.Rule): ReadonlyArray<FakeFault.Rule> => {
  const times = rule.times ?? (rule.share === undefined ? 1 : "Always")
  if (times === "Always") return [rule]
  return times === 1 ? [] : [{ ...rule, times: times - 1 }]
}

/** The fault to inject into a request, if any, and the rules that are left. */
export const inject = (state: FakeState.FakeState, request: FakeHttp.FakeRequest) => {
  let drawn = state
  let fault: FakeFault.Fault | undefined
  if (state.faults.length === 0) return { state, fault }
  const faults: Array<FakeFault.Rule> = []
  for (const rule of state.faults) {
    if (fault !== undefined || !isMeant(state, request, rule.match)) {
      faults.push(rule)
    } else if (rule.nth !== undefined && rule.nth > 1) {
      faults.push({ ...rule, nth: rule.nth - 1 })
    } else {
      let isInjected = true
      if (rule.share !== undefined) {
        const [number, next] = draw(drawn)
        drawn = next
        isInjected = number < rule.share
      }
      if (isInjected) fault = rule.fault
      faults.push(...(isInjected ? used(rule) : [rule]))
    }
  }
  return { state: { ...drawn, faults }, fault }
}

// -----------------------------------------------------------------------------
// Applying a fault
// -----------------------------------------------------------------------------

const gatewayPage = (status: number): FakeHttp.FakeResponse =>
  FakeHttp.html(
    status,
    `<!doctype html>\n<html lang="en"><head><title>${status}</title></head><body><h1>${status}</h1></body></html>\n`
  )

const refusal = (
  request: FakeHttp.FakeRequest,
  status: 429 | 503,
  detail: string,
  retryAfter: number,
  { settings }: FakeState.FakeState,
  now: number
): FakeHttp.FakeResponse => {
  const response = Parse.isPage(request.path)
    ? Authorize.refusal(request, { status, problem: detail })
    : problem(status, detail)
  const limits = RateLimits.headers(settings.requestsPerPartner, now + retryAfter * 1_000, now)
  return { ...response, headers: { ...response.headers, ...limits } }
}

// Rejects a credential as each part of Zapier does.
const rejection = (request: FakeHttp.FakeRequest, status: 401 | 403): FakeHttp.FakeResponse => {
  switch (Parse.route(request.path)) {
    case "Token":
      return status === 401 ? Tokens.invalidClient : gatewayPage(403)
    case "Api":
      return status === 401
        ? Authenticate.invalidToken("The access token is invalid.")
        : problem(403, "You do not have permission to perform this action.")
    case "Authorize":
    case "Connect":
      return Authorize.refusal(request, { status, problem: "Zapier does not let this app in." })
    case "Unslashed":
      return gatewayPage(status)
  }
}

// A domain that no one can own (RFC 6761 section 6.4).
const elsewhere = "https://redirected.invalid"

// The query is left out, because it may hold a credential.
const redirection = ({ path }: FakeHttp.FakeRequest, status: number): FakeHttp.FakeResponse => ({
  status,
  headers: { location: `${elsewhere}${path}`, "cache-control": "no-store" },
  body: ""
})

const withType = (value: Schema.Json): Schema.Json => (typeof value === "string" ? value.length : JSON.stringify(value))

// A response that is not an object gets the members anyway.
const withTypes = (
  { body }: FakeHttp.FakeResponse,
  members: { readonly [name: string]: Schema.Json } | undefined
): string => {
  const json = Parse.jsonText(body)
  const given = typeof json === "object" && json !== null ? (json as { readonly [name: string]: Schema.Json }) : {}
  const changed = members ?? Object.fromEntries(Object.entries(given).map(([name, value]) => [name, withType(value)]))
  return JSON.stringify({ ...given, ...changed })
}

const size = (text: string) => new TextEncoder().encode(text).length

const truncated = ({ body }: FakeHttp.FakeResponse, bytes: number | undefined): Delivery => {
  const all = size(body)
  // Without a body, the connection closes before any of it.
  return all === 0 ? { _tag: "Closed" } : { _tag: "Truncated", bytes: Math.min(bytes ?? all >> 1, all - 1) }
}

export const atOnce: Delivery = { _tag: "Responded", delay: 0 }

type Respond = (state: FakeState.FakeState) => Responded

/** Applies a fault to a request. */
export const apply = (
  fault: FakeFault.Fault,
  request: FakeHttp.FakeRequest,
  state: FakeState.FakeState,
  now: number,
  respond: Respond
): Handled => {
  const unseen = (delivery: Delivery): Handled => ({ state, response: FakeHttp.networkError, delivery, fault })
  const acting = (change: (response: FakeHttp.FakeResponse) => FakeHttp.FakeResponse): Handled => {
    const responded = respond(state)
    return { ...responded, response: change(responded.response), delivery: atOnce, fault }
  }
  const undelivered = (deliver: (response: FakeHttp.FakeResponse) => Delivery): Handled => {
    const responded = respond(state)
    return { ...responded, delivery: deliver(responded.response), fault }
  }
  const instead = (response: FakeHttp.FakeResponse, isAfterActing = false): Handled =>
    isAfterActing ? acting(() => response) : { state, response, delivery: atOnce, fault }
  const time = now + state.clockOffset
  return FakeFault.Fault.match(fault, {
    RequestLost: () => unseen({ _tag: "Closed" }),
    RequestSilent: () => unseen({ _tag: "Silent" }),
    ResponseLost: () => undelivered(() => ({ _tag: "Closed" })),
    ResponseSilent: () => undelivered(() => ({ _tag: "Silent" })),
    ResponseSlow: ({ millis }) => undelivered(() => ({ _tag: "Responded", delay: millis })),
    ConnectionReset: ({ afterActing }) =>
      afterActing === true ? undelivered(() => ({ _tag: "Reset" })) : unseen({ _tag: "Reset" }),
    ServerError: ({ afterActing, status }) => instead(gatewayPage(status), afterActing),
    Unavailable: ({ afterActing, retryAfter = 30 }) =>
      instead(refusal(request, 503, "The service is not available.", retryAfter, state, time), afterActing),
    RateLimited: ({ retryAfter = 60 }) =>
      instead(refusal(request, 429, "Request was throttled.", retryAfter, state, time)),
    Unauthorized: () => instead(rejection(request, 401)),
    Forbidden: () => instead(rejection(request, 403)),
    Redirected: ({ status = 302 }) => instead(redirection(request, status)),
    MalformedJson: () => acting((response) => ({ ...response, body: response.body.slice(0, -1) })),
    WrongTypes: ({ members }) => acting((response) => ({ ...response, body: withTypes(response, members) })),
    TruncatedBody: ({ bytes }) => undelivered((response) => truncated(response, bytes)),
    WrongContentType: ({ contentType = "text/html" }) =>
      acting((response) => ({ ...response, headers: { ...response.headers, "content-type": contentType } })),
    ClockJump: ({ millis }) => ({
      ...respond({ ...state, clockOffset: state.clockOffset + millis }),
      delivery: atOnce,
      fault
    })
  })
}
