/**
 * Performs the outputs of drivers as the runtime does, and feeds back the results, until nothing is left to do at once.
 */
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import { StoreFailed } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Redacted from "effect/Redacted"
import * as Held from "../../internal/invariants/held.ts"
import * as World from "./world.ts"
import type { Input, Of, Process } from "./world.ts"
import {
  type Turn,
  processOf,
  change,
  observe,
  by,
  broken,
  driverOf,
  stateOf,
  drop,
  add,
  replace,
  abandon,
  feed
} from "./turn.ts"
import { settle } from "./callers.ts"

/** The result of the first read of a turn. */
export type Reading = "Done" | "Failed" | "Hung"

const send = (turn: Turn, name: string, key: string, out: Extract<Output, { readonly _tag: "Send" }>) => {
  const { id, until } = out
  const process = processOf(turn, name)
  if (out.request._tag === "StoreGrant") {
    const { stateDigest, tokens } = out.request
    const caller = process.nextCaller
    change(turn, name, { nextCaller: caller + 1 })
    add(turn, name, { _tag: "Bring", key, id, caller })
    const event: World.Event = { _tag: "ConsentGranted", family: stateDigest, tokens }
    return feed(turn, name, World.shared, { _tag: "Brought", caller, event, isRetried: true, isRemoval: false })
  }
  const request = out.request._tag === "Exchange" ? out.request.request : out.request
  const observed = by(turn, process)
  const token = World.secretOf(request)
  observe(
    turn,
    request._tag === "AuthorizationCode"
      ? { _tag: "CodeSent", ...observed, code: token }
      : { _tag: "Sent", ...observed, token, until: observed.at + until - turn.world.now }
  )
  const fresh = { delivery: undefined, response: undefined, outcome: undefined }
  add(turn, name, { _tag: "Send", key, id, request, sentAt: observed.at, until, ...fresh })
}

type Output = DriverState.Output<World.Record, World.Event, World.Request>

const perform = (turn: Turn, name: string, key: string, out: Output): void => {
  const process = processOf(turn, name)
  switch (out._tag) {
    case "Load":
      return add(turn, name, { _tag: "Load", key, id: out.id, found: undefined })
    case "Save": {
      const { store } = stateOf(process, key)
      const from = store._tag === "Saving" ? store.from : undefined
      const { expected, id, state } = out
      return add(turn, name, { _tag: "Save", key, id, expected, state, from, isHung: false, result: undefined })
    }
    case "Send":
      return send(turn, name, key, out)
    case "Abandon": {
      const found = process.operations.find((operation) => operation.key === key && operation.id === out.id)
      if (found === undefined) return
      drop(turn, name, found)
      return abandon(turn, process, found)
    }
    case "Reply":
      for (const caller of out.callers) settle(turn, name, caller, out.reply)
      return
    case "Publish":
    case "Count":
  }
}

// A driver that starts in a closing process is closing from the start.
const begun = (driver: World.AnyDriver, process: Process, key: string, now: DriverState.Now) => {
  const state = stateOf(process, key)
  const isNew = !DriverState.isBusy(state)
  return isNew && process.isClosing ? driver.step(state, { _tag: "Closing" }, now).state : state
}

const step = (turn: Turn, name: string, key: string, input: Input): void => {
  const process = processOf(turn, name)
  const now = { wall: World.wall(turn.world, process), elapsed: turn.world.now }
  const driver = driverOf(turn, process, key)
  try {
    const before = begun(driver, process, key, now)
    const { outputs, state } = driver.step(before, input, now)
    const to = state.store._tag
    if (!DriverState.isEdge(before.store._tag, input._tag, to)) {
      broken(turn, "Drivers follow their table", `${input._tag} led from ${before.store._tag} to ${to}`)
    }
    if (input._tag === "Woken" && DriverState.wakeAt(state) <= now.elapsed && outputs.length === 0) {
      const isStuck = state.grace === before.grace && to === before.store._tag
      if (isStuck) broken(turn, "Drivers follow their table", "a driver was woken and had nothing to do")
    }
    // An idle driver keeps only its memory.
    const kept = DriverState.isBusy(state) ? state : { ...DriverState.initial, memory: state.memory, dead: state.dead }
    const { [key]: _, ...others } = process.drivers
    const isGone = key !== World.shared && !DriverState.isBusy(state)
    change(turn, name, { drivers: isGone ? others : { ...others, [key]: kept } })
    for (const out of outputs) {
      if (out._tag !== "Load" && out._tag !== "Count") turn.isEventful = true
      perform(turn, name, key, out)
    }
  } catch (error) {
    broken(turn, "Drivers follow their table", `a driver threw ${String(error)}`)
  }
}

