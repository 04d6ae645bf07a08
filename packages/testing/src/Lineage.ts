/**
 * Which answer gave a token, and what that came from.
 *
 * @since 0.1.0
 */
import type { Issued } from "./FakeOutcome.ts"

/**
 * The answers that led to a token, the oldest first: the exchange of a code, or the app's request, and then every
 * refresh, the last of which gave the token. Answers that never arrived are among them.
 *
 * @param issued the tokens that were issued, the oldest first; where older ones were forgotten, the chain begins later
 * @param token an access token or a refresh token; of an unknown one there is no chain
 *
 * @example
 * ```ts
 * import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
 * import * as Lineage from "@zapier-workflow-auth/testing/Lineage"
 * import * as Effect from "effect/Effect"
 *
 * const howOftenRefreshed = Effect.fnUntraced(function* (token: string) {
 *   const issued = yield* (yield* FakeZapier.FakeZapier).issued
 *   return Lineage.of(issued, token).length - 1
 * })
 * ```
 *
 * @since 0.1.0
 */
export const of = (issued: ReadonlyArray<Issued>, token: string): ReadonlyArray<Issued> => {
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
