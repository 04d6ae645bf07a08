/**
 * The Connect page, where a White Label user connects an app: in a popup, which tells the window that opened it, or by a
 * redirect back to the partner.
 *
 * A connect token is used up when the page opens. The page's form carries the secret of what it has begun.
 *
 * Source: Zapier's White Label pages "Connection flow" and "Error handling".
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as FakeHttp from "../../FakeHttp.ts"
import type { Answered } from "../../FakeOutcome.ts"
import * as FakeState from "../../FakeState.ts"
import type { ConnectSession, ConnectToken } from "../../FakeWhiteLabel.ts"
import * as Authentications from "../api/authentications.ts"
import { problem } from "../api/call.ts"
import * as Catalog from "../api/catalog.ts"
import * as CrossOrigin from "../crossOrigin.ts"
import * as Links from "../links.ts"
import * as Pages from "../pages/connect.ts"
import * as Parse from "../parse.ts"

const get = <K, A>(map: HashMap.HashMap<K, A>, key: K): A | undefined => Option.getOrUndefined(HashMap.get(map, key))

/** Where the user goes back to: an address, or the window that has opened the popup. */
interface Return {
  readonly redirectUri: string | undefined
  readonly state: string | undefined
}

const succeeded = ({ redirectUri, state }: Return, app: Catalog.App, id: string): FakeHttp.FakeResponse =>
  redirectUri === undefined
    ? Pages.connected(app.title, { type: "authenticationSuccess", authId: Number(id) })
    : FakeHttp.redirect(
        302,
        Links.returning(redirectUri, { authentication_id: id, service: Catalog.keyOf(app), state })
      )

const failed = (
  { redirectUri, state }: Return,
  error: string,
  description: string,
  pageStatus: 200 | 400 = 400
): FakeHttp.FakeResponse =>
  redirectUri === undefined
    ? Pages.failed(pageStatus, description, { type: "authenticationError", error: description })
    : FakeHttp.redirect(302, Links.returning(redirectUri, { error, error_description: description, state }))

// -----------------------------------------------------------------------------
// The page opens
// -----------------------------------------------------------------------------

// In process, the origin that was asked is not known.
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
  /** The connection that is renewed, if it is not a new one. */
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

const open = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, now: number): Answered => {
  const query = Parse.query(request)
  const refuse = (problem: string) => ({ state, response: Pages.problem(400, problem) })
  if (query.duplicate !== undefined) return refuse(`The parameter ${query.duplicate} is there twice.`)
  const given = query.get("token") ?? ""
  const token = get(state.connectTokens, given)
  const back: Return = { redirectUri: query.get("redirect_uri"), state: query.get("state") }
  if (back.redirectUri !== undefined && !isRegistered(state, token, back.redirectUri)) {
    return refuse("The redirect_uri is not one that is registered, spelled exactly the same.")
  }
  const checked = check(state, request, token, now)
  if (Result.isFailure(checked)) {
    const { description, error } = checked.failure
    return { state, response: failed(back, error, description) }
  }
  const { app, renewed, token: used, user } = checked.success
  const { clientId, id: userId } = user
  const [secret, drawn] = FakeState.draw(state)
  const session: ConnectSession = {
    clientId,
    userId,
    ...back,
    app: app.uuid,
    reconnectId: renewed?.id,
    expiresAt: now + lifetime
  }
  return {
    state: {
      ...drawn,
      connectTokens: HashMap.set(drawn.connectTokens, given, { ...used, isUsed: true }),
      connectSessions: HashMap.set(drawn.connectSessions, secret, session)
    },
    response: Pages.connect({
      app: app.title,
      partner: get(state.apps, clientId)?.name ?? "",
      renewed: renewed?.title,
      theme: query.get("theme"),
      session: secret,
      action: Links.pathTo(request, request.path)
    })
  }
}

// -----------------------------------------------------------------------------
// The user answers
// -----------------------------------------------------------------------------

/** A user's answer: the app is connected, or the user says no. */
const decide = (state: FakeState.FakeState, secret: string, isAllowed: boolean): Answered | undefined => {
  const session = get(state.connectSessions, secret)
  const user = session && get(state.whiteLabelUsers, session.userId)
  const app = session && Catalog.app(session.app)
  if (session === undefined || user === undefined || app === undefined) return undefined
  const closed = { ...state, connectSessions: HashMap.remove(state.connectSessions, secret) }
  if (!isAllowed) {
    return { state: closed, response: failed(session, "server_error", "OAuth Failed: access_denied", 200) }
  }
  const { reconnectId } = session
  const { id, state: connected } =
    reconnectId === undefined
      ? Authentications.add(closed, user, app)
      : { id: reconnectId, state: Authentications.setExpired(closed, user, reconnectId, false) }
  return { state: connected, response: succeeded(session, app, id) }
}

const submit = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, now: number): Answered => {
  const refuse = (status: 400 | 403, problem: string) => ({ state, response: Pages.problem(status, problem) })
  if (CrossOrigin.isForeign(request)) {
    return refuse(403, "Another page has sent this answer: only the page that asks the user may.")
  }
  const form = Parse.form(request)
  const secret = form?.get("session") ?? ""
  const decision = form?.get("decision")
  if (decision !== "allow" && decision !== "deny") {
    return refuse(400, "The form was not filled in: it takes a decision.")
  }
  const session = get(state.connectSessions, secret)
  const isOpen = session !== undefined && now < session.expiresAt
  const decided = isOpen ? decide(state, secret, decision === "allow") : undefined
  return decided ?? refuse(400, "This page was answered already, or has expired.")
}

/** Whose page it is, as a request says. */
export const userIdOf = (state: FakeState.FakeState, request: FakeHttp.FakeRequest): number | undefined => {
  const token = get(state.connectTokens, Parse.query(request).get("token") ?? "")
  return (token ?? get(state.connectSessions, Parse.form(request)?.get("session") ?? ""))?.userId
}

export const handle = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, now: number): Answered => {
  switch (request.method) {
    case "GET":
      return open(state, request, now)
    case "POST":
      return submit(state, request, now)
    default:
      return { state, response: problem(405, "This takes GET and POST.", { allow: "GET, POST" }) }
  }
}
