/** Reads a variable from the environment or the configuration file. */
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"

const named =
  <A>(make: (name: string) => Config.Config<A>) =>
  (name: string): Effect.Effect<Option.Option<A>, ZapierAuthError> =>
    // An unreadable variable is not the same as an unset one, so the default must not apply.
    Effect.mapError(Config.option(make(name)), () =>
      ZapierAuthError.make(
        new InvalidConfig({ setting: name, problem: "it cannot be read; set it to a text, or remove it" })
      )
    )

/** Its text, or none if it is unset or empty. */
export const text: (name: string) => Effect.Effect<Option.Option<string>, ZapierAuthError> = named(Config.String)

/** Like `text`, for a secret. */
export const secret: (name: string) => Effect.Effect<Option.Option<Redacted.Redacted>, ZapierAuthError> = named(
  (name) => Config.Redacted(name)
)
