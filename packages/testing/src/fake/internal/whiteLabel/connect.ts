/**
 * The Connect page, where a White Label user connects an app: in a popup, which sends its result to the window that
 * opened it, or by a redirect back to the partner.
 *
 * A connect token is used up when the page opens. The page's form carries the secret of its session.
 *
 * Source: Zapier's White Label pages "Connection flow" and "Error handling".
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as FakeHttp from "../../FakeHttp.ts"
import type { Responded } from "../../FakeOutcome.ts"
import * as FakeState from "../../FakeState.ts"
import type { ConnectEnd, ConnectSession, ConnectToken } from "../../FakeWhiteLabel.ts"
import * as Authentications from "../api/authentications.ts"
import { problem } from "../api/call.ts"
import * as Catalog from "../api/catalog.ts"
import * as CrossOrigin from "../crossOrigin.ts"
import * as Links from "../links.ts"
import * as Pages from "../pages/connect.ts"
import * as Parse from "../parse.ts"

const get = <K, A>(map: HashMap.HashMap<K, A>, key: K): A | undefined => Option.getOrUndefined(HashMap.get(map, key))

/** The user's way back: a URL, or the window that opened the popup. */
type Return = Pick<ConnectSession, "redirectUri" | "state">

// The connection's id is a number in a message, and a text in a URL.
const succeeded = ({ redirectUri, state }: Return, app: Catalog.App, id: string): ConnectEnd =>
  redirectUri === undefined
    ? { _tag: "Message", message: { type: "authenticationSuccess", authId: Number(id) } }
    : {
        _tag: "Redirect",
        url: Links.returning(redirectUri, { authentication_id: id, service: Catalog.keyOf(app), state })
      }

const failed = ({ redirectUri, state }: Return, error: string, description: string): ConnectEnd =>
  redirectUri === undefined
    ? { _tag: "Message", message: { type: "authenticationError", error: description } }
    : { _tag: "Redirect", url: Links.returning(redirectUri, { error, error_description: description, state }) }

const toResponse = (end: ConnectEnd, pageStatus = 200): FakeHttp.FakeResponse =>
  end._tag === "Redirect" ? FakeHttp.redirect(302, end.url) : Pages.ended(pageStatus, end.message)

// -----------------------------------------------------------------------------
// Opening the page
// -----------------------------------------------------------------------------

// In process, the requested origin is unknown.
const isFor = (resource: string, { base, path }: FakeHttp.FakeRequest): boolean => {
  const { href, pathname, search } = new URL(resource)
  return base === undefined ? pathname === path && search === "" : href === `${base}${path}`
}

const isRegistered = (state: FakeState.FakeState, token: ConnectToken | undefined, redirectUri: string): boolean =>
  Array.from(HashMap.values(state.apps)).some(
    ({ clientId, redirectUris, whiteLabel }) =>
      whiteLabel !== undefined && clientId === (token?.clientId ?? clientId) && redirectUris.includes(redirectUri)
  )

const lifetime = 3_600_000

interface Opened {
  readonly token: ConnectToken
  readonly user: FakeState.WhiteLabelUser
  readonly app: Catalog.App
  /** The connection to renew, if it is not a new one. */
  readonly renewed: FakeState.Authentication | undefined
}

type Checked = Result.Result<Opened, { readonly error: string; readonly description: string }>

const check = (
  state: FakeState.FakeState,
  request: FakeHttp.FakeRequest,
  token: ConnectToken | undefined,
  now: number
): Checked => {
  const refuse = (description: string, error = "invalid_request"): Checked => Result.fail({ error, description })
  if (token === undefined || token.isUsed || !isFor(token.resource, request)) return refuse("Invalid token")
  if (now >= token.expiresAt) return refuse("Token expired")
  const app = Catalog.named(Parse.connectApp(request.path) ?? "")
  if (app === undefined) return refuse("Invalid app")
  const user = get(state.whiteLabelUsers, token.userId)
  if (user === undefined) return refuse("User not found", "access_denied")
  const reconnectId = Parse.query(request).get("reconnect_id")
  const renewed = reconnectId === undefined ? undefined : Authentications.find(state, user, reconnectId)
  return reconnectId !== undefined && renewed?.app !== app.uuid
    ? refuse("Invalid reconnect_id")
    : Result.succeed({ token, user, app, renewed })
}

/** An opened page. */
interface Begun {
  readonly state: FakeState.FakeState
  readonly secret: string
  readonly opened: Opened
}

/** The reason why no page opens. It has an `end` if the browser can be sent back to the partner. */
export interface Refusal {
  readonly problem: string
  readonly end?: ConnectEnd
}

