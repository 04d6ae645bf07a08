/**
 * What a test does to the fake that no client can: register apps, answer the consent page as a user, revoke, regenerate
 * a secret, move the clock. Pure, as the server is.
 *
 * @since 0.1.0
 */
import type * as Scopes from "@zapier-workflow-auth/core/Scopes"
import * as HashMap from "effect/HashMap"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { App, FakeState, Knobs } from "./FakeState.ts"
import { draw, revokeGrant } from "./FakeState.ts"
import * as Authorize from "./internal/authorize.ts"
import * as Parse from "./internal/parse.ts"

/**
 * What was asked of the fake makes no sense: `problem` says why.
 *
 * @since 0.1.0
 */
export class FakeControlError extends Schema.TaggedError<FakeControlError>(
  "@zapier-workflow-auth/testing/FakeControlError"
)("FakeControlError", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

const fail = (problem: string) => Result.fail(new FakeControlError({ problem }))

/**
 * @since 0.1.0
 */
export interface AppOptions {
  readonly name: string
  readonly redirectUris: ReadonlyArray<string>
  /** Default: drawn from the seed. */
  readonly clientId?: string | undefined
  /** Default: drawn from the seed. */
  readonly clientSecret?: string | undefined
}

/**
 * Registers an app, as Zapier does once an integration is public.
 *
 * @since 0.1.0
 */
export const registerApp = (state: FakeState, options: AppOptions): readonly [App, FakeState] => {
  const [clientId, afterId] = draw(state)
  const [clientSecret, drawn] = draw(afterId)
  const app: App = {
    name: options.name,
    redirectUris: options.redirectUris,
    clientId: options.clientId ?? clientId,
    clientSecret: options.clientSecret ?? clientSecret
  }
  return [app, { ...drawn, apps: HashMap.set(drawn.apps, app.clientId, app) }]
}

/**
 * Gives an app a new secret. The previous one stops working at once.
 *
 * @since 0.1.0
 */
export const regenerateSecret = (
  state: FakeState,
  clientId: string
): Result.Result<readonly [App, FakeState], FakeControlError> => {
  const app = HashMap.get(state.apps, clientId)
  if (app._tag === "None") return fail("There is no app with this client id.")
  const [clientSecret, drawn] = draw(state)
  const renewed: App = { ...app.value, clientSecret }
  return Result.succeed([renewed, { ...drawn, apps: HashMap.set(drawn.apps, clientId, renewed) }])
}

const checked = (state: FakeState, authorizationUrl: string): Result.Result<Authorize.Valid, FakeControlError> => {
  if (!URL.canParse(authorizationUrl)) return fail("The authorization URL is not a URL.")
  const url = new URL(authorizationUrl)
  if (url.pathname !== "/v2/authorize" && url.pathname !== "/oauth/authorize/") {
    return fail("The authorization URL is not that of a consent page.")
  }
  const request = Authorize.check(state, Parse.parameters(url.searchParams))
  switch (request._tag) {
    case "Valid":
      return Result.succeed(request)
    case "Page":
      return fail(request.problem)
    case "Redirect":
      return fail(`The consent page sends the user back at once, with error=${request.error}.`)
  }
}

/**
 * @since 0.1.0
 */
export interface ApproveOptions {
  /** The e-mail address of the user who allows. Default: the first user. */
  readonly user?: string | undefined
  /** What to allow, if it is less than what was asked for. */
  readonly scopes?: ReadonlyArray<Scopes.Scope> | undefined
}

/**
 * Allows what an authorization URL asks for, and gives the URL that the browser is sent back to.
 *
 * @param now milliseconds since the epoch; the state's clock offset is added
 *
 * @since 0.1.0
 */
export const approve = (
  state: FakeState,
  authorizationUrl: string,
  options: ApproveOptions,
  now: number
): Result.Result<readonly [redirectUrl: string, FakeState], FakeControlError> =>
  Result.flatMap(checked(state, authorizationUrl), (request) => {
    const user = state.users.find(({ email }) => options.user === undefined || options.user === email)
    if (user === undefined) return fail("There is no user with this e-mail address.")
    const scopes = options.scopes ?? request.scopes
    if (!scopes.every((scope) => request.scopes.includes(scope))) {
      return fail("A user cannot allow more than what was asked for.")
    }
    const allowed = Authorize.allow(state, request, { userId: user.id, scopes }, now + state.clockOffset)
    return Result.succeed([allowed.location, allowed.state] as const)
  })

/**
 * Denies what an authorization URL asks for, and gives the URL that the browser is sent back to.
 *
 * @since 0.1.0
 */
export const deny = (state: FakeState, authorizationUrl: string): Result.Result<string, FakeControlError> =>
  Result.map(checked(state, authorizationUrl), Authorize.deny)

/**
 * Ends all grants of an app, as its users do in Zapier's settings; those of one user if one is given.
 *
 * @since 0.1.0
 */
export const revoke = (
  state: FakeState,
  of: { readonly clientId: string; readonly user?: string | undefined }
): FakeState => {
  const userId = state.users.find(({ email }) => email === of.user)?.id
  let next = state
  for (const [grantId, grant] of HashMap.entries(state.grants)) {
    const isMeant = grant.clientId === of.clientId && (of.user === undefined || grant.userId === userId)
    if (isMeant) next = revokeGrant(next, grantId)
  }
  return next
}

/**
 * Ends one access token before its time.
 *
 * @since 0.1.0
 */
export const endAccessToken = (state: FakeState, accessToken: string): FakeState => ({
  ...state,
  accessTokens: HashMap.remove(state.accessTokens, accessToken)
})

/**
 * Moves the fake's clock ahead.
 *
 * @param millis milliseconds
 *
 * @since 0.1.0
 */
export const advance = (state: FakeState, millis: number): FakeState => ({
  ...state,
  clockOffset: state.clockOffset + millis
})

/**
 * @since 0.1.0
 */
export const setKnobs = (state: FakeState, knobs: Partial<Knobs>): FakeState => ({
  ...state,
  knobs: { ...state.knobs, ...knobs }
})
