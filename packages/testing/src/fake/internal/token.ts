/**
 * The token endpoint: RFC 6749 sections 4.1.3, 4.4, 5 and 6, with responses of Django OAuth Toolkit where Zapier
 * documents none.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as Base64 from "effect/encoding/Base64"
import * as Base64Url from "effect/encoding/Base64Url"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as FakeHttp from "../FakeHttp.ts"
import type { Answered, Issued } from "../FakeOutcome.ts"
import * as FakeState from "../FakeState.ts"
import * as Lookup from "./lookup.ts"
import * as Parse from "./parse.ts"
import * as Text from "../../internal/text.ts"

const noStore = { "cache-control": "no-store", pragma: "no-cache" }

const error = (status: number, code: string, description?: string): FakeHttp.FakeResponse =>
  FakeHttp.json(status, { error: code, error_description: description }, noStore)

/** The client cannot be authenticated. */
export const invalidClient: FakeHttp.FakeResponse = FakeHttp.json(
  401,
  { error: "invalid_client" },
  { ...noStore, "www-authenticate": 'Bearer error="invalid_client"' }
)

const invalidGrant = error(400, "invalid_grant")

type Given = Omit<FakeState.Pair, "refreshToken"> & { readonly refreshToken?: string | undefined }

const granted = (given: Given, contentType = "application/json"): FakeHttp.FakeResponse =>
  FakeHttp.json(
    200,
    {
      access_token: given.accessToken,
      expires_in: given.expiresIn,
      token_type: "Bearer",
      scope: Scopes.format(given.scopes),
      refresh_token: given.refreshToken
    },
    { ...noStore, "content-type": contentType }
  )

const issued = (
  { accessToken, refreshToken }: Given,
  of: Pick<Issued, "clientId" | "grantId" | "origin">,
  at: number
): Issued => ({ ...of, accessToken, refreshToken, at })

const formDecode = (text: string): string =>
  // Most texts need no decoding.
  /[%+&]/.test(text) ? (new URLSearchParams(`x=${text.replace(/&/g, "%26")}`).get("x") ?? "") : text

const basicCredentials = (header: string) => {
  const encoded = /^basic +([^ ]+) *$/i.exec(header)?.[1] ?? ""
  const text = Result.getOrElse(Base64.decodeString(encoded), () => "")
  const colon = text.indexOf(":")
  if (colon === -1) return undefined
  return { id: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) }
}

/** The partner that a request counts for, if it names a known one. */
export const partner = (state: FakeState.FakeState, request: FakeHttp.FakeRequest): string | undefined => {
  const header = request.headers["authorization"]
  const id = header === undefined ? Parse.form(request)?.get("client_id") : basicCredentials(header)?.id
  return id !== undefined && HashMap.has(state.apps, id) ? id : undefined
}

// The client authenticates in the header or in the body, but not in both (RFC 6749 section 2.3).
const authenticate = (
  state: FakeState.FakeState,
  request: FakeHttp.FakeRequest,
  form: Parse.Parameters
): Result.Result<FakeState.App, FakeHttp.FakeResponse> => {
  const header = request.headers["authorization"]
  const id = form.get("client_id")
  const secret = form.get("client_secret")
  if (header !== undefined && secret !== undefined) {
    return Result.fail(error(400, "invalid_request", "Client credentials in both header and body."))
  }
  const credentials =
    header !== undefined ? basicCredentials(header) : id !== undefined ? { id, secret: secret ?? "" } : undefined
  // A client_id in the body beside a Basic header is allowed if it is the same.
  if (credentials === undefined || (id !== undefined && id !== credentials.id)) return Result.fail(invalidClient)
  const app = Option.getOrUndefined(HashMap.get(state.apps, credentials.id))
  return app === undefined || app.clientSecret !== credentials.secret ? Result.fail(invalidClient) : Result.succeed(app)
}

// Adds tokens to a grant. Without rotation the refresh token stays.
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

type Grant = (
  state: FakeState.FakeState,
  app: FakeState.App,
  form: Parse.Parameters,
  now: number
) => Generator<Result.Result<unknown, FakeHttp.FakeResponse>, Answered>

const refuse = (code: string, description?: string) => Result.fail(error(400, code, description))

const required = (form: Parse.Parameters, name: string, what: string) =>
  Result.fromNullishOr(form.get(name), () => error(400, "invalid_request", `Missing ${what}.`))

