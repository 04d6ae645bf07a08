/** A White Label partner's public keys: the known ones, and when to fetch them again. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type * as FakeState from "../../FakeState.ts"
import type { Facts, FetchedKeys, Jwk, Registration } from "../../FakeWhiteLabel.ts"

export interface Known {
  readonly state: FakeState.FakeState
  /** Undefined if they could not be fetched. */
  readonly keys: ReadonlyArray<Jwk> | undefined
}

const isWithin = ({ fetchedAt }: FetchedKeys, seconds: number, now: number): boolean =>
  now >= fetchedAt && now < fetchedAt + seconds * 1000

/**
 * The keys in which to look up a `kid`, or the URL to fetch first. Keys are fetched again when they are too old, and
 * for an unknown `kid` unless that was done a moment ago.
 */
export const find = (
  state: FakeState.FakeState,
  { jwksUrl, keys }: Registration,
  kid: string,
  facts: Facts,
  now: number
): Known | { readonly url: string } => {
  if (jwksUrl === undefined) return { state, keys }
  if (facts.keys !== undefined) {
    const { fetched } = facts.keys
    if (fetched === undefined) return { state, keys: undefined }
    const partnerKeys = HashMap.set(state.partnerKeys, jwksUrl, { keys: fetched, fetchedAt: now })
    return { state: { ...state, partnerKeys }, keys: fetched }
  }
  const { jwksCooldown, jwksLifetime } = state.settings
  const known = Option.getOrUndefined(HashMap.get(state.partnerKeys, jwksUrl))
  if (known === undefined || !isWithin(known, jwksLifetime, now)) return { url: jwksUrl }
  const isKnown = known.keys.some((key) => key.kid === kid)
  return isKnown || isWithin(known, jwksCooldown, now) ? { state, keys: known.keys } : { url: jwksUrl }
}
