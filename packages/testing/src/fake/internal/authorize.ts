/** The authorization endpoint with its consent page: RFC 6749 sections 4.1.1 and 4.1.2. */
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as FakeHttp from "../FakeHttp.ts"
import type { Responded } from "../FakeOutcome.ts"
import type * as FakeState from "../FakeState.ts"
import { malformed, problem } from "./api/call.ts"
import * as CrossOrigin from "./crossOrigin.ts"
import * as Links from "./links.ts"
import * as Pages from "./pages/consent.ts"
import * as Parse from "./parse.ts"
import * as Text from "../../internal/text.ts"

export interface Valid {
  readonly app: FakeState.App
  readonly redirectUri: string
  readonly state: string | undefined
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly challenge: FakeState.Code["challenge"]
}

/** An error for the sender of a request. `parameter` names the invalid parameter, if it is one. */
export interface Rejection {
  readonly status: 400 | 401 | 403 | 429 | 503
  /** The status on a page, if it differs: Django OAuth Toolkit uses 400 on all of its own. */
  readonly pageStatus?: 400
  readonly problem: string
  readonly parameter?: string | undefined
}

/** An invalid request: the error goes to its sender if the app cannot be trusted, otherwise to the app. */
export type Refusal =
  | ({ readonly _tag: "Rejected" } & Rejection)
  | { readonly _tag: "Redirect"; readonly location: string; readonly error: string }

export const check = (state: FakeState.FakeState, given: Parse.Parameters): Result.Result<Valid, Refusal> => {
  const reject = (parameter: string, problem: string, status: Rejection["status"] = 400) =>
    Result.fail<Refusal>({ _tag: "Rejected", status, pageStatus: 400, problem, parameter })
  const app = Option.getOrUndefined(HashMap.get(state.apps, given.get("client_id") ?? ""))
  const redirectUri = given.get("redirect_uri")
  if (given.duplicate !== undefined) return reject(given.duplicate, `The parameter ${given.duplicate} is repeated.`)
  if (app === undefined) return reject("client_id", "The client_id is missing or unknown.", 401)
  if (redirectUri === undefined) return reject("redirect_uri", "The redirect_uri is missing.")
  if (!app.redirectUris.includes(redirectUri)) {
    return reject("redirect_uri", "The redirect_uri is not registered. It has to match a registered one exactly.")
  }
  const echoed = given.get("state")
  const refuse = (error: string) =>
    Result.fail<Refusal>({ _tag: "Redirect", error, location: Links.returning(redirectUri, { error, state: echoed }) })
  if (given.get("response_type") === undefined) return refuse("invalid_request")
  if (given.get("response_type") !== "code") return refuse("unsupported_response_type")
  if ((given.get("response_mode") ?? "query") !== "query") return refuse("invalid_request")
  // RFC 6749 section 3.3 allows an error if no scope is requested.
  const scopes = Scopes.parse(given.get("scope") ?? "")
  const known: ReadonlyArray<string> = Scopes.known
  if (scopes.length === 0 || !scopes.every((scope) => known.includes(scope))) return refuse("invalid_scope")
  const challenge = given.get("code_challenge")
  const method = given.get("code_challenge_method") ?? "plain"
  if (challenge !== undefined && method !== "S256" && method !== "plain") return refuse("invalid_request")
  return Result.succeed({
    app,
    redirectUri,
    state: echoed,
    scopes,
    challenge: challenge === undefined ? undefined : { value: challenge, method: method as "S256" | "plain" }
  })
}

/** The user allows: issues a code and redirects with it. */
export const allow = (
  state: FakeState.FakeState,
  request: Valid,
  by: { readonly userId: number; readonly scopes: ReadonlyArray<Scopes.Scope> },
  now: number
): { readonly state: FakeState.FakeState; readonly location: string } => {
  const grantId = state.counter + 1
  const code: FakeState.Code = {
    grantId,
    clientId: request.app.clientId,
    userId: by.userId,
    redirectUri: request.redirectUri,
    scopes: by.scopes,
    expiresAt: now + state.settings.codeLifetime * 1000,
    challenge: request.challenge
  }
  const text = Text.write(state.key, { kind: "Code", grant: grantId, serial: 0 })
  return {
    state: { ...state, counter: grantId, codes: HashMap.set(state.codes, grantId, code) },
    location: Links.returning(request.redirectUri, { code: text, state: request.state })
  }
}

/** The user denies. */
export const deny = (request: Valid): string =>
  Links.returning(request.redirectUri, { error: "access_denied", state: request.state })

const userOf = ({ users }: FakeState.FakeState, email: string | undefined): FakeState.User | undefined =>
  users.find((user) => user.email === email)

const allowAs = (state: FakeState.FakeState, request: Valid, user: FakeState.User, now: number): Responded => {
  const allowed = allow(state, request, { userId: user.id, scopes: request.scopes }, now)
  return { state: allowed.state, response: FakeHttp.redirect(302, allowed.location) }
}

// Browsers accept HTML.
const wantsPage = ({ headers }: FakeHttp.FakeRequest): boolean => /\btext\/html\b/i.test(headers["accept"] ?? "")

/**
 * An error response: a page for browsers, JSON for other clients, as in Zapier's OpenAPI description.
 */
export const refusal = (
  request: FakeHttp.FakeRequest,
  { pageStatus, parameter, problem: detail, status }: Rejection
): FakeHttp.FakeResponse => {
  if (wantsPage(request)) return Pages.problem(pageStatus ?? status, detail)
  return status === 400 ? malformed(detail, parameter === undefined ? null : { parameter }) : problem(status, detail)
}

// Handles the form of the consent page.
const decide = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, valid: Valid, now: number): Responded => {
  const refuse = (status: Rejection["status"], problem: string) => ({
    state,
    response: refusal(request, { status, problem })
  })
  if (CrossOrigin.isForeign(request)) {
    return refuse(403, "Another site sent this form. Only the consent page may send it.")
  }
  const form = Parse.form(request)
  const decision = form?.get("decision")
  if (decision === "deny") return { state, response: FakeHttp.redirect(302, deny(valid)) }
  const email = form?.get("user")
  const user = email === undefined ? state.users[0] : userOf(state, email)
  return decision !== "allow" || user === undefined
    ? refuse(400, "The form is incomplete: it needs a decision and a user.")
    : allowAs(state, valid, user, now)
}

// Shows the consent page, or redirects at once if no consent is needed.
const ask = (
  state: FakeState.FakeState,
  request: FakeHttp.FakeRequest,
  valid: Valid,
  signedIn: string | undefined,
  now: number
): Responded => {
  const user = userOf(state, signedIn) ?? state.users[0]
  if (!state.settings.asksForConsent && user !== undefined) return allowAs(state, valid, user, now)
  const action = Links.pathTo(request, `${request.path}?${request.query}`)
  return { state, response: Pages.consent({ ...valid, users: state.users, signedIn, action }) }
}

export const handle = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, now: number): Responded => {
  if (request.method !== "GET" && request.method !== "POST") {
    return { state, response: problem(405, "This takes GET and POST.", { allow: "GET, POST" }) }
  }
  const given = Parse.query(request)
  const checked = check(state, given)
  if (Result.isFailure(checked)) {
    const wrong = checked.failure
    const response = wrong._tag === "Redirect" ? FakeHttp.redirect(302, wrong.location) : refusal(request, wrong)
    return { state, response }
  }
  return request.method === "GET"
    ? ask(state, request, checked.success, given.get("sign_up_email"), now)
    : decide(state, request, checked.success, now)
}
