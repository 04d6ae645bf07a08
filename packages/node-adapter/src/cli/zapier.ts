/** The library, as a command needs it. */
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ReconnectCause, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type * as Stdio from "effect/Stdio"
import type * as Terminal from "effect/Terminal"
import * as ZapierNode from "../ZapierNode.ts"
import * as Application from "./application.ts"
import type * as Flags from "./flags.ts"
import { Refused } from "./refused.ts"
import * as Server from "./server.ts"
import { shown, typed } from "./shown.ts"
import * as Storage from "./storage.ts"
import * as Variable from "../internal/variable.ts"

type Services = FileSystem.FileSystem | Path.Path | Stdio.Stdio | Terminal.Terminal

/**
 * @param create whether to make the database and its key if they are not there
 */
export const layer = (
  flags: Flags.Connection & Partial<Flags.RedirectUri>,
  create: boolean
): Layer.Layer<ZapierAuth | ZapierHttpClient, ZapierAuthError, Services> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const services = yield* Effect.context<Services>()
      return ZapierNode.layerWithoutStores({
        application: Layer.provide(Application.layer(flags), Layer.succeedContext(services)),
        urls: yield* Server.urls(flags)
      }).pipe(Layer.provide(Storage.layer(flags, create)))
    })
  )

const because: { readonly [why in ReconnectCause]: string } = {
  NeverConnected: "is not connected to Zapier",
  Revoked: "has to connect again: Zapier no longer takes the refresh token",
  ResponseLost:
    "has to connect again: an earlier refresh brought no usable answer, and Zapier no longer takes the old ones",
  NoRefreshToken: "has to connect again: the access token has ended, and Zapier gave no refresh token"
}

/** Whose grant is meant. */
export const subject = (flag: Option.Option<string>): Effect.Effect<string, ZapierAuthError> =>
  Option.isSome(flag)
    ? Effect.succeed(flag.value)
    : Effect.map(
        Variable.text("ZAPIER_SUBJECT"),
        Option.getOrElse(() => "me")
      )

/** Says to whom only the user can help how to do so here. */
export const orLogin =
  (subject: string) =>
  <A, E, R>(effect: Effect.Effect<A, E | ZapierAuthError, R>): Effect.Effect<A, E | ZapierAuthError | Refused, R> =>
    Effect.catchReason(
      effect,
      "ZapierAuthError",
      "ReconnectRequired",
      ({ why }) =>
        new Refused({
          problem: `${shown(subject)} ${because[why]}. Run:\n  zapier-workflow-auth login --subject ${typed(subject)}`
        })
    )
