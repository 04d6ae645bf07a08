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
 * Tokens that an answer gave, and what they came from.
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
 * The answers that led to a token, the oldest first: the exchange of a code, or the app's request, and then every
 * refresh, the last of which gave the token. Answers that never arrived are among them.
 *
 * @param issued the tokens that were issued, the oldest first; where older ones were forgotten, the chain begins later
 * @param token an access token or a refresh token; of an unknown one there is no chain
 *
 * @since 0.1.0
 */
export const lineage = (issued: ReadonlyArray<Issued>, token: string): ReadonlyArray<Issued> => {
  const chain: Array<Issued> = []
  let wanted: string | undefined = token
  for (const answer of issued.toReversed()) {
    if (wanted === undefined) break
    if (answer.accessToken !== wanted && answer.refreshToken !== wanted) continue
    chain.push(answer)
    wanted = answer.origin._tag === "RefreshToken" ? answer.origin.refreshToken : undefined
  }
  return chain.toReversed()
}

/**
 * The part of an answer that reaches the client.
 *
 * - `Answered`: all of it, after `delay` milliseconds
 * - `Truncated`: so many bytes of the body, of which the headers promise more; then the connection is closed
 * - `Closed`: nothing: the connection is closed
 * - `Reset`: nothing: the connection is reset
 * - `Silent`: nothing, for as long as it waits
 *
 * @since 0.1.0
 */
export type Delivery =
  | { readonly _tag: "Answered"; readonly delay: number }
  | { readonly _tag: "Truncated"; readonly bytes: number }
  | { readonly _tag: "Closed" }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Silent" }

/**
 * What the fake has made of a request.
 *
 * @since 0.1.0
 */
export interface Answered {
  readonly state: FakeState.FakeState
  /** What it was answered with, whether that arrives or not. `FakeHttp.networkError` when the request never arrived. */
  readonly response: FakeResponse
  /** The tokens of this answer, if it has any, whether it arrives or not. */
  readonly issued?: Issued
  /**
   * What has to be found out first. The machine is then asked again, with the facts; without them, the request is refused, as it
   * is here.
   */
  readonly question?: FakeWhiteLabel.Question
}

/**
 * What came of a request.
 *
 * @since 0.1.0
 */
export interface Handled extends Answered {
  /** What of the answer arrives. */
  readonly delivery: Delivery
  /** What it was struck by. */
  readonly fault?: FakeFault.Fault
}