const end = (turn: Turn, name: string): void => {
  const { callers } = processOf(turn, name)
  const waiting = callers.filter(({ doing }) => doing._tag === "Waiting").length
  const owner = World.ownerOf(processOf(turn, name))
  if (waiting > 0) broken(turn, "Every caller gets a result", `${waiting} callers wait in a closed process`)
  if (Held.unstored(turn.world.history).some((holder) => holder.owner === owner)) {
    broken(turn, "R3 success always wins", "a closed process threw new tokens away")
  }
  restart(turn, name)
}

/** Replaces a process that has ended. */
export const restart = (turn: Turn, name: string): void => {
  const process = processOf(turn, name)
  observe(turn, { _tag: "ProcessEnded", owner: World.ownerOf(process) })
  const callers = process.callers.filter(({ wants }) => wants === "Access")
  // Writes that happened before the end give the same world.
  const lateWrites = turn.world.lateWrites.filter((late) => late.name !== name)
  turn.world = { ...turn.world, lateWrites }
  change(turn, name, {
    life: process.life + 1,
    isPaused: false,
    isClosing: false,
    drivers: { [World.shared]: DriverState.initial },
    operations: [],
    callers: callers.map((caller, id) => ({ ...caller, id, doing: { _tag: "Idle" } })),
    nextCaller: callers.length,
    hasLateClaim: false
  })
}

const goOnClosing = (turn: Turn): void => {
  for (const process of turn.world.processes) {
    if (process.isClosing && !World.isBusy(process)) end(turn, process.name)
  }
}

const drain = (turn: Turn): void => {
  for (let next = turn.inputs.shift(); next !== undefined; next = turn.inputs.shift()) {
    step(turn, next.name, next.key, next.input)
  }
}

export const storeFailure = new StoreFailed({ store: "the store", operation: "respond", problem: "it is unavailable" })

/** Feeds the result of a read. */
export const loaded = (turn: Turn, name: string, { id, key }: Of<"Load">, found: World.Slot): void => {
  const process = processOf(turn, name)
  const { none } = driverOf(turn, process, key).driven
  const { store } = stateOf(process, key)
  // A code's lifetime counts from when its attempt is found.
  if (store._tag === "Loading" && store.task._tag === "Delivery" && store.task.event._tag === "CodeReceived") {
    observe(turn, { _tag: "CodeArrived", ...by(turn, process), code: Redacted.value(store.task.event.code) })
  }
  const version = found.state === undefined ? undefined : found.version
  feed(turn, name, key, { _tag: "Loaded", id, state: found.state ?? none, version })
}

const read = (turn: Turn, name: string, load: Of<"Load">, reading: Reading): void => {
  const found = World.slot(turn.world, load.key)
  turn.hasRead = true
  if (reading === "Hung") return replace(turn, name, { ...load, found })
  drop(turn, name, load)
  if (reading === "Failed") feed(turn, name, load.key, { _tag: "StoreFailed", id: load.id, reason: storeFailure })
  else loaded(turn, name, load, found)
}

// An overdue driver lets I/O go first. An event in between could as well have come before it was woken.
const wakeLate = (turn: Turn): void => {
  const { now } = turn.world
  for (const { name } of turn.world.processes) {
    const process = processOf(turn, name)
    if (process.isPaused) continue
    for (const [key, state] of Object.entries(process.drivers)) {
      const isLate = state.grace === undefined && DriverState.nextDeadline(state) <= now
      if (isLate && DriverState.nextLook(state) > now) feed(turn, name, key, { _tag: "Woken" })
    }
  }
  drain(turn)
}

/**
 * Carries out everything that follows at once. That includes reads: an event in between could as well have happened
 * before.
 */
export const carryOut = (turn: Turn, reading: Reading = "Done"): void => {
  const before = new Map(turn.world.processes.map((process) => [World.ownerOf(process), World.isBusy(process)]))
  let next = reading
  drain(turn)
  for (let reads = 0; reads < 20; reads++) {
    goOnClosing(turn)
    const found = turn.world.processes
      .filter(({ isPaused }) => !isPaused)
      .flatMap(({ name, operations }) =>
        operations.flatMap((load) => (load._tag === "Load" && load.found === undefined ? [{ name, load }] : []))
      )[0]
    if (found === undefined) break
    read(turn, found.name, found.load, next)
    next = "Done"
    drain(turn)
  }
  wakeLate(turn)
  for (const process of turn.world.processes) {
    const wasBusy = before.get(World.ownerOf(process)) === true
    if (wasBusy && !World.isBusy(process) && !process.hasLateClaim) {
      observe(turn, { _tag: "ProcessQuiet", ...by(turn, process) })
    }
  }
}