const refuse = (problem: string) => Result.fail<Refusal>({ problem })

/** Opens a page, and uses up its token. */
export const begin = (
  state: FakeState.FakeState,
  request: FakeHttp.FakeRequest,
  now: number
): Result.Result<Begun, Refusal> => {
  const query = Parse.query(request)
  if (query.duplicate !== undefined) return refuse(`The parameter ${query.duplicate} is repeated.`)
  const given = query.get("token") ?? ""
  const token = get(state.connectTokens, given)
  const back: Return = { redirectUri: query.get("redirect_uri"), state: query.get("state") }
  if (back.redirectUri !== undefined && !isRegistered(state, token, back.redirectUri)) {
    return refuse("The redirect_uri is not registered. It has to match a registered one exactly.")
  }
  const checked = check(state, request, token, now)
  if (Result.isFailure(checked)) {
    const { description, error } = checked.failure
    return Result.fail({ problem: description, end: failed(back, error, description) })
  }
  const { app, renewed, token: used, user } = checked.success
  const [secret, drawn] = FakeState.draw(state)
  const session: ConnectSession = {
    userId: user.id,
    ...back,
    app: app.uuid,
    reconnectId: renewed?.id,
    expiresAt: now + lifetime
  }
  const opened: FakeState.FakeState = {
    ...drawn,
    connectTokens: HashMap.set(drawn.connectTokens, given, { ...used, isUsed: true }),
    connectSessions: HashMap.set(drawn.connectSessions, secret, session)
  }
  return Result.succeed({ state: opened, secret, opened: checked.success })
}

const open = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, now: number): Responded => {
  const begun = begin(state, request, now)
  if (Result.isFailure(begun)) {
    const { end, problem: detail } = begun.failure
    return { state, response: end === undefined ? Pages.problem(400, detail) : toResponse(end, 400) }
  }
  const { opened, secret, state: next } = begun.success
  const response = Pages.connect({
    app: opened.app.title,
    partner: get(state.apps, opened.user.clientId)?.name ?? "",
    renewed: opened.renewed?.title,
    theme: Parse.query(request).get("theme"),
    session: secret,
    action: Links.pathTo(request, request.path)
  })
  return { state: next, response }
}

// -----------------------------------------------------------------------------
// The user's decision
// -----------------------------------------------------------------------------

/** The user's decision: connects the app, or denies. Undefined if no such page is open. */
export const decide = (
  state: FakeState.FakeState,
  secret: string,
  isAllowed: boolean,
  now: number
): { readonly state: FakeState.FakeState; readonly end: ConnectEnd } | undefined => {
  const session = get(state.connectSessions, secret)
  const user = session && get(state.whiteLabelUsers, session.userId)
  const app = session && Catalog.app(session.app)
  if (session === undefined || user === undefined || app === undefined || now >= session.expiresAt) return undefined
  const closed = { ...state, connectSessions: HashMap.remove(state.connectSessions, secret) }
  if (!isAllowed) return { state: closed, end: failed(session, "server_error", "OAuth Failed: access_denied") }
  const { reconnectId } = session
  const { id, state: connected } =
    reconnectId === undefined
      ? Authentications.add(closed, user, app)
      : { id: reconnectId, state: Authentications.setExpired(closed, user, reconnectId, false) }
  return { state: connected, end: succeeded(session, app, id) }
}

const submit = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, now: number): Responded => {
  const refuse = (status: 400 | 403, problem: string) => ({ state, response: Pages.problem(status, problem) })
  if (CrossOrigin.isForeign(request)) {
    return refuse(403, "Another site sent this form. Only the Connect page may send it.")
  }
  const form = Parse.form(request)
  const decision = form?.get("decision")
  if (decision !== "allow" && decision !== "deny") {
    return refuse(400, "The form is incomplete: it needs a decision.")
  }
  const decided = decide(state, form?.get("session") ?? "", decision === "allow", now)
  return decided === undefined
    ? refuse(400, "This page was already used, or has expired.")
    : { state: decided.state, response: toResponse(decided.end) }
}

/** The session that a request names. */
export const userIdOf = (state: FakeState.FakeState, request: FakeHttp.FakeRequest): number | undefined => {
  const token = get(state.connectTokens, Parse.query(request).get("token") ?? "")
  return (token ?? get(state.connectSessions, Parse.form(request)?.get("session") ?? ""))?.userId
}

export const handle = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, now: number): Responded => {
  switch (request.method) {
    case "GET":
      return open(state, request, now)
    case "POST":
      return submit(state, request, now)
    default:
      return { state, response: problem(405, "This takes GET and POST.", { allow: "GET, POST" }) }
  }
}
