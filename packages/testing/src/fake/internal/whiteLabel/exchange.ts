/**
 * Token exchange (RFC 8693): a partner's JWT for an access token, and that token for a connect token.
 *
 * Zapier documents the endpoint, the JWT and both tokens. The values of the parameters are those of programs that
 * partners have published.
 */
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as FakeHttp from "../../FakeHttp.ts"
import type { Responded } from "../../FakeOutcome.ts"
import * as FakeState from "../../FakeState.ts"
import type { ConnectToken, Facts, Question, Registration } from "../../FakeWhiteLabel.ts"
import * as Lookup from "../lookup.ts"
import type * as Parse from "../parse.ts"
import * as Tokens from "../tokens.ts"
import * as Jwt from "./jwt.ts"
import * as Keys from "./keys.ts"

export const grantType = "urn:ietf:params:oauth:grant-type:token-exchange"

const types = {
  jwt: "urn:ietf:params:oauth:token-type:external-jwt",
  accessToken: "urn:ietf:params:oauth:token-type:access-token",
  connectToken: "urn:ietf:params:oauth:token-type:connect-token"
}

interface Given {
  readonly accessToken: string
  readonly type: string
  /** `N_A` if it is not an access token (RFC 8693 section 2.2.1). */
  readonly tokenType: "Bearer" | "N_A"
  readonly expiresIn: number
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly refreshToken?: string | undefined
}

const granted = ({ accessToken, expiresIn, refreshToken, scopes, tokenType, type }: Given): FakeHttp.FakeResponse =>
  FakeHttp.json(
    200,
    {
      access_token: accessToken,
      issued_token_type: type,
      token_type: tokenType,
      expires_in: expiresIn,
      scope: Scopes.format(scopes),
      refresh_token: refreshToken
    },
    Tokens.noStore
  )

type Refused<A> = Result.Result<A, FakeHttp.FakeResponse>

// -----------------------------------------------------------------------------
// A JWT for an access token
// -----------------------------------------------------------------------------

const userKey = (clientId: string, tenant: string, user: string): string => JSON.stringify([clientId, tenant, user])

// The ids of other users are lower.
const firstUserId = 500_001

// From the first exchange on, each user of a tenant has an opaque user and an empty workspace.
const provided = (
  state: FakeState.FakeState,
  clientId: string,
  { tenant, user }: Jwt.Subject
): { readonly state: FakeState.FakeState; readonly user: FakeState.WhiteLabelUser } => {
  const key = userKey(clientId, tenant, user)
  const known = Option.flatMap(HashMap.get(state.whiteLabelIds, key), (id) => HashMap.get(state.whiteLabelUsers, id))
  if (Option.isSome(known)) return { state, user: known.value }
  const id = firstUserId + HashMap.size(state.whiteLabelUsers)
  const [name, drawn] = FakeState.draw(state, 12)
  const email = `${name.toLowerCase()}@white-label.example`
  return {
    user: { id, email, firstName: "", lastName: "", clientId, tenant, user, grantId: 0 },
    state: {
      ...drawn,
      whiteLabelIds: HashMap.set(drawn.whiteLabelIds, key, id),
      zaps: HashMap.set(drawn.zaps, id, []),
      authentications: HashMap.set(drawn.authentications, id, [])
    }
  }
}

// The user's grant, or a new one.
const grantOf = (state: FakeState.FakeState, { clientId, grantId, id }: FakeState.WhiteLabelUser) => {
  const known = Option.getOrUndefined(HashMap.get(state.grants, grantId))
  if (known !== undefined) return { state, grant: known }
  const counter = state.counter + 1
  const grant: FakeState.Grant = {
    id: counter,
    clientId,
    userId: id,
    scopes: [],
    serial: 0,
    accessTokens: [],
    refreshToken: undefined,
    rotations: []
  }
  return { state: { ...state, counter }, grant }
}

const scopesOf = (form: Parse.Parameters): Refused<ReadonlyArray<Scopes.Scope>> => {
  const asked = form.get("scope")
  const known: ReadonlyArray<string> = Scopes.known
  const scopes = asked === undefined ? known : Scopes.parse(asked)
  return scopes.every((scope) => known.includes(scope)) ? Result.succeed(scopes) : Tokens.refuse("invalid_scope")
}

interface Verified {
  readonly jwt: Jwt.Jwt
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly subject: Jwt.Subject
}

const give = (unprovided: FakeState.FakeState, clientId: string, verified: Verified, now: number): Responded => {
  const { jwt, scopes, subject } = verified
  const { exchangeEndsAccessToken, exchangeGivesRefreshToken, exchangedTokenLifetime } = unprovided.settings
  const { state: withUser, user } = provided(unprovided, clientId, subject)
  const { grant, state } = grantOf(withUser, user)
  const accessTokens = exchangeEndsAccessToken ? [] : grant.accessTokens.filter(({ expiresAt }) => now < expiresAt)
  const { grant: renewed, pair } = Tokens.issue(
    state,
    { ...grant, accessTokens, scopes },
    { scopes, rotates: exchangeGivesRefreshToken, expiresIn: exchangedTokenLifetime },
    now
  )
  const given = exchangeGivesRefreshToken ? pair : { ...pair, refreshToken: undefined }
  const origin = { _tag: "Jwt", tenant: user.tenant, user: user.user } as const
  return {
    state: {
      ...state,
      grants: HashMap.set(state.grants, renewed.id, renewed),
      whiteLabelUsers: HashMap.set(state.whiteLabelUsers, user.id, { ...user, grantId: renewed.id }),
      exchangedJwts:
        jwt.id === undefined
          ? state.exchangedJwts
          : HashMap.set(state.exchangedJwts, `${clientId} ${jwt.id}`, { expiresAt: subject.expiresAt })
    },
    response: granted({ ...given, type: types.accessToken, tokenType: "Bearer" }),
    issued: Tokens.issued(given, { clientId, grantId: renewed.id, origin }, now)
  }
}

