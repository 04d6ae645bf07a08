/** The contents of a record with its secrets in plain text, alike for a user's grant and the app's own token. */
import type * as Lease from "@zapier-workflow-auth/core/machine/Lease"
import type * as Pause from "@zapier-workflow-auth/core/machine/Pause"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Redacted from "effect/Redacted"
import type { History, State, Holder } from "./history.ts"

/** Stands for the refresh token in the app's own requests, which have none. */
export const app = "app"

export interface Held {
  readonly family: string
  readonly generation: number
  readonly access: Tokens.Access | undefined
  /** The token that a request for new tokens sends. */
  readonly token: string | undefined
  readonly lease: Lease.Lease | undefined
  readonly attempt: number
  readonly pause: Pause.Pause | undefined
  /** The reason why it was given up, if it was. */
  readonly why: string | undefined
}

const nothing = { family: app, token: app, attempt: 1, lease: undefined, pause: undefined, why: undefined }

/** Undefined if there is no grant. */
export const heldOf = (state: State, isApp: boolean): Held | undefined => {
  if (state._tag === "Absent") {
    if (!isApp) return undefined
    return { ...nothing, generation: 0, access: undefined, pause: "pause" in state ? state.pause : undefined }
  }
  if (!("tokens" in state)) {
    const { access, generation, pause } = state
    return { ...nothing, generation, access, pause, lease: state._tag === "Requesting" ? state.lease : undefined }
  }
  const { family, generation, tokens } = state
  const { refreshToken } = tokens
  return {
    family,
    generation,
    access: tokens,
    token: refreshToken && Redacted.value(refreshToken),
    lease: state._tag === "Refreshing" ? state.lease : undefined,
    attempt: state._tag === "Refreshing" ? state.attempt : 1,
    pause: state._tag === "ReconnectRequired" ? undefined : state.pause,
    why: state._tag === "ReconnectRequired" ? state.why : undefined
  }
}

export const held = ({ isApp, record }: History): Held | undefined => heldOf(record, isApp)

export const accessTokenOf = (held: Held | undefined) => held?.access && Redacted.value(held.access.accessToken)

/** New tokens that a process received and has not stored yet. */
export const unstored = ({ deliveries, exchanged, isApp, isAstray }: History): ReadonlyArray<Holder> =>
  // If clocks disagree, the generation of an app's request is unknown.
  isApp && isAstray ? [] : [...deliveries, ...exchanged]
