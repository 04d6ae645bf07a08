/** The retry option of typed calls, as plain values. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { invalid, isRecord } from "./input.ts"
import * as Names from "./names.ts"

export type Retry = ZapierApiClient.RetryOptions | false

/** The names of its options. */
export const names = Names.plain("times", "within")

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0

const isTime = (value: unknown): boolean => {
  const duration = Duration.fromInput(value as Duration.Input)
  return Option.isSome(duration) && Duration.toMillis(duration.value) >= 0
}

/** The error of an invalid option, if any. */
export const problem = (retry: unknown): ZapierAuthError | undefined => {
  if (retry === undefined || retry === false) return undefined
  if (!isRecord(retry)) return invalid("retry", "pass { times, within } or false, or omit it")
  const { times, within } = retry
  if (times !== undefined && !isCount(times)) return invalid("retry.times", "give a whole number, 0 or more")
  if (within !== undefined && !isTime(within)) {
    return invalid("retry.within", 'give a time, such as "30 seconds" or milliseconds as a number')
  }
  return Names.unknown(retry, "retry", names, { retry: names })
}
