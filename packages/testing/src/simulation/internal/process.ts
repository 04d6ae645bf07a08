/** One process: the library as an app uses it, over the network and the stores of the simulation. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import { isZapierAuthError, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Seeded from "../../internal/seeded.ts"
import * as SimNetwork from "./network.ts"
import type { Stores } from "./stores.ts"
import { type Caller, CurrentCaller, type Host, type Hub, type Outcome, type Process, wallOf } from "./types.ts"
import * as Timeline from "../../internal/timeline.ts"

export interface Options {
  readonly hub: Hub
  readonly seed: string
  readonly settings: Settings.Options | undefined
  readonly application: () => ClientApplication.Options
  readonly view: (host: Host) => Context.Context<Stores>
}

// Wraps the service to observe which access tokens it gives to which caller, and what it learns about them.
const observed = (hub: Hub, host: Host, auth: ZapierAuth.ZapierAuth["Service"]): ZapierAuth.ZapierAuth["Service"] => {
  const { app, observe } = hub
  const { owner } = host
  type Access = Effect.Effect<Tokens.UsableAccess, ZapierAuthError>
  const asUser = (use: (caller: Caller) => void) =>
    Effect.map(CurrentCaller, (caller) => {
      if (caller !== undefined) use(caller)
    })
  const asApp = (use: (caller: Caller) => void) => Effect.sync(() => use(app))
  const given = (as: typeof asUser, access: Access): Access =>
    Effect.tap(access, (access) => as((caller) => observe(caller, { _tag: "AccessGiven", owner, access })))
  const rejected = (as: typeof asUser, access: Tokens.UsableAccess, next: Access): Access =>
    Effect.andThen(
      as((caller) => observe(caller, { _tag: "AccessRejected", owner, access, at: wallOf(hub, host) })),
      given(as, next)
    )
  const accepted = (as: typeof asUser, access: Tokens.UsableAccess, next: Effect.Effect<void>) =>
    Effect.andThen(
      as((caller) =>
        observe(caller, { _tag: "AccessAccepted", owner, accessToken: Redacted.value(access.accessToken) })
      ),
      next
    )
  return {
    ...auth,
    accessToken: (subject) => given(asUser, auth.accessToken(subject)),
    accessTokenRejected: (subject, access) => rejected(asUser, access, auth.accessTokenRejected(subject, access)),
    accessTokenAccepted: (subject, access) => accepted(asUser, access, auth.accessTokenAccepted(subject, access)),
    appToken: (scopes) => given(asApp, auth.appToken(scopes)),
    appTokenRejected: (scopes, access) => rejected(asApp, access, auth.appTokenRejected(scopes, access)),
    appTokenAccepted: (scopes, access) => accepted(asApp, access, auth.appTokenAccepted(scopes, access)),
    disconnect: (subject) =>
      Effect.andThen(
        asUser((caller) => observe(caller, { _tag: "DisconnectAsked", owner })),
        auth.disconnect(subject)
      )
  }
}

/** Starts processes, each in a slot. */
export const make = ({ application, hub, seed, settings, view }: Options) => {
  const { timeline } = hub
  const jitter = Seeded.make(seed, "jitter")
  let lives = 0

  return (slot: number): Process => {
    const name = `process-${++lives}`
    // The library first draws the name that it uses in leases.
    const owner = Effect.runSync(Seeded.secureRandom(Seeded.make(seed, name)).uuidV4())
    const room = timeline.room()
    const host: Host = {
      slot,
      owner,
      room,
      calls: new Set(),
      armed: [],
      isGone: false,
      pending: 0,
      endsAfterWrite: false,
      pausesAtStore: false,
      failures: [],
      failedAt: -Infinity,
      pauses: 0,
      awakeSince: -Infinity,
      ahead: 0,
      isAstray: false
    }
    const context = Timeline.contextOf(room, jitter)
    const auth = Layer.effect(
      ZapierAuth.ZapierAuth,
      Effect.map(ZapierAuth.make(settings), (auth) => observed(hub, host, auth))
    )
    const layer = ZapierHttpClient.layer().pipe(
      Layer.provideMerge(auth),
      Layer.provide(TokenEndpoint.layer),
      Layer.provide([
        ClientApplication.layerEffect(Effect.sync(application)),
        Layer.succeed(HttpClient.HttpClient, SimNetwork.make(hub, host)),
        Layer.succeed(Digest.Digest, Seeded.digest),
        Layer.succeed(SecureRandom.SecureRandom, Seeded.secureRandom(Seeded.make(seed, name))),
        Layer.succeedContext(view(host))
      ])
    )
    const scope = Scope.makeUnsafe()
    const services = Effect.runSyncWith(context)(Layer.buildWithScope(layer, scope))
    // The network and the stores identify the process by this object.
    return Object.assign(host, { scope, context: Context.merge(context, services) })
  }
}

/** The status of a call's response, or the name of its failure. */
export const resultOf = (outcome: Outcome<HttpClientResponse>): string => {
  if (outcome._tag === "Ended") return "ProcessEnded"
  if (outcome._tag === "Success") return String(outcome.value.status)
  if (Cause.hasInterruptsOnly(outcome.cause)) return "Interrupted"
  const error = Cause.squash(outcome.cause)
  return isZapierAuthError(error) ? error.reason._tag : "Defect"
}
