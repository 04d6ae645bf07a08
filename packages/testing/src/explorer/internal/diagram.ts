/** Draws the trace to a violation in a model: callers, processes, the store, and Zapier. */
import type { TokenRequest } from "@zapier-workflow-auth/core/oauth/TokenRequest"
import * as Redacted from "effect/Redacted"
import type { Move } from "../../Explorer.ts"
import type * as Invariants from "../../Invariants.ts"
import * as World from "./world.ts"
import * as Words from "../../internal/pages/words.ts"
import * as Diagram from "../../internal/diagram/model.ts"
import * as Program from "../../simulation/internal/diagram.ts"
import type { Violation } from "../../Violation.ts"

type Stop = Move<World.World>

const isTimePassing = (label: string) => /^\d+ ms pass$/.test(label)

const readable = (label: string) =>
  label.replace(/(\d+) ms pass/, (_, millis) => `${Words.duration(Number(millis))} pass`)

/** Names for tokens, in the order of their creation. Tokens of one response share a number. */
const namesOf = ({ history, names }: World.World): ReadonlyMap<string, string> => {
  const who = history.isApp ? "app" : "ada"
  const named = new Map<string, string>()
  let count = 0
  for (const [secret, origin] of Object.entries(names)) {
    if (/a\d*$/.test(origin)) count++
    if (/(a\d*|r)$/.test(origin)) named.set(secret, `${who}#${count}`)
  }
  return named
}

const isOf = (one: World.Operation) => (other: World.Operation) => one.id === other.id && one.key === other.key

interface Happening {
  readonly at: number
  readonly label: string
  /** The tokens that the server made. */
  readonly made: ReadonlyArray<string>
}

