/**
 * The token endpoint: RFC 6749 sections 4.1.3, 4.4, 5 and 6, with the answers of Django OAuth Toolkit where Zapier
 * documents none.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Scopes from "@zapier-workflow-auth/core/Scopes"
import * as Base64 from "effect/encoding/Base64"
import * as Base64Url from "effect/encoding/Base64Url"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { FakeRequest, FakeResponse } from "../FakeHttp.ts"
import * as FakeHttp from "../FakeHttp.ts"
import * as FakeState from "../FakeState.ts"
import * as Parse from "./parse.ts"

/** Tokens that an answer gave, and what they came from. */
export interface Issued {
  readonly clientId: string
  readonly grantId: string | undefined
  readonly origin: FakeState.Origin
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly at: number
}

interface Handled {
  readonly state: FakeState.FakeState
  readonly response: FakeResponse
  readonly issued?: Issued
}

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
  const encoded = /^basic +([^ ]+) *$/i.exec(header)?.[1]
  if (encoded === undefined) return undefined
  const decoded = Base64.decodeString(encoded)
  if (Result.isFailure(decoded)) return undefined
  const colon = decoded.success.indexOf(":")
  if (colon === -1) return undefined
  return { id: formDecode(decoded.success.slice(0, colon)), secret: formDecode(decoded.success.slice(colon + 1)) }
}

