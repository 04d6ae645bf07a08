/**
 * A claim on the right to send one token request, kept in the record that the request concerns. While it is live, no
 * other process sends; after its deadline, any process may take over.
 *
 * **Duration.** The owner listens for a response for `responseTimeout`, and then has `margin` to store it. The lease covers
 * both from the start and is never renewed, because renewal would break its promise: an owner that cannot reach the store
 * would lose its lease while its request is still open, and a failing renewal would delay the write of the response.
 *
 * **Clock jumps.** The deadline is a clock time. A clock that jumps ahead ends leases early. A clock that jumps back would
 * prolong leases by the size of the jump; `clamp` shortens those.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A claim by one process, valid until a deadline.
 *
 * - `owner`: the process that claimed
 * - `deadline`: milliseconds since the epoch; the lease is live before it
 *
 * @since 0.1.0
 */
export const Lease = /* @__PURE__ */ Schema.Struct({ owner: Schema.NonEmptyString, deadline: Schema.Finite })

/**
 * @since 0.1.0
 */
export type Lease = typeof Lease.Type

/**
 * How long before the deadline listening ends, in milliseconds. Covers storing the response, and clock differences
 * between machines.
 *
 * @since 0.1.0
 */
export const margin = 30_000

/**
 * The longest `responseTimeout` of any process, in milliseconds.
 *
 * @internal
 */
export const longestResponseTimeout = 300_000

/**
 * Makes a lease that begins now.
 *
 * @param responseTimeout how long its owner listens, in milliseconds
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const make = (owner: string, responseTimeout: number, now: number): Lease => ({
  owner,
  deadline: now + responseTimeout + margin
})

/**
/**
 * When the owner stops listening, in milliseconds since the epoch.
 *
 * @internal
 */
export const listensUntil = ({ deadline }: Lease): number => deadline - margin

/**
 * True while the owner may still be at work.
 *
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const isLive = (lease: Lease, now: number): boolean => now < lease.deadline

/**
 * Shortens a lease that lasts longer than any process may claim: the clock has jumped back since.
 *
 * The bound is the same for all processes, so that one with a short `responseTimeout` does not end the lease of one with a
 * long one.
 *
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const clamp = (lease: Lease, now: number): Lease => {
  const latest = now + longestResponseTimeout + margin
  return lease.deadline > latest ? { ...lease, deadline: latest } : lease
}
