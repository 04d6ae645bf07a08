/** Validates the retry options of the typed client. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { ZapierAuthError } from "../ZapierAuthError.ts"
import type { Policy } from "./apiRetry.ts"
import * as CallerChecks from "./callerChecks.ts"

/** The same as `ZapierApiClient.Options`. */
interface Given {
  readonly retry?:
    | false
    | { readonly times?: number | undefined; readonly within?: Duration.Input | undefined }
    | undefined
}

const isObject = (given: unknown): boolean => CallerChecks.isRecord(given)

type Checked = Result.Result<Policy | undefined, ZapierAuthError>

const invalid = (setting: string, problem: string): Checked => Result.fail(CallerChecks.invalid(setting, problem))

// The first unknown name, for example a misspelled one.
const unknownName = (given: object, names: ReadonlyArray<string>) =>
  Object.keys(given).find((name) => !names.includes(name))

// Effect treats NaN as a duration of zero.
const toMillis = (within: Duration.Input) =>
  typeof within === "number"
    ? within
    : Option.match(Duration.fromInput(within), { onNone: () => Number.NaN, onSome: Duration.toMillis })

/** Returns the policy, or `undefined` for no retries. */
export const make = (options: Given = {}): Checked => {
  if (!isObject(options)) return invalid("options", "pass an object, or omit it")
  const option = unknownName(options, ["retry"])
  if (option !== undefined) return invalid(option, "unknown option; the only option is retry")
  const retry = options.retry ?? {}
  if (retry === false) return Result.succeed(undefined)
  if (!isObject(retry)) {
    return invalid("retry", 'give false, or an object such as { times: 1, within: "10 seconds" }')
  }
  const member = unknownName(retry, ["times", "within"])
  if (member !== undefined) return invalid(`retry.${member}`, "unknown option; the options are times and within")
  const times = retry.times ?? 3
  if (!Number.isSafeInteger(times) || times < 0) return invalid("retry.times", "give a whole number of at least 0")
  const within = toMillis(retry.within ?? "2 minutes")
  if (!(within >= 0)) return invalid("retry.within", 'give a duration of at least 0 ms, such as "10 seconds"')
  return Result.succeed({ times, within })
}
