/** A variable of the environment or of the configuration file. */
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"

const named =
  <A>(make: (name: string) => Config.Config<A>) =>
  (name: string): Effect.Effect<Option.Option<A>, ZapierAuthError> =>
    // One that cannot be read is not one that is not set: nobody wants the default in its place.
    Effect.mapError(Config.option(make(name)), () =>
      ZapierAuthError.make(
        new InvalidConfig({ setting: name, problem: "it cannot be read; set it to a text, or remove it" })
      )
    )

/** Its text, if it is set. An empty one is not. */
export const text: (name: string) => Effect.Effect<Option.Option<string>, ZapierAuthError> = named(Config.String)

/** As `text`, of one that is secret. */
export const secret: (name: string) => Effect.Effect<Option.Option<Redacted.Redacted>, ZapierAuthError> = named(
  (name) => Config.Redacted(name)
)
