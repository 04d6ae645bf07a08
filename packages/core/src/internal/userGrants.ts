/** The interpreter of the user grant. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Grant, GrantStore } from "../store/GrantStore.ts"
import type * as Tokens from "../oauth/Tokens.ts"
import * as UserGrant from "../machine/UserGrant.ts"
import { ReconnectRequired, RefreshOutcomeUnknown, type ZapierAuthError } from "../ZapierAuthError.ts"
import type { Dependencies } from "./dependencies.ts"
import * as Failures from "./failures.ts"
import * as Stepper from "./stepper.ts"
import { tooLate } from "./tokenRequests.ts"
import * as TokenSource from "./tokenSource.ts"

type Present = Extract<UserGrant.Command, { readonly _tag: "PresentRefreshToken" }>

const told = {
  refused: new ReconnectRequired({ why: "Revoked" }),
  unknown: new RefreshOutcomeUnknown({})
}

export const make = (dependencies: Dependencies, store: GrantStore["Service"]) => {
  const { clientId, owner, publish, request, scope, settings } = dependencies
  const machine = UserGrant.machine(settings)

  const load = (subject: string) =>
    Effect.map(store.get({ clientId, subject }), (record) =>
      Stepper.loadedOr<UserGrant.State, Grant, typeof UserGrant.absent>(record, UserGrant.absent)
    )

  const step = (subject: string) =>
    Stepper.makeStep({
      machine,
      about: subject,
      publish,
      stored: {
        load: load(subject),
        save: (expected, state) =>
          state._tag === "Absent"
            ? Option.match(expected, {
                onNone: () => Effect.succeed(true),
                onSome: (version) => store.remove({ clientId, subject }, version)
              })
            : store.compareAndSet({ clientId, subject }, expected, state)
      }
    })

  const present = (_: string, command: Present) =>
    Effect.gen(function* () {
      const { deadline, generation, family, refreshToken, scopes } = command
      const presented = { family, generation, owner }
      const outcome = yield* Effect.result(request({ _tag: "Refresh", refreshToken, scopes }, deadline))
      const now = yield* Clock.currentTimeMillis
      if (outcome._tag === "Failure") {
        // Nothing was sent: the application's credentials could not be read.
        const event: UserGrant.Event = { _tag: "RefreshFailed", ...presented, mayHaveRotated: false, notBefore: 0 }
        return { event, failure: outcome.failure.reason }
      }
      const { success } = outcome
      return {
        event: UserGrant.eventOfOutcome(success, presented, now),
        failure: success._tag === "Granted" || success === tooLate ? undefined : Failures.failureOf(success, told)
      }
    })

  const source = TokenSource.make<UserGrant.State, UserGrant.Event, Present>({
    scope,
    machine: machine.name,
    memoryLifetime: settings.memoryLifetime,
    memoryCapacity: settings.memoryCapacity,
    step,
    request: present
  })

  const requested: TokenSource.Demand<UserGrant.Event> = {
    event: { _tag: "AccessTokenRequested", owner },
    rejected: undefined
  }

  const disconnect = (subject: string): Effect.Effect<boolean, ZapierAuthError> =>
    Effect.gen(function* () {
      const { state } = yield* load(subject)
      yield* step(subject)({ _tag: "Disconnected" })
      return state._tag !== "Absent"
    }).pipe(
      // A grant that cannot be decrypted can still be removed, and then the user can connect again.
      Effect.catchReason("ZapierAuthError", "DecryptionFailed", ({ version }, error) =>
        version === undefined
          ? Effect.fail(error)
          : Effect.flatMap(store.remove({ clientId, subject }, version), (isRemoved) =>
              isRemoved ? Effect.succeed(true) : disconnect(subject)
            )
      )
    )

  return {
    accessToken: (subject: string): Effect.Effect<Tokens.UsableAccess, ZapierAuthError> =>
      source.get(subject, requested),

    accessTokenRejected: (subject: string, rejected: Tokens.UsableAccess) => {
      const { generation, family } = rejected
      return source.get(subject, { event: { _tag: "AccessTokenRejected", family, generation, owner }, rejected })
    },

    consentGranted: (subject: string, family: string, tokens: Tokens.Tokens) =>
      Effect.andThen(step(subject)({ _tag: "ConsentGranted", family, tokens }), source.forget(subject)),

    /** Says whether there was a grant. */
    disconnect: (subject: string) => Effect.tap(disconnect(subject), source.forget(subject)),

    state: (subject: string) => Effect.map(load(subject), ({ state }) => state)
  }
}

export type UserGrants = ReturnType<typeof make>
