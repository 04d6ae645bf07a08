/** A process of the scenario `processes`: calls on request, and reports the results. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as AuthMetrics from "@zapier-workflow-auth/core/AuthMetrics"
import type * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as ZapierWhiteLabel from "@zapier-workflow-auth/node-adapter/ZapierWhiteLabel"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as MovableClock from "../clock.ts"
import * as Database from "../database.ts"
import { commands, sendToParent } from "../workers.ts"

export type Command =
  | {
      readonly _tag: "Begin"
      readonly application: ClientApplication.Options
      readonly database: Database.Database
      readonly origin: string
      readonly subject: string
      /** Set if the calls are for a White Label user. */
      readonly whiteLabel: ZapierWhiteLabel.Options | undefined
      /** Connections to the API at once. */
      readonly connections: number
    }
  /** Make this many calls at once, after moving the clock ahead by this many milliseconds. */
  | { readonly _tag: "Call"; readonly calls: number; readonly advance: number }

export type Reply =
  | { readonly _tag: "Ready" }
  | {
      readonly _tag: "Called"
      readonly failedCalls: number
      /** Polls of the store while another process was refreshing. */
      readonly waits: number
      /** Tokens that another process had fetched. */
      readonly adoptions: number
    }

const send = (reply: Reply) => sendToParent(reply)

const counted = (metric: typeof AuthMetrics.waits, machine: string) =>
  Effect.map(Metric.value(Metric.withAttributes(metric, { machine })), ({ count }) => count)

const work = Effect.fnUntraced(function* (
  { subject, whiteLabel }: Extract<Command, { readonly _tag: "Begin" }>,
  messages: AsyncIterator<Command>,
  clock: MovableClock.MovableClock
) {
  const zapier = yield* ZapierHttpClient
  const call = zapier
    .call("GET /v2/zaps", {
      credential: whiteLabel ? Credential.whiteLabel(subject, "acme") : Credential.user(subject)
    })
    .pipe(Effect.tap((response) => response.arrayBuffer))
  const machine = whiteLabel === undefined ? "UserGrant" : "WhiteLabelToken"
  const waiting = Effect.all({
    waits: counted(AuthMetrics.waits, machine),
    adoptions: counted(AuthMetrics.adoptions, machine)
  })
  send({ _tag: "Ready" })
  while (true) {
    const { done, value } = yield* Effect.promise(() => messages.next())
    if (done === true || value._tag !== "Call") return
    const before = yield* waiting
    yield* clock.advance(value.advance)
    const exits = yield* Effect.forEach(Array.from({ length: value.calls }), () => Effect.exit(call), {
      concurrency: "unbounded"
    })
    const after = yield* waiting
    send({
      _tag: "Called",
      failedCalls: exits.filter((exit) => exit._tag === "Failure" || exit.value.status !== 200).length,
      waits: after.waits - before.waits,
      adoptions: after.adoptions - before.adoptions
    })
  }
})

const main = async () => {
  const messages = commands<Command>()
  const { value: begin } = await messages.next()
  if (begin?._tag !== "Begin") return
  const { application, connections, database, origin, whiteLabel } = begin
  const clock = MovableClock.make()
  const layer = ZapierNode.layerWithoutStores({
    application,
    urls: ZapierUrls.at(origin),
    httpClient: NodeHttpClient.layerUndiciOptions({ connections }),
    ...(whiteLabel && { whiteLabel: ZapierWhiteLabel.layer(whiteLabel) })
  }).pipe(Layer.provide(Database.stores(database)))
  await Effect.runPromise(
    work(begin, messages, clock).pipe(Effect.provide(layer), Effect.provideService(Clock.Clock, clock))
  )
}

await main()
