/** The mode of the options, or of the environment. Nothing is loaded where neither has it. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Options } from "../ZapierWhiteLabel.ts"
import * as Variable from "./variable.ts"

const load = Effect.promise(() => import("../ZapierWhiteLabel.ts"))

/** The variable that turns the mode on. */
export const variable = "ZAPIER_WHITE_LABEL_ISSUER"

export const layer = (options?: Options): Layer.Layer<never, ZapierAuthError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      if (options !== undefined) return (yield* load).layer(options)
      const issuer = yield* Variable.text(variable)
      return Option.isNone(issuer) ? Layer.empty : (yield* load).layerConfig
    })
  )
