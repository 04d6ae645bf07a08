/** The interpreter of the app credential. A key is the sorted, space separated list of scopes. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as AppCredential from "../machine/AppCredential.ts"
import type { AppCredentialStore } from "../store/AppCredentialStore.ts"
import * as Scopes from "../oauth/Scopes.ts"
import * as TokenOutcome from "../oauth/TokenOutcome.ts"
import type * as Tokens from "../oauth/Tokens.ts"
import { TokenRequestRefused, TransportFailed, type ZapierAuthError } from "../ZapierAuthError.ts"
import type { Dependencies } from "./dependencies.ts"
import * as Failures from "./failures.ts"
import * as Stepper from "./stepper.ts"
import { tooLate } from "./tokenRequests.ts"
import * as TokenSource from "./tokenSource.ts"

type Request = Extract<AppCredential.Command, { readonly _tag: "RequestToken" }>

const told = {
  refused: new TokenRequestRefused({ error: "invalid_grant" }),
  unknown: new TransportFailed({ code: "no answer in time" })
}

const keyOf = (scopes: ReadonlyArray<Scopes.Scope>): string => Scopes.format([...new Set(scopes)].sort())

export const make = (dependencies: Dependencies, store: AppCredentialStore["Service"]) => {
  const { clientId, owner, publish, scope, settings } = dependencies
  const machine = AppCredential.machine(settings)

  const step = (key: string) =>
    Stepper.makeStep({
      machine,
      about: key,
      publish,
      stored: {
        load: Effect.map(store.get({ clientId, scopes: key }), (record) =>
          Stepper.loadedOr<AppCredential.State, AppCredential.State, typeof AppCredential.absent>(
            record,
            AppCredential.absent
          )
        ),
        save: (expected, state) => store.compareAndSet({ clientId, scopes: key }, expected, state)
      }
    })

  const request = (key: string, { deadline, generation }: Request) =>
    Effect.gen(function* () {
      const outcome = yield* Effect.result(
        dependencies.request({ _tag: "ClientCredentials", scopes: Scopes.parse(key) }, deadline)
      )
      const now = yield* Clock.currentTimeMillis
      const failed = (notBefore: number): AppCredential.Event => ({
        _tag: "RequestFailed",
        owner,
        generation,
        notBefore
      })
      if (outcome._tag === "Failure") return { event: failed(0), failure: outcome.failure.reason }
      const { success } = outcome
      if (success._tag !== "Granted") {
        const failure = success === tooLate ? undefined : Failures.failureOf(success, told)
        return { event: failed(TokenOutcome.notBefore(success, now)), failure }
      }
      // A refresh token has no place here (RFC 6749 section 4.4.3).
      const { accessToken, expiresAt, obtainedAt, scopes } = success.tokens
      const tokens: Tokens.Access = { accessToken, scopes, obtainedAt, expiresAt }
      const event: AppCredential.Event = { _tag: "TokenGranted", generation, tokens }
      return { event, failure: undefined }
    })

  const source = TokenSource.make<AppCredential.State, AppCredential.Event, Request>({
    scope,
    machine: machine.name,
    memoryLifetime: settings.memoryLifetime,
    memoryCapacity: settings.memoryCapacity,
    step,
    request
  })

  const requested: TokenSource.Demand<AppCredential.Event> = {
    event: { _tag: "AccessTokenRequested", owner },
    rejected: undefined
  }

  return {
    accessToken: (scopes: ReadonlyArray<Scopes.Scope>): Effect.Effect<Tokens.UsableAccess, ZapierAuthError> =>
      source.get(keyOf(scopes), requested),

    accessTokenRejected: (scopes: ReadonlyArray<Scopes.Scope>, rejected: Tokens.UsableAccess) =>
      source.get(keyOf(scopes), {
        event: { _tag: "AccessTokenRejected", owner, generation: rejected.generation },
        rejected
      })
  }
}
