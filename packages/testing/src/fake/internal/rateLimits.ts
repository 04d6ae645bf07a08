/**
 * Zapier's rate limits: a number of requests per minute from an address and for a partner, and then a cool-down of a
 * minute in which every request is rejected.
 *
 * A minute begins with the first request, so one counter per address and one per partner are enough.
 *
 * Source: Zapier's "Rate limiting" page of the Workflow API, and its OpenAPI description for the headers.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as FakeHttp from "../FakeHttp.ts"
import type * as FakeState from "../FakeState.ts"
import { problem } from "./api/call.ts"

const minute = 60_000

type Minutes = FakeState.FakeState["minutes"]

const secondsUntil = (endsAt: number, now: number) => Math.ceil((endsAt - now) / 1_000)

/** The headers of 429 and 503. */
export const headers = (limit: number, endsAt: number, now: number) => ({
  "cache-control": "no-store",
  "retry-after": String(secondsUntil(endsAt, now)),
  "x-ratelimit-limit": String(limit),
  "x-ratelimit-remaining": "0",
  "x-ratelimit-reset": String(Math.ceil(endsAt / 1_000))
})

interface Counted {
  readonly minutes: Minutes
  readonly refusal: FakeHttp.FakeResponse | undefined
}

const count = (minutes: Minutes, key: string, limit: number, now: number): Counted => {
  const found = Option.getOrUndefined(HashMap.get(minutes, key))
  const current = found === undefined || now >= found.endsAt ? { endsAt: now + minute, count: 0 } : found
  // The first request above the limit begins the cool-down.
  const endsAt = current.count === limit ? now + minute : current.endsAt
  if (current.count <= limit) minutes = HashMap.set(minutes, key, { endsAt, count: current.count + 1 })
  if (current.count < limit) return { minutes, refusal: undefined }
  const detail = `Request was throttled. Expected available in ${secondsUntil(endsAt, now)} seconds.`
  return { minutes, refusal: problem(429, detail, headers(limit, endsAt, now)) }
}

/** Counts a request, or rejects it. A rejected request counts nowhere else. */
export const check = (
  state: FakeState.FakeState,
  request: FakeHttp.FakeRequest,
  partner: string | undefined,
  now: number
): { readonly state: FakeState.FakeState; readonly refusal: FakeHttp.FakeResponse | undefined } => {
  const { requestsPerAddress, requestsPerPartner } = state.settings
  const address = `address ${request.address ?? FakeHttp.defaultAddress}`
  let counted = count(state.minutes, address, requestsPerAddress, now)
  if (counted.refusal === undefined && partner !== undefined) {
    counted = count(counted.minutes, `partner ${partner}`, requestsPerPartner, now)
  }
  return { state: { ...state, minutes: counted.minutes }, refusal: counted.refusal }
}
