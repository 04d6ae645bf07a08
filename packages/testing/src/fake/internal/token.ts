/**
 * The token endpoint: RFC 6749 sections 4.1.3, 4.4, 5 and 6, and RFC 8693, with responses of Django OAuth Toolkit where Zapier
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
import type { Responded } from "../FakeOutcome.ts"
import * as FakeState from "../FakeState.ts"
import type { Facts } from "../FakeWhiteLabel.ts"
import * as Lookup from "./lookup.ts"
import * as Parse from "./parse.ts"
import * as Tokens from "./tokens.ts"
import * as Exchange from "./whiteLabel/exchange.ts"

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
    return Result.fail(Tokens.error(400, "invalid_request", "Client credentials in both header and body."))
  }
  const credentials =
    header !== undefined ? basicCredentials(header) : id !== undefined ? { id, secret: secret ?? "" } : undefined
  // A client_id in the body beside a Basic header is allowed if it is the same.
  if (credentials === undefined || (id !== undefined && id !== credentials.id)) return Result.fail(Tokens.invalidClient)
  const app = Option.getOrUndefined(HashMap.get(state.apps, credentials.id))
  return app === undefined || app.clientSecret !== credentials.secret
    ? Result.fail(Tokens.invalidClient)
    : Result.succeed(app)
}

const verifies = (challenge: NonNullable<FakeState.Code["challenge"]>, verifier: string | undefined): boolean => {
  if (verifier === undefined) return false
  const shown = challenge.method === "plain" ? verifier : Base64Url.encode(sha256(new TextEncoder().encode(verifier)))
  return shown === challenge.value
}

const exchangeCode: Tokens.Grant = function* (state, app, form, now) {
  const given = yield* Tokens.required(form, "code", "code parameter")
  const { code, exchanged } = Lookup.code(state, given)
  if (exchanged?.clientId === app.clientId && state.settings.codeReuseRevokesGrant) {
    return { state: FakeState.revokeGrant(state, exchanged.id), response: Tokens.invalidGrant }
  }
  if (code === undefined || code.clientId !== app.clientId || now >= code.expiresAt)
    return yield* Result.fail(Tokens.invalidGrant)
  const redirectUri = yield* Tokens.required(form, "redirect_uri", "redirect URI")
  if (redirectUri !== code.redirectUri) return yield* Tokens.refuse("invalid_request", "Mismatching redirect URI.")
  if (code.challenge !== undefined && !verifies(code.challenge, form.get("code_verifier"))) {
    return yield* Result.fail(Tokens.invalidGrant)
  }
  const { clientId, grantId, scopes, userId } = code
  const tokens = { serial: 0, accessTokens: [], refreshToken: "", rotations: [] }
  const { grant, pair } = Tokens.issue(
    state,
    { id: grantId, clientId, userId, scopes, ...tokens },
    { scopes, rotates: true, expiresIn: state.settings.accessTokenLifetime },
    now
  )
  return {
    state: {
      ...state,
      codes: HashMap.remove(state.codes, grantId),
      grants: HashMap.set(state.grants, grantId, grant)
    },
    response: Tokens.granted(pair),
    issued: Tokens.issued(pair, { clientId, grantId, origin: { _tag: "Code", code: given } }, now)
  }
}

const lifetimeOf = ({ settings, whiteLabelUsers }: FakeState.FakeState, { userId }: FakeState.Grant): number =>
  HashMap.has(whiteLabelUsers, userId) ? settings.exchangedTokenLifetime : settings.accessTokenLifetime

const refresh: Tokens.Grant = function* (state, { clientId }, form, now) {
  const given = yield* Tokens.required(form, "refresh_token", "refresh token parameter")
  const found = Lookup.refreshToken(state, given, now)
  if (found === undefined || found.grant.clientId !== clientId) return yield* Result.fail(Tokens.invalidGrant)
  const { grant, isUsed, rotation } = found
  const { graceMillis, refreshEndsAccessToken, refreshRestoresScope, reuseRevokesGrant, rotateRefreshTokens } =
    state.settings
  if (rotation !== undefined) return { state, response: Tokens.granted(rotation.pair) }
  if (isUsed) {
    return { state: reuseRevokesGrant ? FakeState.revokeGrant(state, grant.id) : state, response: Tokens.invalidGrant }
  }
  const asked = form.get("scope")
  const scopes = asked === undefined ? grant.scopes : Scopes.parse(asked)
  if (!scopes.every((scope) => grant.scopes.includes(scope))) return yield* Tokens.refuse("invalid_scope")
  const accessTokens = refreshEndsAccessToken ? [] : grant.accessTokens.filter(({ expiresAt }) => now < expiresAt)
  const { grant: renewed, pair } = Tokens.issue(
    state,
    { ...grant, accessTokens, scopes: refreshRestoresScope ? grant.scopes : scopes },
    { scopes, rotates: rotateRefreshTokens, expiresIn: lifetimeOf(state, grant) },
    now
  )
  const isInGrace = ({ at }: FakeState.Rotation) => now - at < graceMillis
  const rotations = rotateRefreshTokens
    ? [...grant.rotations, { refreshToken: given, at: now, pair }].filter(isInGrace)
    : grant.rotations
  const shown: Tokens.Given = rotateRefreshTokens ? pair : { ...pair, refreshToken: undefined }
  const origin = { _tag: "RefreshToken", refreshToken: given } as const
  return {
    state: { ...state, grants: HashMap.set(state.grants, grant.id, { ...renewed, rotations }) },
    response: Tokens.granted(shown),
    issued: Tokens.issued(shown, { clientId, grantId: grant.id, origin }, now)
  }
}

const clientCredentials: Tokens.Grant = function* (state, { clientId }, form, now) {
  const asked = form.get("scope")
  const known: ReadonlyArray<string> = Scopes.known
  const scopes = asked === undefined ? known : Scopes.parse(asked)
  if (!scopes.every((scope) => known.includes(scope))) return yield* Tokens.refuse("invalid_scope")
  const [accessToken, drawn] = FakeState.draw(state)
  const expiresIn = state.settings.accessTokenLifetime
  const token: FakeState.AppToken = { accessToken, clientId, scopes, expiresAt: now + expiresIn * 1000 }
  const given: Tokens.Given = { accessToken, scopes, expiresIn }
  return {
    state: { ...drawn, appTokens: HashMap.set(drawn.appTokens, accessToken, token) },
    response: Tokens.granted(given, state.settings.appTokenContentType),
    issued: Tokens.issued(given, { clientId, grantId: undefined, origin: { _tag: "ClientCredentials" } }, now)
  }
}

const grantTypes = new Map<string, Tokens.Grant>(
  Object.entries({
    authorization_code: exchangeCode,
    refresh_token: refresh,
    client_credentials: clientCredentials,
    [Exchange.grantType]: Exchange.exchange
  })
)

export const handle = (
  state: FakeState.FakeState,
  request: FakeHttp.FakeRequest,
  now: number,
  facts: Facts
): Responded => {
  if (request.method !== "POST") {
    return { state, response: FakeHttp.json(405, { error: "invalid_request" }, { ...Tokens.noStore, allow: "POST" }) }
  }
  const result = Result.gen(function* () {
    const form = Parse.form(request) ?? Parse.none
    if (form.duplicate !== undefined) {
      return yield* Tokens.refuse("invalid_request", `Duplicate ${form.duplicate} parameter.`)
    }
    const grant = yield* Result.fromNullishOr(grantTypes.get(form.get("grant_type") ?? ""), () =>
      Tokens.error(400, "unsupported_grant_type")
    )
    return yield* grant(state, yield* authenticate(state, request, form), form, now, facts)
  })
  return Result.getOrElse(result, (response) => ({ state, response }))
}
