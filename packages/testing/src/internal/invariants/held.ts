/** The tokens of a grant, as plain text. */
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Redacted from "effect/Redacted"

export type Held = Exclude<UserGrant.State, { readonly _tag: "Absent" }>

export const accessTokenOf = ({ tokens }: Held) => Redacted.value(tokens.accessToken)

export const accessTokenOfState = (state: UserGrant.State) =>
  state._tag === "Absent" ? undefined : accessTokenOf(state)

export const refreshTokenOf = (state: UserGrant.State) =>
  state._tag === "Absent" || state.tokens.refreshToken === undefined
    ? undefined
    : Redacted.value(state.tokens.refreshToken)