const exchangeCode: Grant = function* (state, app, form, now) {
  const given = yield* required(form, "code", "code parameter")
  const { code, exchanged } = Lookup.code(state, given)
  if (exchanged?.clientId === app.clientId && state.knobs.codeReuseRevokesGrant) {
    return { state: FakeState.revokeGrant(state, exchanged.id), response: invalidGrant }
  }
  if (code === undefined || code.clientId !== app.clientId || now >= code.expiresAt)
    return yield* Result.fail(invalidGrant)
  const redirectUri = yield* required(form, "redirect_uri", "redirect URI")
  if (redirectUri !== code.redirectUri) return yield* refuse("invalid_request", "Mismatching redirect URI.")
  if (code.challenge !== undefined && !verifies(code.challenge, form.get("code_verifier"))) {
    return yield* Result.fail(invalidGrant)
  }
  const { clientId, grantId, scopes, userId } = code
  const tokens = { serial: 0, accessTokens: [], refreshToken: "", rotations: [] }
  const { grant, pair } = issue(
    state,
    { id: grantId, clientId, userId, scopes, ...tokens },
    { scopes, rotates: true },
    now
  )
  return {
    state: {
      ...state,
      codes: HashMap.remove(state.codes, grantId),
      grants: HashMap.set(state.grants, grantId, grant)
    },
    response: granted(pair),
    issued: issued(pair, { clientId, grantId, origin: { _tag: "Code", code: given } }, now)
  }
}

const refresh: Grant = function* (state, { clientId }, form, now) {
  const given = yield* required(form, "refresh_token", "refresh token parameter")
  const found = Lookup.refreshToken(state, given, now)
  if (found === undefined || found.grant.clientId !== clientId) return yield* Result.fail(invalidGrant)
  const { grant, isUsed, rotation } = found
  const { graceMillis, refreshEndsAccessToken, refreshRestoresScope, reuseRevokesGrant, rotateRefreshTokens } =
    state.knobs
  if (rotation !== undefined) return { state, response: granted(rotation.pair) }
  if (isUsed) {
    return { state: reuseRevokesGrant ? FakeState.revokeGrant(state, grant.id) : state, response: invalidGrant }
  }
  const asked = form.get("scope")
  const scopes = asked === undefined ? grant.scopes : Scopes.parse(asked)
  if (!scopes.every((scope) => grant.scopes.includes(scope))) return yield* refuse("invalid_scope")
  const accessTokens = refreshEndsAccessToken ? [] : grant.accessTokens.filter(({ expiresAt }) => now < expiresAt)
  const { grant: renewed, pair } = issue(
    state,
    { ...grant, accessTokens, scopes: refreshRestoresScope ? grant.scopes : scopes },
    { scopes, rotates: rotateRefreshTokens },
    now
  )
  const isInGrace = ({ at }: FakeState.Rotation) => now - at < graceMillis
  const rotations = rotateRefreshTokens
    ? [...grant.rotations, { refreshToken: given, at: now, pair }].filter(isInGrace)
    : grant.rotations
  const shown: Given = rotateRefreshTokens ? pair : { ...pair, refreshToken: undefined }
  const origin = { _tag: "RefreshToken", refreshToken: given } as const
  return {
    state: { ...state, grants: HashMap.set(state.grants, grant.id, { ...renewed, rotations }) },
    response: granted(shown),
    issued: issued(shown, { clientId, grantId: grant.id, origin }, now)
  }
}

const clientCredentials: Grant = function* (state, { clientId }, form, now) {
  const asked = form.get("scope")
  const known: ReadonlyArray<string> = Scopes.known
  const scopes = asked === undefined ? known : Scopes.parse(asked)
  if (!scopes.every((scope) => known.includes(scope))) return yield* refuse("invalid_scope")
  const [accessToken, drawn] = FakeState.draw(state)
  const expiresIn = state.knobs.accessTokenLifetime
  const token: FakeState.AppToken = { accessToken, clientId, scopes, expiresAt: now + expiresIn * 1000 }
  const given: Given = { accessToken, scopes, expiresIn }
  return {
    state: { ...drawn, appTokens: HashMap.set(drawn.appTokens, accessToken, token) },
    response: granted(given, state.knobs.appTokenContentType),
    issued: issued(given, { clientId, grantId: undefined, origin: { _tag: "ClientCredentials" } }, now)
  }
}

const grantTypes = new Map<string, Grant>(
  Object.entries({ authorization_code: exchangeCode, refresh_token: refresh, client_credentials: clientCredentials })
)

export const handle = (state: FakeState.FakeState, request: FakeHttp.FakeRequest, now: number): Answered => {
  if (request.method !== "POST") {
    return { state, response: FakeHttp.json(405, { error: "invalid_request" }, { ...noStore, allow: "POST" }) }
  }
  const answered = Result.gen(function* () {
    const form = Parse.form(request) ?? Parse.none
    if (form.duplicate !== undefined) {
      return yield* refuse("invalid_request", `Duplicate ${form.duplicate} parameter.`)
    }
    const grant = yield* Result.fromNullishOr(grantTypes.get(form.get("grant_type") ?? ""), () =>
      error(400, "unsupported_grant_type")
    )
    return yield* grant(state, yield* authenticate(state, request, form), form, now)
  })
  return Result.getOrElse(answered, (response) => ({ state, response }))
}
