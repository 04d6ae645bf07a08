/**
 * The times and sizes that the library works with. All have sensible defaults; `make` checks how they relate.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { InvalidConfig } from "./ZapierAuthError.ts"

/**
 * What may be set. Durations are Effect's: `"30 seconds"`, or milliseconds.
 *
 * @since 0.1.0
 */
export interface Options {
  /** How long one token request may take before it is cut off. Default: 20 seconds. */
  readonly requestTimeout?: Duration.Input | undefined
  /**
   * How long a process may hold the right to refresh a grant. Must be longer than `requestTimeout`, so that whoever takes
   * over finds no request of the former owner under way. Default: 30 seconds.
   */
  readonly leaseDuration?: Duration.Input | undefined
  /**
   * For how long a token request is tried again that certainly never left, or that harms nobody when it is asked twice.
   * The pauses between grow. Default: 5 seconds.
   */
  readonly retryFor?: Duration.Input | undefined
  /**
   * How long before its end an access token is renewed while it is still used; never more than a tenth of its life.
   * Default: 5 minutes.
   */
  readonly expiryMargin?: Duration.Input | undefined
  /**
   * How long an access token is used from memory before the store is asked again: what other processes do (disconnect,
   * connect anew) is noticed within this time. Default: 1 minute.
   */
  readonly memoryLifetime?: Duration.Input | undefined
  /** How many access tokens are kept in memory; those used longest ago make room. Default: 10,000. */
  readonly memoryCapacity?: number | undefined
  /** How long a user may take on the consent page. Default: 15 minutes. */
  readonly attemptLifetime?: Duration.Input | undefined
}

/**
 * What the machines of tokens need to know, in milliseconds.
 *
 * @since 0.1.0
 */
export interface Refreshing {
  /** How long a lease lasts that is given out. */
  readonly leaseDuration: number
  /** How long before its end a token is renewed. */
  readonly expiryMargin: number
}

/**
 * The settings, their durations in milliseconds.
 *
 * @since 0.1.0
 */
export interface Settings extends Refreshing {
  readonly requestTimeout: number
  readonly retryFor: number
  readonly memoryLifetime: number
  readonly memoryCapacity: number
  readonly attemptLifetime: number
}

const defaults = {
  requestTimeout: "20 seconds",
  leaseDuration: "30 seconds",
  retryFor: "5 seconds",
  expiryMargin: "5 minutes",
  memoryLifetime: "1 minute",
  attemptLifetime: "15 minutes"
} as const satisfies Options

// What a lease must have left when the request that it covers has been cut off.
const margin = 1_000

/**
 * Checks the options and fills in the defaults. Fails with `InvalidConfig` when a duration is negative or not finite,
 * or when the lease does not outlive the token request by a second.
 *
 * @example
 * ```ts
 * import * as Settings from "@zapier-workflow-auth/core/Settings"
 * import * as Result from "effect/Result"
 *
 * Result.isSuccess(Settings.make({ requestTimeout: "10 seconds" })) // => true
 *
 * // The lease would end before the request.
 * Result.isFailure(Settings.make({ requestTimeout: "1 minute" })) // => true
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): Result.Result<Settings, InvalidConfig> => {
  const millis = (name: keyof typeof defaults) => {
    const input = options[name] ?? defaults[name]
    // Effect takes what is not a number for a duration of zero.
    if (typeof input === "number") return input
    return Option.match(Duration.fromInput(input), { onNone: () => Number.NaN, onSome: Duration.toMillis })
  }
  const durations = {
    requestTimeout: millis("requestTimeout"),
    leaseDuration: millis("leaseDuration"),
    retryFor: millis("retryFor"),
    expiryMargin: millis("expiryMargin"),
    memoryLifetime: millis("memoryLifetime"),
    attemptLifetime: millis("attemptLifetime")
  }
  for (const [setting, value] of Object.entries(durations)) {
    // Not to refresh ahead, to keep nothing in memory and to try nothing again are sensible wishes.
    const least = ["expiryMargin", "memoryLifetime", "retryFor"].includes(setting) ? 0 : 1
    if (!Number.isFinite(value) || value < least) {
      return Result.fail(new InvalidConfig({ setting, problem: `give a finite duration of at least ${least} ms` }))
    }
  }
  const memoryCapacity = options.memoryCapacity ?? 10_000
  if (!Number.isInteger(memoryCapacity) || memoryCapacity < 0) {
    return Result.fail(new InvalidConfig({ setting: "memoryCapacity", problem: "give a whole number of at least 0" }))
  }
  const settings: Settings = { ...durations, memoryCapacity }
  return settings.leaseDuration < settings.requestTimeout + margin
    ? Result.fail(
        new InvalidConfig({
          setting: "leaseDuration",
          problem: `make it at least ${margin} ms longer than requestTimeout (${settings.requestTimeout} ms), so that whoever takes over an ended lease finds no request under way`
        })
      )
    : Result.succeed(settings)
}
