/** One process: the library as an app would have it, over the network and the stores of the simulation. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import { isZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Seeded from "./seeded.ts"
import type { Host } from "./simHost.ts"
import * as SimNetwork from "./simNetwork.ts"
import type { Stores } from "./simStores.ts"
import type { Hub, Outcome, Process } from "./simTypes.ts"
import * as Timeline from "./timeline.ts"

export interface Options {
  readonly hub: Hub
  readonly seed: string
  readonly settings: Settings.Options | undefined
  readonly application: () => ClientApplication.Options
  readonly view: (host: Host) => Context.Context<Stores>
}

/** Starts processes, each in a slot. */
export const make = ({ application, hub, seed, settings, view }: Options) => {
  const { timeline } = hub
  const jitter = Seeded.make(seed, "jitter")
  let lives = 0

  return (slot: number): Process => {
    const name = `process-${++lives}`
    // The library draws its name in leases first of all.
    const owner = Effect.runSync(Seeded.secureRandom(Seeded.make(seed, name)).uuidV4())
    const room = timeline.room()
    const host: Host = {
      slot,
      owner,
      room,
      armed: [],
      isGone: false,
      pending: 0,
      endsAfterWrite: false,
      standsAtStore: false,
      failures: [],
      failedAt: -Infinity,
      standstills: 0,
      awakeSince: timeline.now()
    }
    const context = Timeline.contextOf(room, jitter)
    const layer = ZapierHttpClient.layer().pipe(
      Layer.provideMerge(ZapierAuth.layer(settings)),
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
    // The network and the stores know the process by this very object.
    return Object.assign(host, { scope, context: Context.merge(context, services), calls: new Set<never>() })
  }
}

/** The status of a call's answer, or the name of what it failed with. */
export const resultOf = (outcome: Outcome<HttpClientResponse>): string => {
  if (outcome._tag === "Ended") return "ProcessEnded"
  if (outcome._tag === "Success") return String(outcome.value.status)
  if (Cause.hasInterruptsOnly(outcome.cause)) return "Interrupted"
  const error = Cause.squash(outcome.cause)
  return isZapierAuthError(error) ? error.reason._tag : "Defect"
}
