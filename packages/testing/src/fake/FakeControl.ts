/**
 * Does to the fake what no client can: registers apps and users, allows or denies as a user, revokes, regenerates a
 * secret, changes settings, injects faults, moves the clock. Pure, like the server.
 *
 * @example
 * ```ts
 * import * as FakeControl from "@zapier-workflow-auth/testing/fake/FakeControl"
 * import * as Result from "effect/Result"
 *
 * const program = Result.gen(function* () {
 *   const state = yield* FakeControl.make({ settings: { rateLimits: false } })
 *   const [app, registered] = yield* FakeControl.registerApp(state, {
 *     name: "Acme",
 *     redirectUris: ["https://acme.example/callback"]
 *   })
 *   return yield* FakeControl.addFault(registered, { fault: { _tag: "ResponseLost" }, match: { endpoint: "token" } })
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as DateTime from "effect/DateTime"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as FakeFault from "./FakeFault.ts"
import * as FakeHttp from "./FakeHttp.ts"
import * as FakeState from "./FakeState.ts"
import * as FakeWhiteLabel from "./FakeWhiteLabel.ts"
import * as Authentications from "./internal/api/authentications.ts"
import * as Authorize from "./internal/authorize.ts"
import * as FakeOptions from "./internal/options.ts"
import * as Given from "./internal/given.ts"
import * as Lookup from "./internal/lookup.ts"
import * as Parse from "./internal/parse.ts"
import * as Connect from "./internal/whiteLabel/connect.ts"

/**
 * The fake was given an invalid request or option: `problem` says why, and what is valid.
 *
 * @since 0.1.0
 */
export class FakeControlError extends Schema.TaggedError<FakeControlError>(
  "@zapier-workflow-auth/testing/fake/FakeControl/FakeControlError"
)("FakeControlError", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

const fail = (problem: string) => Result.fail(new FakeControlError({ problem }))

/**
 * The result, or the reason why the operation is invalid.
 *
 * @since 0.1.0
 */
export type Controlled<A> = Result.Result<A, FakeControlError>

// Rejects input of another form. The error names places and known names, but no values.
const parse = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, what: string, input: unknown) =>
  Result.mapError(Given.parse(schema, what)(input), (problem) => new FakeControlError({ problem }))

// -----------------------------------------------------------------------------
// Apps and users
// -----------------------------------------------------------------------------

const appOf = (state: FakeState.FakeState, clientId: string): Controlled<FakeState.App> =>
  Result.fromOption(
    HashMap.get(state.apps, clientId),
    () => new FakeControlError({ problem: "No app has this client id. Register it first." })
  )

const RedirectUri = Schema.String.check(
  Schema.makeFilter((uri) => URL.canParse(uri) && /^[!-~]+$/.test(uri) && !uri.includes("#"), {
    message: "Expected a whole URL without a fragment"
  })
)

/**
 * An app to register.
 *
 * - `clientId`, `clientSecret`: default: drawn from the seed
 * - `redirectUris`: whole URLs, compared letter by letter
 * - `whiteLabel`: registers it as a White Label partner. Default: it is not one
 *
 * @since 0.1.0
 */
export const AppOptions = Schema.Struct({
  name: Schema.NonEmptyString,
  redirectUris: Schema.Array(RedirectUri),
  clientId: Schema.optional(Schema.NonEmptyString),
  clientSecret: Schema.optional(Schema.NonEmptyString),
  whiteLabel: Schema.optional(FakeWhiteLabel.Options)
})

/**
 * @since 0.1.0
 */
export type AppOptions = typeof AppOptions.Type

const registration = ({
  issuer,
  jwks,
  jwksUrl,
  tenantClaim = "org_id",
  userClaim = "sub"
}: FakeWhiteLabel.Options): FakeWhiteLabel.Registration => ({
  issuer,
  userClaim,
  tenantClaim,
  jwksUrl,
  keys: jwks?.keys ?? []
})

/**
 * Registers an app, as Zapier does once an integration is public.
 *
 * @since 0.1.0
 */
export const registerApp = (
  state: FakeState.FakeState,
  options: AppOptions
): Controlled<readonly [FakeState.App, FakeState.FakeState]> =>
  Result.flatMap(parse(AppOptions, "The app", options), ({ name, redirectUris, ...given }) => {
    const [drawnId, afterId] = FakeState.draw(state)
    const [drawnSecret, drawn] = FakeState.draw(afterId)
    const { clientId = drawnId, clientSecret = drawnSecret } = given
    const whiteLabel = given.whiteLabel && registration(given.whiteLabel)
    const app: FakeState.App = { name, redirectUris, clientId, clientSecret, whiteLabel }
    return HashMap.has(state.apps, app.clientId)
      ? fail("An app with this client id exists already. Use another one, or leave it out.")
      : Result.succeed([app, { ...drawn, apps: HashMap.set(drawn.apps, app.clientId, app) }])
  })

