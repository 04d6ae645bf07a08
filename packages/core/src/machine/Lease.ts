/**
 * A claim on the right to send one token request, kept in the record that the request is about. Whoever finds a lease
 * past its deadline may take over: the token request of its owner was cut off before that.
 *
 * Deadlines are times of a clock, and clocks jump. One that has jumped ahead ends leases early, which costs no more than
 * a request too many if it happens to fall into one. One that has jumped back would make leases last for as long as it
 * jumped: `clamp` shortens those.
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
export const Lease = Schema.Struct({ owner: Schema.NonEmptyString, deadline: Schema.Finite })

/**
 * @since 0.1.0
 */
export type Lease = typeof Lease.Type

/**
 * Whether the owner may still be at work.
 *
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const isLive = (lease: Lease, now: number): boolean => now < lease.deadline

/**
 * The same lease, unless it lasts longer than any that is given out: then it was given under a clock that has jumped
 * back since, and ends after `duration`. Processes may be configured differently, so that only thrice the own duration is
 * implausible.
 *
 * @param duration of the leases that this process gives out, in milliseconds
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const clamp = (lease: Lease, duration: number, now: number): Lease =>
  lease.deadline - now > 3 * duration ? { ...lease, deadline: now + duration } : lease
