/**
 * The token endpoint: RFC 6749 sections 4.1.3, 4.4, 5 and 6, with the answers of Django OAuth Toolkit where Zapier
 * documents none.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as Base64 from "effect/encoding/Base64"
import * as Base64Url from "effect/encoding/Base64Url"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { FakeRequest, FakeResponse } from "../FakeHttp.ts"
import * as FakeHttp from "../FakeHttp.ts"
import type { Answered } from "../FakeOutcome.ts"
import * as FakeState from "../FakeState.ts"
import * as Lookup from "./lookup.ts"
import * as Parse from "./parse.ts"
import * as Text from "./text.ts"

const noStore = { "cache-control": "no-store", pragma: "no-cache" }

const error = (status: number, code: string, description?: string): FakeResponse =>
  FakeHttp.json(
    status,
    { error: code, ...(description === undefined ? {} : { error_description: description }) },
    noStore
  )

const invalidClient: FakeResponse = FakeHttp.json(
  401,
  { error: "invalid_client" },
  { ...noStore, "www-authenticate": 'Bearer error="invalid_client"' }
)

const invalidGrant = error(400, "invalid_grant")

const granted = (
  pair: { readonly accessToken: string; readonly refreshToken?: string | undefined },
  scopes: ReadonlyArray<Scopes.Scope>,
  expiresIn: number,
  contentType = "application/json"
): FakeResponse =>
  FakeHttp.json(
    200,
    {
      access_token: pair.accessToken,
      expires_in: expiresIn,
      token_type: "Bearer",
      scope: Scopes.format(scopes),
      ...(pair.refreshToken === undefined ? {} : { refresh_token: pair.refreshToken })
    },
    { ...noStore, "content-type": contentType }
  )

const formDecode = (text: string): string =>
  // Most are nothing but letters and digits.
  /[%+&]/.test(text) ? (new URLSearchParams(`x=${text.replace(/&/g, "%26")}`).get("x") ?? "") : text

interface Credentials {
  readonly id: string
  readonly secret: string
}

const basicCredentials = (header: string): Credentials | undefined => {
  const encoded = /^basic +([^ ]+) *$/i.exec(header)?.[1] ?? ""
  const text = Result.getOrElse(Base64.decodeString(encoded), () => "")
  const colon = text.indexOf(":")
  if (colon === -1) return undefined
  return { id: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) }
}

/** The partner that a request is counted for, if it names one that is known. */
export const partner = (state: FakeState.FakeState, request: FakeRequest): string | undefined => {
  const header = request.headers["authorization"]
  const id = header === undefined ? Parse.form(request)?.get("client_id") : basicCredentials(header)?.id
  return id !== undefined && HashMap.has(state.apps, id) ? id : undefined
}

// The client authenticates in the header or in the body, and not in both (RFC 6749 section 2.3).
const authenticate = (
  state: FakeState.FakeState,
  request: FakeRequest,
  form: Parse.Parameters
): Result.Result<FakeState.App, FakeResponse> => {
  const header = request.headers["authorization"]
  const id = form.get("client_id")
  const secret = form.get("client_secret")
  if (header !== undefined && secret !== undefined) {
    return Result.fail(error(400, "invalid_request", "Client credentials in both header and body."))
  }
  const credentials: Credentials | undefined =
    header !== undefined ? basicCredentials(header) : id !== undefined ? { id, secret: secret ?? "" } : undefined
  // A client_id in the body beside a Basic header is allowed, if it is the same.
  if (credentials === undefined || (id !== undefined && id !== credentials.id)) return Result.fail(invalidClient)
  const app = Option.getOrUndefined(HashMap.get(state.apps, credentials.id))
  return app === undefined || app.clientSecret !== credentials.secret ? Result.fail(invalidClient) : Result.succeed(app)
}

// Adds tokens to a grant. The refresh token stays as it is where they are not rotated.
const issue = (
  state: FakeState.FakeState,
  grant: FakeState.Grant,
  options: { readonly scopes: ReadonlyArray<Scopes.Scope>; readonly rotates: boolean },
  now: number
): { readonly grant: FakeState.Grant; readonly pair: FakeState.Pair } => {
  const { id, serial } = grant
  const { scopes } = options
  const accessToken = Text.write(state.key, { kind: "AccessToken", grant: id, serial })
  const refreshToken = options.rotates
    ? Text.write(state.key, { kind: "RefreshToken", grant: id, serial })
    : grant.refreshToken
  const expiresIn = state.knobs.accessTokenLifetime
  const access: FakeState.AccessToken = { accessToken, scopes, expiresAt: now + expiresIn * 1000 }
  return {
    grant: { ...grant, serial: serial + 1, accessTokens: [...grant.accessTokens, access], refreshToken },
    pair: { accessToken, refreshToken, scopes, expiresIn }
  }
}

const verifies = (challenge: NonNullable<FakeState.Code["challenge"]>, verifier: string | undefined): boolean => {
  if (verifier === undefined) return false
  const shown = challenge.method === "plain" ? verifier : Base64Url.encode(sha256(new TextEncoder().encode(verifier)))
  return shown === challenge.value
}

