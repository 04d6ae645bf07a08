/**
 * A claim on the right to send one token request, kept in the record that the request is about. While it is live nobody
 * else sends; past its deadline anybody may take over.
 *
 * **How long it lasts.** The owner listens for a response for `answerTimeout`, and then has `margin` to store what came.
 * The lease covers both from the start and is never renewed. To renew it would break the promise that it makes: an owner
 * that cannot reach the store loses its lease while its request is still open, and a renewal that fails delays the write
 * of the response.
 *
 * **Clocks jump.** A deadline is a time of a clock. One that has jumped ahead ends leases early. One that has jumped back
 * would make leases last for as long as it jumped: `clamp` shortens those.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * - `owner`: names the process that claimed
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
 * How long before the lease the listening ends, in milliseconds: the time to store a response, and what clocks of
 * different machines may disagree.
 *
 * @since 0.1.0
 */
export const margin = 30_000

/**
 * The longest time that any process listens, in milliseconds.
 *
 * @internal
 */
export const longestAnswerTimeout = 300_000

/**
 * A lease that begins now.
 *
 * @param answerTimeout how long its owner listens, in milliseconds
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const make = (owner: string, answerTimeout: number, now: number): Lease => ({
  owner,
  deadline: now + answerTimeout + margin
})

/**
 * When the owner has to stop listening, in milliseconds since the epoch.
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
 * The same lease, unless it lasts longer than any process may claim: then it was claimed under a clock that has jumped
 * back since, and is cut to the longest. The bound is the same for all processes, so that one with a short
 * `answerTimeout` does not end the lease of one with a long one.
 *
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const clamp = (lease: Lease, now: number): Lease => {
  const latest = now + longestAnswerTimeout + margin
  return lease.deadline > latest ? { ...lease, deadline: latest } : lease
}
