/** Draws a run of several processes: callers, each process, the store, and Zapier. */
import type { TokenOutcome } from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Redacted from "effect/Redacted"
import type { Issued } from "../../fake/FakeOutcome.ts"
import type * as Invariants from "../../Invariants.ts"
import type { Event } from "./trace.ts"
import * as Diagram from "../../internal/diagram/model.ts"

type Observation = Invariants.Observation

const appName = "app"

/** Names for tokens and codes: `ada#2` is the second pair of tokens that was issued to ada. */
const naming = () => {
  const names = new Map<string, string>()
  const owners = new Map<string, string>()
  const counts = new Map<string, number>()
  return {
    of: (secret: string) => names.get(secret) ?? "unknown",
    ownedBy: (who: string, secret: string) => {
      if (!owners.has(secret)) owners.set(secret, who)
    },
    made: ({ accessToken, origin, refreshToken }: Issued): string => {
      const from = origin._tag === "Code" ? origin.code : origin._tag === "RefreshToken" ? origin.refreshToken : ""
      const who = origin._tag === "ClientCredentials" ? appName : (owners.get(from) ?? "a user")
      const count = (counts.get(who) ?? 0) + 1
      counts.set(who, count)
      for (const secret of [accessToken, refreshToken]) {
        if (secret === undefined) continue
        owners.set(secret, who)
        names.set(secret, `${who}#${count}`)
      }
      return `${who}#${count}`
    }
  }
}

/** Describes the outcome of a token request. */
const outcomeText = (outcome: TokenOutcome, name: (accessToken: string) => string): string => {
  switch (outcome._tag) {
    case "Granted":
      return `200, tokens ${name(Redacted.value(outcome.tokens.accessToken))}`
    case "NoResponse":
      return "no response"
    case "NotSent":
    case "NotTried":
      return "nothing was sent"
    default:
      return outcome._tag
  }
}

/** Describes a stored state without its secrets. */
export const stateText = (state: Invariants.State, name: (accessToken: string) => string): string => {
  if (state._tag === "Absent") return "nothing"
  const access = "tokens" in state ? state.tokens : state.access
  const tokens = access === undefined ? "" : `, tokens ${name(Redacted.value(access.accessToken))}`
  return `${state._tag}, generation ${state.generation}${tokens}`
}

