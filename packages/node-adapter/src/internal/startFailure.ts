/** Why a layer of any kind could not be built, as an error of this library. */
import {
  from,
  InvalidConfig,
  isZapierAuthError,
  StartFailed,
  type ZapierAuthError
} from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Config from "effect/Config"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

// What an error says may hold a secret: it is told by its name.
const nameOf = (error: unknown): string => {
  if (Predicate.hasProperty(error, "_tag") && typeof error._tag === "string") return error._tag
  return error instanceof Error ? error.name : `a value of type ${typeof error}`
}

// Where in the configuration it is. What was found there may be a secret.
const settingOf = ({ cause }: Config.ConfigError): string => {
  const issue = Schema.isSchemaError(cause) ? cause.issue : undefined
  return issue?._tag === "Pointer" && issue.path.length > 0 ? issue.path.map(String).join(".") : "configuration"
}

export const toError = (error: unknown): ZapierAuthError => {
  if (isZapierAuthError(error)) return error
  if (error instanceof Config.ConfigError) {
    return from(new InvalidConfig({ setting: settingOf(error), problem: "it is missing or not usable; set it" }))
  }
  return from(new StartFailed({ failure: nameOf(error) }))
}
