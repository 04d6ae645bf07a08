/** Converts the failure to build any layer to an error of this library. */
import {
  InvalidConfig,
  isZapierAuthError,
  StartFailed,
  ZapierAuthError
} from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Schema from "effect/Schema"
import { errorName } from "./errorName.ts"

// Only its name, because an error's message may hold a secret.
const nameOf = (error: unknown): string => errorName(error) ?? `a value of type ${typeof error}`

// The path in the configuration, without the value, which may be a secret.
const settingOf = ({ cause }: Config.ConfigError): string => {
  const issue = Schema.isSchemaError(cause) ? cause.issue : undefined
  return issue?._tag === "Pointer" && issue.path.length > 0 ? issue.path.map(String).join(".") : "configuration"
}

const toError = (error: unknown): ZapierAuthError => {
  if (isZapierAuthError(error)) return error
  if (error instanceof Config.ConfigError) {
    return ZapierAuthError.make(
      new InvalidConfig({ setting: settingOf(error), problem: "it is missing or invalid; set it" })
    )
  }
  return ZapierAuthError.make(new StartFailed({ failure: nameOf(error) }))
}

const threw = (defect: unknown) =>
  ZapierAuthError.make(new InvalidConfig({ setting: "layer", problem: `it threw ${nameOf(defect)} when it was built` }))

/** Converts a cause. A defect is a mistake in one of the layers. An interruption stays one. */
export const toCause = (cause: Cause.Cause<unknown>): Cause.Cause<ZapierAuthError> => {
  const failure = cause.reasons.find(Cause.isFailReason)
  if (failure !== undefined) return Cause.fail(toError(failure.error))
  const defect = cause.reasons.find(Cause.isDieReason)
  return defect === undefined ? Cause.interrupt() : Cause.fail(threw(defect.defect))
}