/** @param way the moves to the violation, starting with the initial world */
export const of = (way: ReadonlyArray<Stop>, broken: Violation): Diagram.Diagram => {
  const [first] = way
  const last = way.at(-1)
  if (first === undefined || last === undefined) return Diagram.make([], [])
  const lanes = Diagram.lanes()
  const callers = lanes.of("User", "callers")
  for (const { name } of first.world.processes) lanes.of("App", `process ${name}`)
  const store = lanes.of("Store", "the store")
  const zapier = lanes.of("Zapier", "Zapier")
  const names = namesOf(last.world)
  const name = (secret: string) => names.get(secret) ?? "unknown"
  const entries: Array<Diagram.Entry> = []
  const numbers = new Map<string, number>()
  const start = first.world.now

  const laneOf = (process: string) => lanes.of("App", `process ${process}`)

  // The process that a label names.
  const ofLabel = (label: string) => {
    const found = first.world.processes.find((process) => new RegExp(`\\b${process.name}\\b`).test(label))
    return found === undefined ? undefined : laneOf(found.name)
  }

  const requestText = (request: TokenRequest): string => {
    switch (request._tag) {
      case "AuthorizationCode":
        return "a code of ada"
      case "Refresh":
        return `refresh token ${name(World.secretOf(request))}`
      case "ClientCredentials":
        return "asks for a token of the app"
      case "TokenExchange":
      case "ConnectToken":
        return "exchanges a token"
    }
  }

  // The requests that a process sent, and their responses.
  const ofOperations = ({ at, label, made }: Happening, before: World.Process, after: World.Process) => {
    const lane = laneOf(after.name)
    const add = (entry: Diagram.Entry) => void entries.push(entry)
    const key = ({ id, key }: World.Operation) => `${after.name}${after.life} ${key} ${id}`
    for (const operation of before.operations) {
      if (operation._tag !== "Send") continue
      const now = after.operations.find(isOf(operation))
      if (now !== undefined && (now._tag !== "Send" || now.outcome === undefined || operation.outcome !== undefined))
        continue
      if (now === undefined && operation.outcome !== undefined) continue
      const isLost = /breaks|no response/.test(label)
      const number = numbers.get(key(operation))
      const more = number === undefined ? {} : { number }
      const tone = isLost ? "Bad" : "Plain"
      const text = isLost || made.length === 0 ? label : `${label}: tokens ${made.join(", ")}`
      add(Diagram.arrow(at, { from: zapier, to: lane, text, tone, isLost, isResponse: true, ...more }))
    }
    for (const operation of after.operations) {
      if (operation._tag !== "Send" || before.operations.some(isOf(operation))) continue
      const number = numbers.size + 1
      numbers.set(key(operation), number)
      add(Diagram.arrow(at, { from: lane, to: zapier, text: requestText(operation.request), number }))
    }
  }

  const ofCallers = (at: number, label: string, before: World.Process, after: World.Process) => {
    const lane = laneOf(after.name)
    const asks = (text: string) => void entries.push(Diagram.arrow(at, { from: callers, to: lane, text }))
    const reply = (text: string, tone: Diagram.Tone) =>
      void entries.push(Diagram.arrow(at, { from: lane, to: callers, text, tone, isResponse: true }))
    const calls = ({ doing }: World.Caller) => {
      if (doing._tag !== "Calling") return
      const text = `calls with access token ${name(Redacted.value(doing.access.accessToken))}`
      entries.push(Diagram.arrow(at, { from: lane, to: zapier, text }))
    }
    const responds = (text: string, tone: Diagram.Tone) =>
      void entries.push(Diagram.arrow(at, { from: zapier, to: lane, text, tone, isResponse: true }))
    for (const caller of before.callers) {
      const now = after.callers.find(({ id }) => id === caller.id)
      const was = caller.doing._tag
      if (now?.doing._tag === was) continue
      if (was === "Idle") asks("asks for an access token")
      if (was === "Calling")
        responds(now === undefined ? "responds to the call" : "401", now === undefined ? "Plain" : "Bad")
      if (now !== undefined) calls(now)
      else if (was === "Waiting" && caller.wants === "Access") reply("an error", "Bad")
      else reply(caller.wants === "Event" ? "the result" : "the response to its call", "Good")
    }
    for (const caller of after.callers) {
      if (before.callers.some(({ id }) => id === caller.id)) continue
      if (caller.wants === "Event") asks(label)
    }
  }

  const ofProcess = (happening: Happening, before: World.Process, after: World.Process) => {
    const { at, label } = happening
    const lane = laneOf(after.name)
    const note = (text: string, tone: Diagram.Tone) => void entries.push(Diagram.note(at, lane, text, tone))
    if (before.life !== after.life) return note("dies, and another takes its place", "Bad")
    if (before.isPaused !== after.isPaused)
      note(after.isPaused ? "is paused" : "resumes", after.isPaused ? "Bad" : "Plain")
    if (before.offset !== after.offset) note(`its clock is ${after.offset / 1_000} s ahead`, "Bad")
    ofCallers(at, label, before, after)
    ofOperations(happening, before, after)
  }

  const ofStore = (at: number, label: string, before: World.World, after: World.World) => {
    for (const [key, { state, version }] of Object.entries(after.store)) {
      if (before.store[key]?.version === version) continue
      const what = key === World.shared ? "" : ` of attempt ${key}`
      const text =
        state === undefined
          ? `removes the record${what}`
          : key === World.shared
            ? `writes ${Program.stateText(state as Invariants.State, name)}`
            : `writes ${state._tag}${what}`
      const from = ofLabel(label)
      entries.push(
        from === undefined ? Diagram.note(at, store, `${label}: ${text}`) : Diagram.arrow(at, { from, to: store, text })
      )
    }
  }

  const ofServer = (at: number, before: World.World, after: World.World): ReadonlyArray<string> => {
    const made = Object.keys(after.names).filter((secret) => !Object.hasOwn(before.names, secret) && names.has(secret))
    const pairs = [...new Set(made.map(name))]
    for (const pair of pairs) entries.push(Diagram.note(at, zapier, `makes tokens ${pair}`))
    return pairs
  }

  entries.push(Diagram.step(0, `At first ${first.label}`))
  way.slice(1).forEach(({ isFault, label, world }, index) => {
    const before = way[index]?.world ?? first.world
    const at = world.now - start
    const isStep = isFault || isTimePassing(label)
    if (isStep) entries.push(Diagram.step(before.now - start, readable(label)))
    const said = entries.length
    const made = ofServer(at, before, world)
    ofStore(at, label, before, world)
    for (const process of world.processes) {
      const was = before.processes.find(({ name }) => name === process.name)
      if (was !== undefined) ofProcess({ at, label, made }, was, process)
    }
    if (entries.length === said && !isStep) entries.push(Diagram.note(at, ofLabel(label), label))
  })
  entries.push(Diagram.violation(last.world.now - start, broken))
  return Diagram.make(lanes.all, entries)
}