const exchangeCode = (
  state: FakeState.FakeState,
  app: FakeState.App,
  form: Parse.Parameters,
  now: number
): Answered => {
  const given = form.get("code")
  if (given === undefined) return { state, response: error(400, "invalid_request", "Missing code parameter.") }
  const { code, exchanged } = Lookup.code(state, given)
  const refused: Answered = { state, response: invalidGrant }
  if (exchanged?.clientId === app.clientId && state.knobs.codeReuseRevokesGrant) {
    return { ...refused, state: FakeState.revokeGrant(state, exchanged.id) }
  }
  if (code === undefined || code.clientId !== app.clientId) return refused
  if (now >= code.expiresAt) return refused
  const redirectUri = form.get("redirect_uri")
  if (redirectUri === undefined) return { state, response: error(400, "invalid_request", "Missing redirect URI.") }
  if (redirectUri !== code.redirectUri) {
    return { state, response: error(400, "invalid_request", "Mismatching redirect URI.") }
  }
  if (code.challenge !== undefined && !verifies(code.challenge, form.get("code_verifier"))) return refused
  const { clientId, grantId, scopes, userId } = code
  const empty: FakeState.Grant = {
    id: grantId,
    clientId,
    userId,
    scopes,
    serial: 0,
    accessTokens: [],
    refreshToken: "",
    rotations: []
  }
  const { grant, pair } = issue(state, empty, { scopes, rotates: true }, now)
  const { accessToken, refreshToken } = pair
  return {
    state: {
      ...state,
      codes: HashMap.remove(state.codes, grantId),
      grants: HashMap.set(state.grants, grantId, grant)
    },
    response: granted(pair, scopes, pair.expiresIn),
    issued: { clientId, grantId, origin: { _tag: "Code", code: given }, accessToken, refreshToken, at: now }
  }
}

const refresh = (state: FakeState.FakeState, app: FakeState.App, form: Parse.Parameters, now: number): Answered => {
  const given = form.get("refresh_token")
  if (given === undefined) {
    return { state, response: error(400, "invalid_request", "Missing refresh token parameter.") }
  }
  const refused: Answered = { state, response: invalidGrant }
  const found = Lookup.refreshToken(state, given, now)
  if (found === undefined || found.grant.clientId !== app.clientId) return refused
  const { grant, isUsed, rotation } = found
  const { graceMillis, refreshEndsAccessToken, reuseRevokesGrant, rotateRefreshTokens } = state.knobs
  if (rotation !== undefined) {
    return { state, response: granted(rotation.pair, rotation.pair.scopes, rotation.pair.expiresIn) }
  }
  if (isUsed) return { ...refused, state: reuseRevokesGrant ? FakeState.revokeGrant(state, grant.id) : state }
  const asked = form.get("scope")
  const scopes = asked === undefined ? grant.scopes : Scopes.parse(asked)
  if (!scopes.every((scope) => grant.scopes.includes(scope))) return { state, response: error(400, "invalid_scope") }
  const accessTokens = refreshEndsAccessToken ? [] : grant.accessTokens.filter(({ expiresAt }) => now < expiresAt)
  const made = issue(state, { ...grant, accessTokens }, { scopes, rotates: rotateRefreshTokens }, now)
  const { accessToken, expiresIn } = made.pair
  const refreshToken = rotateRefreshTokens ? made.pair.refreshToken : undefined
  const isInGrace = ({ at }: FakeState.Rotation) => now - at < graceMillis
  const rotations = rotateRefreshTokens
    ? [...grant.rotations, { refreshToken: given, at: now, pair: made.pair }].filter(isInGrace)
    : grant.rotations
  return {
    state: { ...state, grants: HashMap.set(state.grants, grant.id, { ...made.grant, rotations }) },
    response: granted({ accessToken, refreshToken }, scopes, expiresIn),
    issued: {
      clientId: app.clientId,
      grantId: grant.id,
      origin: { _tag: "RefreshToken", refreshToken: given },
      accessToken,
      refreshToken,
      at: now
    }
  }
}

const clientCredentials = (
  state: FakeState.FakeState,
  app: FakeState.App,
  form: Parse.Parameters,
  now: number
): Answered => {
  const asked = form.get("scope")
  const known: ReadonlyArray<string> = Scopes.known
  const scopes = asked === undefined ? known : Scopes.parse(asked)
  if (!scopes.every((scope) => known.includes(scope))) return { state, response: error(400, "invalid_scope") }
  const [accessToken, drawn] = FakeState.draw(state)
  const expiresIn = state.knobs.accessTokenLifetime
  const { clientId } = app
  const token: FakeState.AppToken = { accessToken, clientId, scopes, expiresAt: now + expiresIn * 1000 }
  return {
    state: { ...drawn, appTokens: HashMap.set(drawn.appTokens, accessToken, token) },
    response: granted({ accessToken }, scopes, expiresIn, state.knobs.appTokenContentType),
    issued: {
      clientId,
      grantId: undefined,
      origin: { _tag: "ClientCredentials" },
      accessToken,
      refreshToken: undefined,
      at: now
    }
  }
}

const grantTypes: { readonly [grantType: string]: typeof refresh | undefined } = {
  authorization_code: exchangeCode,
  refresh_token: refresh,
  client_credentials: clientCredentials
}

export const handle = (state: FakeState.FakeState, request: FakeRequest, now: number): Answered => {
  if (request.method !== "POST") {
    return { state, response: FakeHttp.json(405, { error: "invalid_request" }, { ...noStore, allow: "POST" }) }
  }
  const form = Parse.form(request) ?? Parse.none
  if (form.duplicate !== undefined) {
    return { state, response: error(400, "invalid_request", `Duplicate ${form.duplicate} parameter.`) }
  }
  const grantType = form.get("grant_type") ?? ""
  const grant = Object.hasOwn(grantTypes, grantType) ? grantTypes[grantType] : undefined
  if (grant === undefined) return { state, response: error(400, "unsupported_grant_type") }
  const app = authenticate(state, request, form)
  return Result.isFailure(app) ? { state, response: app.failure } : grant(state, app.success, form, now)
}
