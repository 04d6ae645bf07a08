/** Events besides users' actions: at Zapier, on the network, and in the app's processes. */
import * as Effect from "effect/Effect"
import type * as FakeFault from "../../fake/FakeFault.ts"
import type * as FakeZapier from "../../FakeZapier.ts"
import type { Timeline } from "../../internal/timeline.ts"
import { waits } from "../../internal/waits.ts"
import { type Ending, type Subject, subjects } from "../ScenarioHistory.ts"
import type { Happening } from "../ScenarioStep.ts"
import * as ScenarioNetwork from "./network.ts"
import type * as ScenarioProcesses from "./processes.ts"

const isOutage = ({ fault, times }: FakeFault.Rule) => fault._tag === "ServerError" && times === "Always"

/** The surroundings of an event. */
interface World<R> {
  readonly zapier: FakeZapier.FakeZapier["Service"]
  readonly network: ReturnType<typeof ScenarioNetwork.make>
  readonly timeline: Timeline
  readonly processes: ScenarioProcesses.Processes<R>
  readonly clientId: string
  readonly atOnce: <B, E>(effect: Effect.Effect<B, E>) => B
  /** Gives the app a new secret, with which it is configured later. */
  readonly regenerateSecret: () => void
}

export const make = <R>(world: World<R>) => {
  const { atOnce, clientId, network, processes, regenerateSecret, timeline, zapier } = world
  const endings: Array<Ending> = []

  const outage = (time: number) =>
    Effect.sync(() => {
      const rule = { fault: { _tag: "ServerError", status: 503 }, times: "Always" } as const
      const { faults } = atOnce(zapier.state)
      atOnce(zapier.setFaults([rule, ...faults]))
      network.trouble("Zapier is down", time)
      timeline.after(time, () => {
        const now = atOnce(zapier.state).faults
        atOnce(zapier.setFaults(now.filter((other) => !isOutage(other))))
      })
    })

  const noteEnding = (what: Ending["what"], subject: Subject) => {
    endings.push({ subject, what, at: timeline.now() })
  }

  const revoke = (subject: Subject) => {
    noteEnding("Access", subject)
    network.revoke(subject)
    for (const account of ["own", "other"] as const) {
      atOnce(zapier.revoke({ clientId, user: ScenarioNetwork.emailOf(subject, account) }))
    }
  }

  const happen = Effect.fnUntraced(function* (step: Happening) {
    switch (step._tag) {
      case "Restart":
        return yield* processes.restart
      case "Crash":
        return yield* processes.crash
      case "Arm":
        return atOnce(zapier.addFault(step.rule))
      case "HangUp":
        return processes.hangUp(step.subject)
      case "Revoke":
        return revoke(step.subject)
      case "EndAccessToken":
        noteEnding("AccessToken", step.subject)
        return atOnce(zapier.endAccessToken(network.accessTokenOf(step.subject) ?? ""))
      case "RevokeAll":
        return subjects.forEach(revoke)
      case "RegenerateSecret":
        return regenerateSecret()
      case "Outage":
        return yield* outage(waits[step.time])
      case "ChangeSettings":
        return atOnce(zapier.changeSettings(step.settings))
    }
  })

  return { endings: endings as ReadonlyArray<Ending>, happen }
}