const exchangeJwt = (
  state: FakeState.FakeState,
  clientId: string,
  registration: Registration,
  form: Parse.Parameters,
  now: number,
  facts: Facts
): Responded => {
  const refusal = (description: string): FakeHttp.FakeResponse =>
    Tokens.error(400, state.settings.invalidJwtError, description)
  const ask = (question: Question, problem: string): Responded => ({ state, response: refusal(problem), question })
  const given = form.get("subject_token") ?? ""
  const parsed = Jwt.parse(given)
  if (Result.isFailure(parsed)) return { state, response: refusal(parsed.failure) }
  const jwt = parsed.success
  const known = Keys.find(state, registration, jwt.kid, facts, now)
  if ("url" in known) return ask({ _tag: "Keys", url: known.url }, "The keys of the partner were not fetched.")
  const refused = (description: string): Responded => ({ state: known.state, response: refusal(description) })
  if (known.keys === undefined) return refused("The JWKS URL of the partner gives no keys.")
  const key = known.keys.find((key) => key.kid === jwt.kid && Jwt.isFor(key, jwt.algorithm))
  if (key === undefined) return refused("No key of the partner has the kid and the alg of the JWT.")
  if (facts.signature?.key !== key) {
    return ask({ _tag: "Signature", jwt: given, key, algorithm: jwt.algorithm }, "The signature was not verified.")
  }
  if (!facts.signature.isValid) return refused("The signature of the JWT is not that of the key that its kid names.")
  const checked = Jwt.check(jwt, registration, state.settings, now)
  if (Result.isFailure(checked)) return refused(checked.failure)
  // The documented JWT has no `jti`: two that are signed in the same second are equal.
  if (!state.settings.allowsJwtReplay && HashMap.has(state.exchangedJwts, `${clientId} ${jwt.id}`)) {
    return refused("A JWT with the same jti was exchanged before: sign a new one.")
  }
  return Result.match(scopesOf(form), {
    onFailure: (response) => ({ state: known.state, response }),
    onSuccess: (scopes) => give(known.state, clientId, { jwt, scopes, subject: checked.success }, now)
  })
}

// -----------------------------------------------------------------------------
// An access token for a connect token
// -----------------------------------------------------------------------------

const connectScope = "connection:write"

// RFC 8693 section 2.1: absolute, without a fragment. Browsers go there.
const isResource = (text: string): boolean =>
  /^https?:\/\/[!-~]+$/i.test(text) && URL.canParse(text) && !text.includes("#")

const exchangeAccessToken = function* (
  state: FakeState.FakeState,
  clientId: string,
  form: Parse.Parameters,
  now: number
): Generator<Refused<unknown>, Responded> {
  const token = Lookup.accessToken(state, form.get("subject_token") ?? "")
  const userId = token?.userId
  if (token?.clientId !== clientId || userId === undefined || !HashMap.has(state.whiteLabelUsers, userId)) {
    const detail = "The subject_token is not an access token of a White Label user of this client."
    return yield* Tokens.refuse("invalid_request", detail)
  }
  if (now >= token.expiresAt) return yield* Tokens.refuse("invalid_request", "The subject_token has expired.")
  const scope = yield* Tokens.required(form, "scope", "scope parameter")
  if (scope !== connectScope || !Scopes.allows(token.scopes, connectScope)) {
    return yield* Tokens.refuse("invalid_scope", `A connect token has the scope ${connectScope}, and no other.`)
  }
  const resource = yield* Tokens.required(form, "resource", "resource parameter")
  if (!isResource(resource)) {
    return yield* Tokens.refuse("invalid_target", "The resource has to be an absolute URL, without a fragment.")
  }
  const [accessToken, drawn] = FakeState.draw(state)
  const expiresIn = state.settings.connectTokenLifetime
  const made: ConnectToken = { clientId, userId, resource, expiresAt: now + expiresIn * 1000, isUsed: false }
  const scopes = [connectScope]
  return {
    state: { ...drawn, connectTokens: HashMap.set(drawn.connectTokens, accessToken, made) },
    response: granted({ accessToken, type: types.connectToken, tokenType: "N_A", expiresIn, scopes })
  }
}

/** The grant type of both exchanges. */
export const exchange: Tokens.Grant = function* (state, { clientId, whiteLabel }, form, now, facts) {
  if (whiteLabel === undefined) {
    return yield* Tokens.refuse("unauthorized_client", "The client is not registered as a White Label partner.")
  }
  yield* Tokens.required(form, "subject_token", "subject_token parameter")
  const from = yield* Tokens.required(form, "subject_token_type", "subject_token_type parameter")
  const to = yield* Tokens.required(form, "requested_token_type", "requested_token_type parameter")
  if (from === types.jwt && to === types.accessToken) {
    return exchangeJwt(state, clientId, whiteLabel, form, now, facts)
  }
  if (from === types.accessToken && to === types.connectToken) {
    return yield* exchangeAccessToken(state, clientId, form, now)
  }
  return yield* Tokens.refuse(
    "invalid_request",
    "No token of the subject_token_type gives one of the requested_token_type."
  )
}
