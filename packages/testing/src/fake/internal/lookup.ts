/** Finds codes, tokens and grants of the fake. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { AccessToken, Code, FakeState, Grant, Rotation, User } from "../FakeState.ts"
import * as Text from "../../internal/text.ts"

const get = <K, A>(map: HashMap.HashMap<K, A>, key: K): A | undefined => Option.getOrUndefined(HashMap.get(map, key))

const grantOf = (state: FakeState, name: Text.Name | undefined): Grant | undefined =>
  name === undefined ? undefined : get(state.grants, name.grant)

/** A user of Zapier, or of a White Label partner. */
export const user = ({ users, whiteLabelUsers }: FakeState, id: number): User | undefined =>
  users.find((user) => user.id === id) ?? get(whiteLabelUsers, id)

/** The id of the grant of a code or a token, even if the grant is gone. */
export const grantIdOf = (state: FakeState, text: string): number | undefined => Text.read(state.key, text)?.grant

/** An issued code, or the grant that it was exchanged for: at most one of them. */
export const code = (
  state: FakeState,
  text: string
): { readonly code: Code | undefined; readonly exchanged: Grant | undefined } => {
  const name = Text.read(state.key, text)
  const isGiven = name?.kind === "Code" && Text.write(state.key, name) === text
  const code = isGiven ? get(state.codes, name.grant) : undefined
  return { code, exchanged: isGiven && code === undefined ? get(state.grants, name.grant) : undefined }
}

/** An access token and its owner. Without `userId` it is the app's own. */
export interface Access extends AccessToken {
  readonly clientId: string
  readonly userId: number | undefined
}

/** An access token that was not ended. It may have expired. */
export const accessToken = (state: FakeState, text: string): Access | undefined => {
  const grant = grantOf(state, Text.read(state.key, text))
  const token = grant?.accessTokens.find(({ accessToken }) => accessToken === text)
  if (grant !== undefined && token !== undefined) {
    return { ...token, clientId: grant.clientId, userId: grant.userId }
  }
  const own = get(state.appTokens, text)
  return own === undefined ? undefined : { ...own, userId: undefined }
}

/** A refresh token of an existing grant. `isUsed`: it is no longer the latest. */
export interface Refresh {
  readonly grant: Grant
  readonly isUsed: boolean
  /** The tokens that it gave, if they are returned again. */
  readonly rotation: Rotation | undefined
}

export const refreshToken = (state: FakeState, text: string, now: number): Refresh | undefined => {
  const name = Text.read(state.key, text)
  const grant = grantOf(state, name)
  if (name === undefined || grant === undefined) return undefined
  if (grant.refreshToken === text) return { grant, isUsed: false, rotation: undefined }
  // A restored earlier state does not know later tokens.
  const isGiven = name.kind === "RefreshToken" && name.serial < grant.serial && Text.write(state.key, name) === text
  if (!isGiven) return undefined
  const { graceMillis } = state.settings
  const rotation = grant.rotations.find(({ at, refreshToken }) => refreshToken === text && now - at < graceMillis)
  return { grant, isUsed: true, rotation }
}

/** True if a refresh token still gives tokens. */
export const isAlive = (state: FakeState, text: string, now: number): boolean => {
  const found = refreshToken(state, text, now)
  return found !== undefined && (!found.isUsed || found.rotation !== undefined)
}
