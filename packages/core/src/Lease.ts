/**
 * A claim on the right to send one token request, kept in the record that the request is about. Whoever finds a lease
 * past its deadline may take over: the token request of its owner was cut off before that.
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