/** @param events the events, and when, in milliseconds since the run began */
export const of = (events: ReadonlyArray<readonly [at: number, event: Event]>): Diagram.Diagram => {
  const names = naming()
  const lanes = Diagram.lanes()
  const slots = new Map<string, number>()
  const servedBy = new Map<string, number>()
  const said = new Set<string>()
  const numbers = new Map<string, number>()
  const entries: Array<Diagram.Entry> = []
  let requests = 0

  const callerLane = (who: string) => lanes.of("User", who === appName ? "the app itself" : who)
  const processLane = (slot: number) => lanes.of("App", `process ${slot}`)
  const ofOwner = (owner: string | undefined) => processLane(slots.get(owner ?? "") ?? 0)
  const calls = events.flatMap(([, event]) => (event._tag === "Called" ? [event] : []))
  for (const who of new Set(calls.map(({ who }) => who).toSorted())) callerLane(who)
  for (const slot of new Set(calls.map(({ slot }) => slot).toSorted((one, other) => one - other))) processLane(slot)
  const store = lanes.of("Store", "the store")
  const zapier = lanes.of("Zapier", "Zapier")

  // An event that concerns several subjects is shown once.
  const once = (key: string, entry: Diagram.Entry) => {
    if (said.has(key)) return
    said.add(key)
    entries.push(entry)
  }

  const sent = (at: number, from: number, key: string, text: string) => {
    numbers.set(key, ++requests)
    entries.push(Diagram.arrow(at, { from, to: zapier, text, number: requests }))
  }

  const responded = (at: number, to: number, key: string, outcome: TokenOutcome) => {
    const number = numbers.get(key)
    const isLost = outcome._tag === "NoResponse"
    const tone = outcome._tag === "Granted" ? "Plain" : "Bad"
    const more = number === undefined ? {} : { number }
    const text = outcomeText(outcome, names.of)
    entries.push(Diagram.arrow(at, { from: zapier, to, text, tone, isLost, isResponse: true, ...more }))
  }

  const observe = (at: number, who: string, observation: Observation) => {
    switch (observation._tag) {
      case "Stored": {
        const { isLate, owner, state } = observation
        const what =
          state._tag === "Absent" ? `removes what is stored for ${who}` : `writes ${stateText(state, names.of)}`
        const late = isLate === true ? ", late" : ""
        return void entries.push(Diagram.arrow(at, { from: ofOwner(owner), to: store, text: `${what}${late}` }))
      }
      case "Sent": {
        const { owner, token } = observation
        const text = who === appName ? "asks for a token of the app" : `refresh token ${names.of(token)}`
        return sent(at, ofOwner(owner), `${owner} ${token}`, text)
      }
      case "Responded":
        return responded(
          at,
          ofOwner(observation.owner),
          `${observation.owner} ${observation.token}`,
          observation.outcome
        )
      case "CodeSent":
        names.ownedBy(who, observation.code)
        return sent(at, processLane(servedBy.get(who) ?? 0), `code ${who}`, `a code of ${who}`)
      case "CodeResponded":
        return responded(at, ofOwner(observation.owner), `code ${who}`, observation.outcome)
      case "AccessGiven": {
        const token = names.of(Redacted.value(observation.access.accessToken))
        return void entries.push(Diagram.note(at, ofOwner(observation.owner), `uses access token ${token}`))
      }
      case "AccessRejected": {
        const text = `401 to access token ${names.of(Redacted.value(observation.access.accessToken))}`
        const to = ofOwner(observation.owner)
        return void entries.push(Diagram.arrow(at, { from: zapier, to, text, tone: "Bad", isResponse: true }))
      }
      case "AccessAccepted": {
        const text = `accepts access token ${names.of(observation.accessToken)}`
        const to = ofOwner(observation.owner)
        return void entries.push(Diagram.arrow(at, { from: zapier, to, text, tone: "Good", isResponse: true }))
      }
      case "ProcessPaused":
        return once(
          `paused ${observation.owner} ${at}`,
          Diagram.note(at, ofOwner(observation.owner), "is paused", "Bad")
        )
      case "ClocksDisagree":
        return once("clocks", Diagram.note(at, undefined, "clocks disagree by more than a lease tolerates", "Bad"))
      case "ProcessEnded":
        return once(`ended ${observation.owner}`, Diagram.note(at, ofOwner(observation.owner), "has ended", "Bad"))
      default:
        return
    }
  }

  const take = (at: number, event: Event) => {
    switch (event._tag) {
      case "Step":
        return void entries.push(Diagram.step(at, event.text))
      case "Began": {
        const { owner, slot } = event
        if ([...slots.values()].includes(slot))
          entries.push(Diagram.note(at, processLane(slot), "another process starts"))
        return void slots.set(owner, slot)
      }
      case "Called":
        servedBy.set(event.who, event.slot)
        return void entries.push(
          Diagram.arrow(at, { from: callerLane(event.who), to: processLane(event.slot), text: event.what })
        )
      case "Returned": {
        const sides = { from: processLane(event.slot), to: callerLane(event.who) }
        const tone = event.isGood ? "Good" : "Bad"
        return void entries.push(Diagram.arrow(at, { ...sides, text: event.what, tone, isResponse: true }))
      }
      case "FaultInjected":
        return void entries.push(Diagram.note(at, ofOwner(event.owner), `fault: ${event.fault}`, "Bad"))
      case "Acted":
        return void entries.push(Diagram.note(at, zapier, `makes tokens ${names.made(event.issued)}`))
      case "Broken":
        return void entries.push(Diagram.violation(at, event.violation))
      case "Observed":
        return observe(at, event.who, event.observation)
    }
  }

  for (const [at, event] of events) take(at, event)
  return Diagram.make(lanes.all, entries)
}
