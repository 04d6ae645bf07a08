/** The library as commands use it. */
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
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
import * as Flags from "./flags.ts"
import { Refused } from "./refused.ts"
import * as Server from "./server.ts"
import { command, shown } from "./shown.ts"
import * as Storage from "./storage.ts"
import * as Variable from "../internal/variable.ts"
import * as WhiteLabelLayer from "../internal/whiteLabelLayer.ts"

type Services = FileSystem.FileSystem | Path.Path | Stdio.Stdio | Terminal.Terminal

/**
 * @param create makes the database and its key if they do not exist. Without it, a missing database fails with `Refused`
 */
export const layer = (
  flags: Flags.Connection & Partial<Flags.RedirectUri> & { readonly subject?: Option.Option<string> },
  create: boolean
): Layer.Layer<ZapierAuth | ZapierHttpClient | GrantStore, ZapierAuthError | Refused, Services> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const services = yield* Effect.context<Services>()
      // A command that is going to fail makes no database.
      if (create) yield* Application.requireClientId(flags)
      else {
        const nothing = yield* Storage.nothingStored(flags, flags.subject ?? Option.none())
        if (Option.isSome(nothing)) return yield* nothing.value
      }
      return ZapierNode.layerWithoutStores({
        application: Layer.provide(Application.layer(flags), Layer.succeedContext(services)),
        urls: yield* Server.urls(flags),
        whiteLabel: WhiteLabelLayer.layer()
      }).pipe(Layer.provideMerge(Storage.layer(flags, create)))
    })
  )

const because: { readonly [why in ReconnectCause]: string } = {
  NeverConnected: "is not connected to Zapier.",
  Revoked: "must connect again: Zapier no longer accepts the refresh token.",
  ResponseLost: "must connect again: the response to a refresh was lost, and Zapier no longer accepts the old token.",
  NoRefreshToken: "must connect again: the access token expired, and Zapier gave no refresh token."
}

/** The user of the command. */
export const subject = (flag: Option.Option<string>): Effect.Effect<string, ZapierAuthError> =>
  Option.isSome(flag)
    ? Effect.succeed(flag.value)
    : Effect.map(
        Variable.text("ZAPIER_SUBJECT"),
        Option.getOrElse(() => "me")
      )

// How many connected users an error names.
const named = 3

/** Some connected users, for a user who forgot `--subject`. */
const connected = Effect.fnUntraced(function* (flags: Flags.Application) {
  const clientId = yield* Application.requireClientId(flags)
  const { entries, next } = yield* GrantStore.use((store) => store.page({ clientId, state: "Active", limit: named }))
  return { subjects: entries.map(({ key }) => key.subject), hasMore: next !== undefined }
})

const nobody = { subjects: [] as ReadonlyArray<string>, hasMore: false }

/**
 * Names the command for a user who must connect.
 *
 * @param words the command itself, which is proposed for the only connected user
 */
export const orLogin =
  (input: Flags.Connection & { readonly subject: Option.Option<string> }, subject: string, words: string) =>
  <A, E, R>(effect: Effect.Effect<A, E | ZapierAuthError, R>) =>
    Effect.catchReason(
      effect,
      "ZapierAuthError",
      "ReconnectRequired",
      ({ why }): Effect.Effect<never, Refused, GrantStore | Stdio.Stdio> =>
        Effect.gen(function* () {
          const { hasMore, subjects } =
            why === "NeverConnected" ? yield* Effect.orElseSucceed(connected(input), () => nobody) : nobody
          const [only] = subjects
          const others =
            only === undefined ? "" : ` Connected: ${subjects.map(shown).join(", ")}${hasMore ? ", ..." : ""}.`
          const isForgotten = only !== undefined && subjects.length === 1 && Option.isNone(input.subject)
          return yield* new Refused({
            why: "ReconnectRequired",
            problem: `${shown(subject)} ${because[why]}${others}`,
            run: command(isForgotten ? words : "login", {
              subject: isForgotten ? only : subject,
              ...Flags.typed(input)
            })
          })
        })
    )
