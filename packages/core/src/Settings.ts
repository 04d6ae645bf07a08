/**
 * The timeouts, lifetimes and limits of the library. All have defaults; `make` validates them.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { longestResponseTimeout } from "./machine/Lease.ts"
import { InvalidConfig } from "./ZapierAuthError.ts"

/**
 * The settings of the library. Durations are Effect's: `"30 seconds"`, or milliseconds.
 *
 * @since 0.1.0
 */
export interface Options {
  /**
   * How long a caller waits for a token. After that it gets `ResponsePending`, and the response is still stored when it
   * comes. Also bounds reading the client application. Default: 20 seconds.
   */
  readonly requestTimeout?: Duration.Input | undefined
  /**
   * How long a process listens for the response to its token request; at most 5 minutes. No process sends the same refresh
   * token again for this time and half a minute more, so others wait that long after a crash. Default: 1 minute.
   */
  readonly responseTimeout?: Duration.Input | undefined
  /** How long a single store operation may take. Default: 10 seconds. */
  readonly storeTimeout?: Duration.Input | undefined
  /**
   * How long a token request is retried that certainly never left, or that is harmless to repeat. Pauses grow. Default: 5
   * seconds.
   */
  readonly retryFor?: Duration.Input | undefined
  /**
   * How long before it expires an access token is renewed; never more than a tenth of its lifetime. It stays in use
   * meanwhile. Default: 5 minutes.
   */
  readonly expiryMargin?: Duration.Input | undefined
  /**
   * How long a token that just replaced a rejected one is not replaced again, unless a call has succeeded with it. This
   * keeps an endpoint that always responds 401 from costing a refresh for each call. Default: 30 seconds.
   */
  readonly rejectionInterval?: Duration.Input | undefined
  /**
   * How long an access token is used from memory before the store is read again. Changes by other processes (disconnect,
   * reconnect) are noticed within this time. Tokens that were read at the same time are read again over the last quarter of
   * it. Default: 1 minute.
   */
  readonly memoryLifetime?: Duration.Input | undefined
  /** How many access tokens are kept in memory; the ones read longest ago are dropped first. Default: 10,000. */
  readonly memoryCapacity?: number | undefined
  /** How long a user may stay on the consent page. Default: 15 minutes. */
  readonly attemptLifetime?: Duration.Input | undefined
  /**
   * How many consent attempts are kept for each user. A new one removes the oldest, unless its code is being exchanged.
   * Default: 20.
   */
  readonly attemptsPerSubject?: number | undefined
}

/**
 * The settings of the token machines, in milliseconds.
 *
 * @since 0.1.0
 */
export interface Refreshing {
  /** How long the owner of a lease listens for its response. */
  readonly responseTimeout: number
  /** How long before it expires a token is renewed. */
  readonly expiryMargin: number
}

/**
 * The validated settings. Durations are in milliseconds.
 *
 * @since 0.1.0
 */
export interface Settings extends Refreshing {
  readonly requestTimeout: number
  readonly storeTimeout: number
  readonly retryFor: number
  readonly rejectionInterval: number
  readonly memoryLifetime: number
  readonly memoryCapacity: number
  readonly attemptLifetime: number
  readonly attemptsPerSubject: number
}

const defaults = {
  requestTimeout: "20 seconds",
  responseTimeout: "1 minute",
  storeTimeout: "10 seconds",
  retryFor: "5 seconds",
  expiryMargin: "5 minutes",
  rejectionInterval: "30 seconds",
  memoryLifetime: "1 minute",
  attemptLifetime: "15 minutes"
} as const satisfies Options

const names = Object.keys(defaults) as ReadonlyArray<keyof typeof defaults>

const known: ReadonlySet<string> = new Set([...names, "memoryCapacity", "attemptsPerSubject"])

// Zero turns these off.
const mayBeZero: ReadonlySet<string> = new Set(["expiryMargin", "rejectionInterval", "memoryLifetime", "retryFor"])

/**
 * Validates the options and fills in defaults. Fails with `InvalidConfig` if a duration is negative or not finite,
 * `responseTimeout` is longer than 5 minutes, a number is not whole, or a name is unknown.
 *
 * @example
 * ```ts
 * import * as Settings from "@zapier-workflow-auth/core/Settings"
 * import * as Result from "effect/Result"
 *
 * Result.isSuccess(Settings.make({ requestTimeout: "10 seconds" })) // => true
 *
 * // After a crash, other processes would wait for more than an hour.
 * Result.isFailure(Settings.make({ responseTimeout: "1 hour" })) // => true
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): Result.Result<Settings, InvalidConfig> => {
  const invalid = (setting: string, problem: string) => Result.fail(new InvalidConfig({ setting, problem }))
  if (typeof options !== "object" || options === null) return invalid("settings", "pass an object, or omit it")
  const unknown = Object.keys(options).find((name) => !known.has(name))
  if (unknown !== undefined) {
    return invalid(`settings.${unknown}`, `unknown setting; the settings are ${[...known].join(", ")}`)
  }
  const millis = (name: keyof typeof defaults) => {
    const input = options[name] ?? defaults[name]
    // Effect treats NaN as a duration of zero.
    if (typeof input === "number") return input
    return Option.match(Duration.fromInput(input), { onNone: () => Number.NaN, onSome: Duration.toMillis })
  }
  const durations = Object.fromEntries(names.map((name) => [name, millis(name)])) as {
    readonly [name in (typeof names)[number]]: number
  }
  for (const [setting, value] of Object.entries(durations)) {
    const least = mayBeZero.has(setting) ? 0 : 1
    if (!Number.isFinite(value) || value < least) {
      return invalid(setting, `give a finite duration of at least ${least} ms`)
    }
  }
  if (durations.responseTimeout > longestResponseTimeout) {
    return invalid("responseTimeout", "give at most 5 minutes: after a crash, other processes wait that long")
  }
  const memoryCapacity = options.memoryCapacity ?? 10_000
  if (!Number.isInteger(memoryCapacity) || memoryCapacity < 0) {
    return invalid("memoryCapacity", "give a whole number of at least 0")
  }
  const attemptsPerSubject = options.attemptsPerSubject ?? 20
  // At least one, so that the newest attempt always works.
  if (!Number.isSafeInteger(attemptsPerSubject) || attemptsPerSubject < 1) {
    return invalid("attemptsPerSubject", "give a whole number of at least 1")
  }
  return Result.succeed({ ...durations, memoryCapacity, attemptsPerSubject })
}
