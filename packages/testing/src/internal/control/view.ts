/** What is known of grants and tokens, put together: for the control page and, as JSON, for the control API. */
import type * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as HashMap from "effect/HashMap"
import type * as FakeState from "../../FakeState.ts"

export interface Grant {
  readonly grantId: number
  readonly clientId: string
  /** The user's e-mail address. */
  readonly user: string
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** The one that ends last comes first. */
  readonly accessTokens: ReadonlyArray<FakeState.AccessToken>
  readonly refreshToken: string
}

const latestFirst = (one: FakeState.AccessToken, other: FakeState.AccessToken) => other.expiresAt - one.expiresAt

const latest = ({ accessTokens }: Grant) => accessTokens[0]?.expiresAt ?? 0

const emailOf = ({ users }: FakeState.FakeState, userId: number) => users.find(({ id }) => id === userId)?.email ?? ""

/** What users have allowed. The grant whose token ends last comes first. */
export const grants = (state: FakeState.FakeState): ReadonlyArray<Grant> =>
  Array.from(HashMap.values(state.grants), ({ accessTokens, clientId, id, refreshToken, scopes, userId }): Grant => {
    const user = emailOf(state, userId)
    return { grantId: id, clientId, user, scopes, accessTokens: accessTokens.toSorted(latestFirst), refreshToken }
  }).toSorted((one, other) => latest(other) - latest(one))

/** The apps' own tokens, the one that ends last first. */
export const appTokens = (state: FakeState.FakeState): ReadonlyArray<FakeState.AppToken> =>
  Array.from(HashMap.values(state.appTokens)).toSorted(latestFirst)

export const apps = (state: FakeState.FakeState): ReadonlyArray<FakeState.App> =>
  Array.from(HashMap.values(state.apps)).toSorted((one, other) => (one.name < other.name ? -1 : 1))

/**
 * @param time what the fake's clock shows, in milliseconds since the epoch
 */
export const all = (state: FakeState.FakeState, time: number) => ({
  time,
  apps: apps(state),
  users: state.users,
  grants: grants(state),
  appTokens: appTokens(state),
  knobs: state.knobs,
  faults: state.faults
})
