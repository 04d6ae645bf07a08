/**
 * The times and sizes that the library works with. All have sensible defaults; `make` checks how they relate.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { longestAnswerTimeout } from "./machine/Lease.ts"
import { InvalidConfig } from "./ZapierAuthError.ts"

/**
 * What may be set. Durations are Effect's: `"30 seconds"`, or milliseconds.
 *
 * @since 0.1.0
 */
export interface Options {
  /**
   * How long a caller waits for a token, whoever sends the request. It is then told that Zapier has not responded yet,
   * and the response is still stored when it comes. Also bounds the reading of the client application. Default: 20
   * seconds.
   */
  readonly requestTimeout?: Duration.Input | undefined
  /**
   * How long the process that sent a token request listens for its response; at most 5 minutes. Nobody sends the same
   * refresh token again for as long, and for half a minute more: after a crash others wait for that. Default: 1 minute.
   */
  readonly answerTimeout?: Duration.Input | undefined
  /** How long a store may take for one operation. Default: 10 seconds. */
  readonly storeTimeout?: Duration.Input | undefined
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
   * How long an access token that has replaced a rejected one is believed over an endpoint that rejects it too, unless a
   * call has succeeded with it. Without this an endpoint that always responds 401 would cost a refresh for each call.
   * Default: 30 seconds.
   */
  readonly rejectionInterval?: Duration.Input | undefined
  /**
   * How long an access token is used from memory before the store is asked again: what other processes do (disconnect,
   * connect anew) is noticed within this time. Default: 1 minute.
   */
  readonly memoryLifetime?: Duration.Input | undefined
  /** How many access tokens are kept in memory; those looked up in the store longest ago make room. Default: 10,000. */
  readonly memoryCapacity?: number | undefined
  /** How long a user may take on the consent page. Default: 15 minutes. */
  readonly attemptLifetime?: Duration.Input | undefined
  /**
   * How many consent attempts of one user are kept. When another begins, the oldest is forgotten, unless its code is being
   * exchanged. Default: 20.
   */
  readonly attemptsPerSubject?: number | undefined
}

/**
 * What the machines of tokens need to know, in milliseconds.
 *
 * @since 0.1.0
 */
export interface Refreshing {
  /** How long the owner of a lease listens for the response to its request. */
  readonly answerTimeout: number
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
  answerTimeout: "1 minute",
  storeTimeout: "10 seconds",
  retryFor: "5 seconds",
  expiryMargin: "5 minutes",
  rejectionInterval: "30 seconds",
  memoryLifetime: "1 minute",
  attemptLifetime: "15 minutes"
} as const satisfies Options

const names = Object.keys(defaults) as ReadonlyArray<keyof typeof defaults>

const known: ReadonlySet<string> = new Set([...names, "memoryCapacity", "attemptsPerSubject"])

// Doing without one of these is a sensible wish.
const mayBeZero: ReadonlySet<string> = new Set(["expiryMargin", "rejectionInterval", "memoryLifetime", "retryFor"])

/**
 * Checks the options and fills in the defaults. Fails with `InvalidConfig` when a duration is negative or not finite,
 * when `answerTimeout` is longer than 5 minutes, when a number is not a whole one, or when a name is no setting's.
 *
 * @example
 * ```ts
 * import * as Settings from "@zapier-workflow-auth/core/Settings"
 * import * as Result from "effect/Result"
 *
 * Result.isSuccess(Settings.make({ requestTimeout: "10 seconds" })) // => true
 *
 * // After a crash, others would wait for more than an hour.
 * Result.isFailure(Settings.make({ answerTimeout: "1 hour" })) // => true
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): Result.Result<Settings, InvalidConfig> => {
  const invalid = (setting: string, problem: string) => Result.fail(new InvalidConfig({ setting, problem }))
  if (typeof options !== "object" || options === null) return invalid("settings", "give an object, or leave it out")
  const unknown = Object.keys(options).find((name) => !known.has(name))
  if (unknown !== undefined) {
    return invalid(`settings.${unknown}`, `there is no such setting; there are ${[...known].join(", ")}`)
  }
  const millis = (name: keyof typeof defaults) => {
    const input = options[name] ?? defaults[name]
    // Effect takes what is not a number for a duration of zero.
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
  if (durations.answerTimeout > longestAnswerTimeout) {
    return invalid("answerTimeout", "give at most 5 minutes: after a crash, others wait for as long")
  }
  const memoryCapacity = options.memoryCapacity ?? 10_000
  if (!Number.isInteger(memoryCapacity) || memoryCapacity < 0) {
    return invalid("memoryCapacity", "give a whole number of at least 0")
  }
  const attemptsPerSubject = options.attemptsPerSubject ?? 20
  // The newest attempt always works.
  if (!Number.isSafeInteger(attemptsPerSubject) || attemptsPerSubject < 1) {
    return invalid("attemptsPerSubject", "give a whole number of at least 1")
  }
  return Result.succeed({ ...durations, memoryCapacity, attemptsPerSubject })
}