/** The partner that a request is counted for, if it names one that is known. */
export const partner = (state: FakeState.FakeState, request: FakeRequest): string | undefined => {
  const header = request.headers["authorization"]
  const form = header === undefined ? Parse.form(request) : undefined
  const ofForm = form?._tag === "Success" ? form.success.get("client_id") : undefined
  const id = header === undefined ? ofForm : basicCredentials(header)?.id
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

interface Issue {
  readonly grantId: string
  readonly grant: FakeState.Grant
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly withRefreshToken: boolean
}

// Adds tokens to a grant.
const issue = (state: FakeState.FakeState, { grant, grantId, scopes, withRefreshToken }: Issue, now: number) => {
  const [accessToken, afterAccess] = FakeState.draw(FakeState.sweep(state, now))
  const [refreshToken, drawn] = FakeState.draw(afterAccess)
  const expiresIn = state.knobs.accessTokenLifetime
  const access: FakeState.AccessToken = {
    clientId: grant.clientId,
    userId: grant.userId,
    grantId,
    scopes,
    expiresAt: now + expiresIn * 1000
  }
  const next: FakeState.FakeState = {
    ...drawn,
    grants: HashMap.set(drawn.grants, grantId, {
      ...grant,
      accessTokens: [...grant.accessTokens, accessToken],
      refreshToken: withRefreshToken ? refreshToken : grant.refreshToken
    }),
    accessTokens: HashMap.set(drawn.accessTokens, accessToken, access),
    refreshTokens: withRefreshToken
      ? HashMap.set(drawn.refreshTokens, refreshToken, { grantId, rotated: undefined })
      : drawn.refreshTokens
  }
  return { state: next, pair: { accessToken, refreshToken, scopes, expiresIn } satisfies FakeState.Pair }
}

const verifies = (challenge: NonNullable<FakeState.Code["challenge"]>, verifier: string | undefined): boolean => {
  if (verifier === undefined) return false
  const shown = challenge.method === "plain" ? verifier : Base64Url.encode(sha256(new TextEncoder().encode(verifier)))
  return shown === challenge.value
}

const exchangeCode = (state: FakeState.FakeState, app: FakeState.App, form: Parse.Parameters, now: number): Handled => {
  const given = form.get("code")
  if (given === undefined) return { state, response: error(400, "invalid_request", "Missing code parameter.") }
  const code = Option.getOrUndefined(HashMap.get(state.codes, given))
  const refused: Handled = { state, response: error(400, "invalid_grant") }
  if (code === undefined || code.clientId !== app.clientId) return refused
  if (code.grantId !== undefined) {
    const ended = state.knobs.codeReuseRevokesGrant ? FakeState.revokeGrant(state, code.grantId) : state
    return { ...refused, state: ended }
  }
  if (now >= code.expiresAt) return refused
  const redirectUri = form.get("redirect_uri")
  if (redirectUri === undefined) return { state, response: error(400, "invalid_request", "Missing redirect URI.") }
  if (redirectUri !== code.redirectUri) {
    return { state, response: error(400, "invalid_request", "Mismatching redirect URI.") }
  }
  if (code.challenge !== undefined && !verifies(code.challenge, form.get("code_verifier"))) return refused
  const [grantId, drawn] = FakeState.draw(state)
  const { pair, state: issued } = issue(
    drawn,
    {
      grantId,
      grant: {
        clientId: app.clientId,
        userId: code.userId,
        scopes: code.scopes,
        accessTokens: [],
        refreshToken: ""
      },
      scopes: code.scopes,
      withRefreshToken: true
    },
    now
  )
  return {
    state: { ...issued, codes: HashMap.set(issued.codes, given, { ...code, grantId }) },
    response: granted(pair, pair.scopes, pair.expiresIn),
    issued: { ...issuedBy(app, grantId, { _tag: "Code", code: given }, now), ...tokensOf(pair) }
  }
}

const isGood = (state: FakeState.FakeState, accessToken: string, now: number) => {
  const token = HashMap.get(state.accessTokens, accessToken)
  return token._tag === "Some" && now < token.value.expiresAt
}

const issuedBy = (app: FakeState.App, grantId: string | undefined, origin: FakeState.Origin, at: number) => ({
  clientId: app.clientId,
  grantId,
  origin,
  at
})

const tokensOf = ({ accessToken, refreshToken }: FakeState.Pair) => ({ accessToken, refreshToken })

const refresh = (state: FakeState.FakeState, app: FakeState.App, form: Parse.Parameters, now: number): Handled => {
  const given = form.get("refresh_token")
  if (given === undefined) {
    return { state, response: error(400, "invalid_request", "Missing refresh token parameter.") }
  }
  const refused: Handled = { state, response: error(400, "invalid_grant") }
  const token = Option.getOrUndefined(HashMap.get(state.refreshTokens, given))
  const grant = token && Option.getOrUndefined(HashMap.get(state.grants, token.grantId))
  if (token === undefined || grant === undefined || grant.clientId !== app.clientId) return refused
  const { grantId, rotated } = token
  const { graceMillis, refreshEndsAccessToken, reuseRevokesGrant, rotateRefreshTokens } = state.knobs
  if (rotated !== undefined) {
    if (now - rotated.at < graceMillis) {
      return { state, response: granted(rotated.pair, rotated.pair.scopes, rotated.pair.expiresIn) }
    }
    return { ...refused, state: reuseRevokesGrant ? FakeState.revokeGrant(state, grantId) : state }
  }
  const asked = form.get("scope")
  const scopes = asked === undefined ? grant.scopes : Scopes.parse(asked)
  if (!scopes.every((scope) => grant.scopes.includes(scope))) return { state, response: error(400, "invalid_scope") }
  const ended = refreshEndsAccessToken
    ? { ...state, accessTokens: HashMap.removeMany(state.accessTokens, grant.accessTokens) }
    : state
  const accessTokens = refreshEndsAccessToken ? [] : grant.accessTokens.filter((token) => isGood(state, token, now))
  const made = issue(
    ended,
    { grantId, grant: { ...grant, accessTokens }, scopes, withRefreshToken: rotateRefreshTokens },
    now
  )
  const origin = { _tag: "RefreshToken", refreshToken: given } as const
  if (!rotateRefreshTokens) {
    const { accessToken, expiresIn } = made.pair
    return {
      state: made.state,
      response: granted({ accessToken }, scopes, expiresIn),
      issued: { ...issuedBy(app, grantId, origin, now), accessToken, refreshToken: undefined }
    }
  }
  return {
    state: {
      ...made.state,
      refreshTokens: HashMap.set(made.state.refreshTokens, given, { grantId, rotated: { at: now, pair: made.pair } })
    },
    response: granted(made.pair, scopes, made.pair.expiresIn),
    issued: { ...issuedBy(app, grantId, origin, now), ...tokensOf(made.pair) }
  }
}

const clientCredentials = (
  state: FakeState.FakeState,
  app: FakeState.App,
  form: Parse.Parameters,
  now: number
): Handled => {
  const asked = form.get("scope")
  const known: ReadonlyArray<string> = Scopes.known
  const scopes = asked === undefined ? known : Scopes.parse(asked)
  if (!scopes.every((scope) => known.includes(scope))) return { state, response: error(400, "invalid_scope") }
  const [accessToken, drawn] = FakeState.draw(FakeState.sweep(state, now))
  const expiresIn = state.knobs.accessTokenLifetime
  const access: FakeState.AccessToken = {
    clientId: app.clientId,
    userId: undefined,
    grantId: undefined,
    scopes,
    expiresAt: now + expiresIn * 1000
  }
  return {
    state: { ...drawn, accessTokens: HashMap.set(drawn.accessTokens, accessToken, access) },
    response: granted({ accessToken }, scopes, expiresIn, state.knobs.appTokenContentType),
    issued: {
      ...issuedBy(app, undefined, { _tag: "ClientCredentials" }, now),
      accessToken,
      refreshToken: undefined
    }
  }
}

const grantTypes: { readonly [grantType: string]: typeof refresh | undefined } = {
  authorization_code: exchangeCode,
  refresh_token: refresh,
  client_credentials: clientCredentials
}

export const handle = (state: FakeState.FakeState, request: FakeRequest, now: number): Handled => {
  if (request.method !== "POST") {
    return { state, response: FakeHttp.json(405, { error: "invalid_request" }, { ...noStore, allow: "POST" }) }
  }
  const parsed = Parse.form(request)
  const form = Result.isSuccess(parsed) ? parsed.success : Parse.none
  if (form.duplicate !== undefined) {
    return { state, response: error(400, "invalid_request", `Duplicate ${form.duplicate} parameter.`) }
  }
  const grantType = form.get("grant_type") ?? ""
  const grant = Object.hasOwn(grantTypes, grantType) ? grantTypes[grantType] : undefined
  if (grant === undefined) return { state, response: error(400, "unsupported_grant_type") }
  const app = authenticate(state, request, form)
  return Result.isFailure(app) ? { state, response: app.failure } : grant(state, app.success, form, now)
}