/**
 * Registers an app as a White Label partner, or changes its registration. Its keys are read or fetched again.
 *
 * @since 0.1.0
 */
export const setWhiteLabel = (
  state: FakeState.FakeState,
  clientId: string,
  options: FakeWhiteLabel.Options
): Controlled<readonly [FakeState.App, FakeState.FakeState]> =>
  Result.gen(function* () {
    const app = yield* appOf(state, clientId)
    const whiteLabel = registration(yield* parse(FakeWhiteLabel.Options, "The registration", options))
    const { jwksUrl } = whiteLabel
    const partnerKeys = jwksUrl === undefined ? state.partnerKeys : HashMap.remove(state.partnerKeys, jwksUrl)
    const registered: FakeState.App = { ...app, whiteLabel }
    return [registered, { ...state, partnerKeys, apps: HashMap.set(state.apps, clientId, registered) }]
  })

/**
 * A user to register.
 *
 * @since 0.1.0
 */
export const UserOptions = Schema.Struct({
  email: Schema.NonEmptyString,
  firstName: Schema.optional(Schema.String),
  lastName: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 */
export type UserOptions = typeof UserOptions.Type

const firstUserId = 1_001

/**
 * Adds a user who can sign in.
 *
 * @since 0.1.0
 */
export const registerUser = (
  state: FakeState.FakeState,
  options: UserOptions
): Controlled<readonly [FakeState.User, FakeState.FakeState]> =>
  Result.flatMap(parse(UserOptions, "The user", options), ({ email, firstName = "", lastName = "" }) => {
    const id = Math.max(firstUserId - 1, ...state.users.map(({ id }) => id)) + 1
    const user: FakeState.User = { id, email, firstName, lastName }
    return state.users.some((known) => known.email === email)
      ? fail("A user with this e-mail address exists already.")
      : Result.succeed([user, { ...state, users: [...state.users, user] }])
  })

// Without an e-mail address, the first user.
const userOf = (state: FakeState.FakeState, email: string | undefined): Controlled<FakeState.User> =>
  Result.fromNullishOr(
    state.users.find((user) => email === undefined || user.email === email),
    () => new FakeControlError({ problem: "No user has this e-mail address. Register the user first." })
  )

/**
 * Gives an app a new secret. The previous one stops working at once.
 *
 * @since 0.1.0
 */
export const regenerateSecret = (
  state: FakeState.FakeState,
  clientId: string
): Controlled<readonly [FakeState.App, FakeState.FakeState]> =>
  Result.map(appOf(state, clientId), (app) => {
    const [clientSecret, drawn] = FakeState.draw(state)
    const renewed: FakeState.App = { ...app, clientSecret }
    return [renewed, { ...drawn, apps: HashMap.set(drawn.apps, clientId, renewed) }]
  })

// -----------------------------------------------------------------------------
// Consent
// -----------------------------------------------------------------------------

const checked = (state: FakeState.FakeState, authorizationUrl: string): Controlled<Authorize.Valid> => {
  if (!URL.canParse(authorizationUrl)) return fail("The authorization URL is not a URL.")
  const url = new URL(authorizationUrl)
  if (url.pathname !== "/v2/authorize" && url.pathname !== "/oauth/authorize/") {
    return fail("The authorization URL is not a consent page. Its path must be /v2/authorize or /oauth/authorize/.")
  }
  return Result.mapError(Authorize.check(state, Parse.parameters(url.searchParams)), (refusal) => {
    const isPage = refusal._tag === "Rejected"
    const problem = isPage ? refusal.problem : `The consent page redirects at once with error=${refusal.error}.`
    return new FakeControlError({ problem })
  })
}

/**
 * How a user denies a request.
 *
 * @since 0.1.0
 */
export interface DenyOptions {
  /** The e-mail address of the user who decides. Default: the first user. */
  readonly user?: string | undefined
}

/**
 * How a user allows a request.
 *
 * @since 0.1.0
 */
export interface ApproveOptions extends DenyOptions {
  /** The scopes to allow, if fewer than requested. */
  readonly scopes?: ReadonlyArray<Scopes.Scope> | undefined
}

const Denial = { user: Schema.optional(Schema.String) }

const Approval = { ...Denial, scopes: Schema.optional(Schema.Array(Scopes.Scope)) }

/**
 * Allows the request of an authorization URL, and returns the URL that the browser is redirected to.
 *
 * @param now milliseconds since the epoch; the state's clock offset is added
 *
 * @since 0.1.0
 */
export const approve = (
  state: FakeState.FakeState,
  authorizationUrl: string,
  options: ApproveOptions,
  now: number
): Controlled<readonly [redirectUrl: string, FakeState.FakeState]> =>
  Result.gen(function* () {
    const given = yield* parse(Schema.Struct(Approval), "The approval", options)
    const request = yield* checked(state, authorizationUrl)
    const user = yield* userOf(state, given.user)
    const scopes = given.scopes ?? request.scopes
    if (!scopes.every((scope) => request.scopes.includes(scope))) {
      return yield* fail("A user can allow only scopes that were requested.")
    }
    const allowed = Authorize.allow(state, request, { userId: user.id, scopes }, now + state.clockOffset)
    return [allowed.location, allowed.state]
  })

/**
 * Denies the request of an authorization URL, and returns the URL that the browser is redirected to.
 *
 * @since 0.1.0
 */
export const deny = (
  state: FakeState.FakeState,
  authorizationUrl: string,
  options: DenyOptions = {}
): Controlled<string> =>
  Result.gen(function* () {
    const { user } = yield* parse(Schema.Struct(Denial), "The denial", options)
    const request = yield* checked(state, authorizationUrl)
    yield* userOf(state, user)
    return Authorize.deny(request)
  })

/**
 * A White Label user's decision on the Connect page.
 *
 * @since 0.1.0
 */
export const ConnectOptions = Schema.Struct({
  /** Default: `allow`. */
  decision: Schema.optional(Schema.Literals(["allow", "deny"]))
})

/**
 * @since 0.1.0
 */
export type ConnectOptions = typeof ConnectOptions.Type

/**
 * Opens a Connect URL, uses up its token, and decides as the user.
 *
 * Returns the URL that the browser is redirected to or, for a popup, the message to its opener.
 *
 * @param now milliseconds since the epoch; the state's clock offset is added
 *
 * @since 0.1.0
 */
export const connect = (
  state: FakeState.FakeState,
  connectUrl: string,
  options: ConnectOptions,
  now: number
): Controlled<readonly [FakeWhiteLabel.ConnectEnd, FakeState.FakeState]> =>
  Result.gen(function* () {
    const { decision = "allow" } = yield* parse(ConnectOptions, "The response", options)
    const request = FakeHttp.request("GET", connectUrl)
    if (!URL.canParse(connectUrl) || Parse.route(request.path) !== "Connect") {
      return yield* fail("The Connect URL is not that of a Connect page: /to/{app}.")
    }
    const time = now + state.clockOffset
    const begun = yield* Result.mapError(
      Connect.begin(state, request, time),
      ({ problem }) => new FakeControlError({ problem: `The Connect page does not open: ${problem}` })
    )
    const decided = Connect.decide(begun.state, begun.secret, decision === "allow", time)
    return decided === undefined ? yield* fail("The Connect page has expired.") : [decided.end, decided.state]
  })

/**
 * Expires a user's connection: the user has to connect it again.
 *
 * @param id the id of the authentication
 *
 * @since 0.1.0
 */
export const expireAuthentication = (state: FakeState.FakeState, id: string): Controlled<FakeState.FakeState> => {
  const owner = [...state.users, ...HashMap.values(state.whiteLabelUsers)].find(
    (user) => Authentications.find(state, user, id) !== undefined
  )
  return owner === undefined
    ? fail("There is no authentication with this id: GET /v2/authentications lists those of a user.")
    : Result.succeed(Authentications.setExpired(state, owner, id, true))
}

// -----------------------------------------------------------------------------
// Tokens
// -----------------------------------------------------------------------------

/**
 * Selects grants: of an app, of a user, of both, or one.
 *
 * @since 0.1.0
 */
export const Revocation = Schema.Struct({
  clientId: Schema.optional(Schema.String),
  /** An e-mail address. */
  user: Schema.optional(Schema.String),
  grantId: Schema.optional(Schema.Int)
})

/**
 * @since 0.1.0
 */
export type Revocation = typeof Revocation.Type

/**
 * Revokes grants, as users do in Zapier's settings: of one app, of one user, of both, or one grant. Revoking a grant
 * twice has no effect.
 *
 * @since 0.1.0
 */
export const revoke = (state: FakeState.FakeState, of: Revocation): Controlled<FakeState.FakeState> =>
  Result.gen(function* () {
    const { clientId, grantId, user } = yield* parse(Revocation, "The revocation", of)
    if (clientId === undefined && user === undefined && grantId === undefined) {
      return yield* fail("Say which grants to revoke: give a clientId, a user, or a grantId.")
    }
    if (clientId !== undefined) yield* appOf(state, clientId)
    const userId = user === undefined ? undefined : (yield* userOf(state, user)).id
    const isMeant = (grant: FakeState.Grant) =>
      grant.id === (grantId ?? grant.id) &&
      grant.clientId === (clientId ?? grant.clientId) &&
      grant.userId === (userId ?? grant.userId)
    return { ...state, grants: HashMap.filter(state.grants, (grant) => !isMeant(grant)) }
  })

/**
 * Ends one access token before it expires. An expired one stays so.
 *
 * @since 0.1.0
 */
export const endAccessToken = (state: FakeState.FakeState, accessToken: string): FakeState.FakeState => {
  const grantId = Lookup.grantIdOf(state, accessToken)
  const withoutIt = (grant: FakeState.Grant): FakeState.Grant => ({
    ...grant,
    accessTokens: grant.accessTokens.filter((token) => token.accessToken !== accessToken)
  })
  return {
    ...state,
    appTokens: HashMap.remove(state.appTokens, accessToken),
    grants: grantId === undefined ? state.grants : HashMap.modify(state.grants, grantId, withoutIt)
  }
}

// -----------------------------------------------------------------------------
// Settings and faults
// -----------------------------------------------------------------------------

/**
 * Changes assumptions about behavior that Zapier does not document. Settings that are not named stay as they are.
 *
 * @since 0.1.0
 */
export const changeSettings = (
  state: FakeState.FakeState,
  settings: Partial<FakeState.Settings>
): Controlled<FakeState.FakeState> =>
  Result.map(parse(FakeState.Settings, "The settings", { ...state.settings, ...settings }), (settings) => ({
    ...state,
    settings
  }))

const Rules = Schema.Array(FakeFault.Rule)

/**
 * Replaces all fault rules; an empty list removes them.
 *
 * @since 0.1.0
 */
export const setFaults = (
  state: FakeState.FakeState,
  rules: ReadonlyArray<FakeFault.Rule>
): Controlled<FakeState.FakeState> => Result.map(parse(Rules, "The faults", rules), (faults) => ({ ...state, faults }))

/**
 * Adds a fault rule, to be tried after the existing ones.
 *
 * @since 0.1.0
 */
export const addFault = (state: FakeState.FakeState, rule: FakeFault.Rule): Controlled<FakeState.FakeState> =>
  Result.map(parse(FakeFault.Rule, "The fault", rule), (rule) => ({ ...state, faults: [...state.faults, rule] }))

/**
 * Moves the fake's clock ahead.
 *
 * @param millis milliseconds
 *
 * @since 0.1.0
 */
export const advance = (state: FakeState.FakeState, millis: number): Controlled<FakeState.FakeState> =>
  Number.isFinite(millis) && millis >= 0
    ? Result.succeed({ ...state, clockOffset: state.clockOffset + millis })
    : fail("Give 0 or more milliseconds. To move the clock back, set it.")

/**
 * Sets the fake's clock, forward or back. It runs on from there.
 *
 * @param at the new time, in milliseconds since the epoch
 * @param now the time of the outer clock, in milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const setTime = (state: FakeState.FakeState, at: number, now: number): Controlled<FakeState.FakeState> =>
  Option.isSome(DateTime.make(at))
    ? Result.succeed({ ...state, clockOffset: at - now })
    : fail("Give milliseconds since the epoch.")

/**
 * The initial state of a fake.
 *
 * @since 0.1.0
 */
export interface Options extends FakeState.Options {
  /** The apps that are registered from the start. Default: none. */
  readonly apps?: ReadonlyArray<AppOptions> | undefined
}

/**
 * A fake with apps and users. Fails for invalid options.
 *
 * @since 0.1.0
 */
export const make = (options: Options): Controlled<FakeState.FakeState> =>
  Result.gen(function* () {
    yield* parse(FakeOptions.OfState, "The options", options)
    const { apps = [], faults = [], settings = {}, users, seed } = options
    let state = FakeState.make(users === undefined ? { seed } : { seed, users: [] })
    for (const user of users ?? []) state = (yield* registerUser(state, user))[1]
    for (const app of apps) state = (yield* registerApp(state, app))[1]
    return yield* setFaults(yield* changeSettings(state, settings), faults)
  })
