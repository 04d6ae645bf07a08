/**
 * The outcome of a request to the fake: the response, how much of it arrives, and the tokens in it.
 *
 * @since 0.1.0
 */
import type * as FakeFault from "./FakeFault.ts"
import type { FakeResponse } from "./FakeHttp.ts"
import type * as FakeState from "./FakeState.ts"
import type * as FakeWhiteLabel from "./FakeWhiteLabel.ts"

/**
 * Tokens that a response contains, and their origin.
 *
 * @since 0.1.0
 */
export interface Issued {
  readonly clientId: string
  readonly grantId: number | undefined
  readonly origin: FakeState.Origin
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly at: number
}

/**
 * The responses that led to a token, oldest first: the exchange of a code, or the app's request, and then every
 * refresh, the last of which returned the token. They include responses that never arrived.
 *
 * @param issued the issued tokens, oldest first; if older ones were forgotten, the chain begins later
 * @param token an access token or a refresh token; an unknown one has no chain
 *
 * @since 0.1.0
 */
export const tokenFamily = (issued: ReadonlyArray<Issued>, token: string): ReadonlyArray<Issued> => {
  const chain: Array<Issued> = []
  let wanted: string | undefined = token
  for (const entry of issued.toReversed()) {
    if (wanted === undefined) break
    if (entry.accessToken !== wanted && entry.refreshToken !== wanted) continue
    chain.push(entry)
    wanted = entry.origin._tag === "RefreshToken" ? entry.origin.refreshToken : undefined
  }
  return chain.toReversed()
}

/**
 * The part of a response that reaches the client.
 *
 * - `Responded`: the whole response, after `delay` milliseconds
 * - `Truncated`: `bytes` bytes of the body, although the headers promise more; then the connection is closed
 * - `Closed`: nothing: the connection is closed
 * - `Reset`: nothing: the connection is reset
 * - `Silent`: nothing, for as long as the client waits
 *
 * @since 0.1.0
 */
export type Delivery =
  | { readonly _tag: "Responded"; readonly delay: number }
  | { readonly _tag: "Truncated"; readonly bytes: number }
  | { readonly _tag: "Closed" }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Silent" }

/**
 * The fake's result for a request.
 *
 * @since 0.1.0
 */
export interface Responded {
  readonly state: FakeState.FakeState
  /** The response, whether or not it arrives. `FakeHttp.networkError` if the request never arrived. */
  readonly response: FakeResponse
  /** The tokens in the response, if any, whether or not it arrives. */
  readonly issued?: Issued
  /**
   * A fact that the machine needs first. It is then called again with the facts; without them the request is rejected,
   * as in this result.
   */
  readonly question?: FakeWhiteLabel.Question
}

/**
 * The outcome of a request, with its fault.
 *
 * @since 0.1.0
 */
export interface Handled extends Responded {
  /** The part of the response that arrives. */
  readonly delivery: Delivery
  /** The injected fault. */
  readonly fault?: FakeFault.Fault
}
