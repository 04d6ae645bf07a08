/**
 * What happens between two moments at which somebody else may act: an input for a driver, and all that follows from it at
 * once. What a process does is `Driver.step` and nothing else; what is here is what the runtime does for it: it performs
 * outputs, and feeds what came of them.
 */
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import { StoreFailed } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Redacted from "effect/Redacted"
import * as Invariants from "../../Invariants.ts"
import * as Held from "../../internal/invariants/held.ts"
import * as World from "./world.ts"
import type { Caller, Client, Input, Of, Operation, Process } from "./world.ts"
import type { Violation } from "../../Violation.ts"

/** What becomes of the first read of a turn. */
export type Reading = "Done" | "Failed" | "Hung"

export interface Turn {
  readonly client: Client
  world: World.World
  readonly violations: Array<Violation>
  readonly inputs: Array<{ readonly name: string; readonly key: string; readonly input: Input }>
  /** Whether something was read. */
  hasRead: boolean
  /** Whether more has happened than that a waiter looked at the record and found nothing new. */
  isEventful: boolean
}

export const begin = (client: Client, world: World.World): Turn => ({
  client,
  world,
  violations: [],
  inputs: [],
  hasRead: false,
  isEventful: false
})

const processOf = ({ world }: Turn, name: string): Process => {
  const found = world.processes.find((process) => process.name === name)
  if (found === undefined) throw new Error(`no process is called ${name}`)
  return found
}

export const change = (turn: Turn, name: string, changed: Partial<Process>): void => {
  const { processes } = turn.world
  turn.world = {
    ...turn.world,
    processes: processes.map((process) => (process.name === name ? { ...process, ...changed } : process))
  }
}

export const update = (turn: Turn, name: string, changed: (process: Process) => Partial<Process>) =>
  change(turn, name, changed(processOf(turn, name)))

export const observe = (turn: Turn, observation: Invariants.Observation): void => {
  const { history, violations } = Invariants.observe(turn.world.history, observation, turn.client.settings)
  turn.world = { ...turn.world, history }
  turn.violations.push(...violations)
}

/** Of whom and when something is seen. */
const by = (turn: Turn, process: Process) => ({
  owner: World.ownerOf(process),
  at: World.wall(turn.world, process)
})

const broken = (turn: Turn, rule: Invariants.Rule, seen: string) => turn.violations.push({ rule, seen })

const driverOf = ({ client }: Turn, process: Process, key: string) =>
  (key === World.shared ? client.shared : client.attempts)(World.ownerOf(process))

const stateOf = ({ drivers }: Process, key: string): World.Driven => drivers[key] ?? DriverState.initial

// -----------------------------------------------------------------------------
// Operations
// -----------------------------------------------------------------------------

const isSame = (one: Operation, other: Operation) => one.id === other.id && one.key === other.key

export const drop = (turn: Turn, name: string, dropped: Operation) =>
  update(turn, name, ({ operations }) => ({ operations: operations.filter((other) => !isSame(other, dropped)) }))

const add = (turn: Turn, name: string, operation: Operation) =>
  update(turn, name, ({ operations }) => ({ operations: [...operations, operation] }))

export const replace = (turn: Turn, name: string, operation: Operation) =>
  update(turn, name, ({ operations }) => ({
    operations: operations.map((other) => (isSame(other, operation) ? operation : other))
  }))

/** The store carries a write out, if it may. */
export const write = (
  turn: Turn,
  owner: string,
  at: number,
  save: Of<"Save">,
  told: { readonly isUnconfirmed?: true; readonly isLate?: true } = {}
): "Saved" | "Conflicted" => {
  const { client, world } = turn
  const { expected, from, key, state } = save
  const { state: there, version } = World.slot(world, key)
  const isRemoval = state._tag === "Absent" && client.mode === "user"
  const found = there === undefined ? undefined : version
  if (isRemoval && (key !== World.shared || (found === undefined && expected === undefined))) return "Saved"
  if (client.comparesVersions(state) && found !== expected) return "Conflicted"
  const next = { version: version + 1, state: isRemoval ? undefined : state }
  // A callback for an attempt that is over changes nothing.
  const isOver = key !== World.shared && !["Pending", "Exchanging"].includes(state._tag)
  const callbacks = isOver ? world.callbacks.filter(({ digest }) => digest !== key) : world.callbacks
  turn.world = { ...world, callbacks, store: { ...world.store, [key]: next } }
  if (key === World.shared) {
    for (const process of world.processes) {
      const isHeld = World.isHolder(state, process)
      if (process.hasLateClaim && !isHeld) change(turn, process.name, { hasLateClaim: false })
    }
    const seen = { state: state as Invariants.State, from: from as Invariants.State | undefined }
    observe(turn, { _tag: "Stored", ...seen, ...told, isAlive: World.isAlive(world, state), at, owner })
  }
  return "Saved"
}

/** The response is in the socket of its process. */
export const receive = (turn: Turn, name: string, send: Of<"Send">, response: TokenOutcome.Answer) => {
  const process = processOf(turn, name)
  const now = World.wall(turn.world, process)
  const { request, sentAt } = send
  const outcome = TokenOutcome.interpret(response, {
    scopes: request.scopes,
    startedAt: turn.client.countsFromStart ? sentAt : now,
    now
  })
  responded(turn, process, send, outcome)
  replace(turn, name, { ...send, outcome })
  return outcome
}

export const responded = (turn: Turn, process: Process, { request }: Of<"Send">, outcome: TokenOutcome.TokenOutcome) =>
  request._tag === "AuthorizationCode"
    ? observe(turn, { _tag: "CodeResponded", owner: World.ownerOf(process), outcome })
    : observe(turn, { _tag: "Responded", ...by(turn, process), token: World.presented(request), outcome })

/** Nobody waits for the request any more, which may still reach the server. */
export const stray = (turn: Turn, { request }: Of<"Send">): void => {
  turn.world = { ...turn.world, strays: [...turn.world.strays, request] }
}

const abandon = (turn: Turn, process: Process, operation: Operation): void => {
  if (operation._tag !== "Send") return
  if (World.isOnItsWay(operation)) stray(turn, operation)
  if (operation.outcome === undefined) responded(turn, process, operation, { _tag: "NoResponse" })
}

// -----------------------------------------------------------------------------
// Callers
// -----------------------------------------------------------------------------

const setCaller = (turn: Turn, name: string, caller: Caller) =>
  update(turn, name, ({ callers }) => ({
    callers: callers.map((other) => (other.id === caller.id ? caller : other))
  }))

export const finish = (turn: Turn, name: string, { id, wants }: Caller, isFailure: boolean): void => {
  // Nobody is served who has not connected.
  const counts = isFailure && wants === "Access" && World.slot(turn.world, World.shared).state !== undefined
  update(turn, name, ({ callers, hasFailed }) => ({
    callers: callers.filter((other) => other.id !== id),
    hasFailed: hasFailed || counts
  }))
}

const give = (turn: Turn, name: string, caller: Caller, access: Tokens.UsableAccess) => {
  observe(turn, { _tag: "AccessGiven", owner: World.ownerOf(processOf(turn, name)), access })
  const isReplay = caller.doing._tag === "Waiting" && caller.doing.isReplay
  setCaller(turn, name, { ...caller, doing: { _tag: "Calling", access, isReplay } })
}

/** A caller asks for an access token, or for another one than that. */
export const ask = (turn: Turn, name: string, caller: Caller, unusable?: Tokens.UsableAccess): void => {
  const process = processOf(turn, name)
  const state = stateOf(process, World.shared)
  const found =
    unusable === undefined && !process.isClosing ? DriverState.peek(state, World.wall(turn.world, process)) : undefined
  if (found !== undefined) return give(turn, name, caller, found)
  const isReplay = unusable !== undefined
  setCaller(turn, name, { ...caller, doing: { _tag: "Waiting", since: turn.world.now, isReplay } })
  feed(turn, name, World.shared, { _tag: "Asked", caller: caller.id, unusable })
}

/** A caller calls the API. */
export const call = (turn: Turn, name: string, caller: Caller): void => {
  if (caller.doing._tag !== "Calling") return
  const { access, isReplay } = caller.doing
  if (World.callApi(turn.world, turn.client, access) !== 401) {
    finish(turn, name, caller, false)
    // Only of a token that has replaced a rejected one does it matter.
    if (access.replacedAt === undefined) return
    const owner = World.ownerOf(processOf(turn, name))
    observe(turn, { _tag: "AccessAccepted", owner, accessToken: Redacted.value(access.accessToken) })
    return feed(turn, name, World.shared, { _tag: "Accepted", access })
  }
  // A second 401 is the caller's: the driver is not told.
  if (isReplay) return finish(turn, name, caller, true)
  observe(turn, { _tag: "AccessRejected", ...by(turn, processOf(turn, name)), access })
  ask(turn, name, caller, access)
}

/** Somebody brings an event, and waits until it is recorded. */
export const bring = (turn: Turn, name: string, key: string, event: World.Event, isRemoval: boolean): void => {
  const { callers, nextCaller } = processOf(turn, name)
  const doing = { _tag: "Waiting", since: turn.world.now, isReplay: false } as const
  change(turn, name, {
    callers: [...callers, { id: nextCaller, wants: "Event", doing }],
    nextCaller: nextCaller + 1
  })
  feed(turn, name, key, { _tag: "Brought", caller: nextCaller, event, isRetried: false, isRemoval })
}

/** A browser brings a code. */
export const callBack = (turn: Turn, name: string, { code, digest }: World.Callback): void => {
  const event = { _tag: "CodeReceived", stateDigest: digest, subject: "ada", code: Redacted.make(code) } as const
  bring(turn, name, digest, event, false)
}

const told = (turn: Turn, name: string, id: number, reply: DriverState.Reply<World.Record>) => {
  const { callers, operations } = processOf(turn, name)
  const waiting = operations.find((operation) => operation._tag === "Bring" && operation.caller === id)
  if (waiting !== undefined) {
    const outcome: World.Outcome =
      reply._tag === "Failed" ? { _tag: "NotStored", reason: reply.reason } : { _tag: "Stored" }
    drop(turn, name, waiting)
    return feed(turn, name, waiting.key, { _tag: "Responded", id: waiting.id, outcome })
  }
  const caller = callers.find((other) => other.id === id)
  if (caller === undefined) return
  if (reply._tag === "Access") return give(turn, name, caller, reply.access)
  finish(turn, name, caller, reply._tag === "Failed")
}

// -----------------------------------------------------------------------------
// Inputs and outputs
// -----------------------------------------------------------------------------

/** What happens to a driver, after what has happened to it before. */
export const feed = (turn: Turn, name: string, key: string, input: Input): void => {
  turn.inputs.push({ name, key, input })
}

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
  const seen = by(turn, process)
  const token = World.presented(request)
  observe(
    turn,
    request._tag === "AuthorizationCode"
      ? { _tag: "CodeSent", ...seen, code: token }
      : { _tag: "Sent", ...seen, token, until: seen.at + until - turn.world.now }
  )
  const fresh = { fate: undefined, response: undefined, outcome: undefined }
  add(turn, name, { _tag: "Send", key, id, request, sentAt: seen.at, until, ...fresh })
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
      for (const caller of out.callers) told(turn, name, caller, out.reply)
      return
    case "Publish":
    case "Count":
  }
}

// A driver that begins in a process that is closing knows that from its start.
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
      broken(turn, "The table holds", `${input._tag} led from ${before.store._tag} to ${to}`)
    }
    if (input._tag === "Woken" && DriverState.wakeAt(state) <= now.elapsed && outputs.length === 0) {
      const isStuck = state.grace === before.grace && to === before.store._tag
      if (isStuck) broken(turn, "The table holds", "a driver was woken, and has nothing to do")
    }
    // What is idle is forgotten, but for its memory.
    const kept = DriverState.isBusy(state) ? state : { ...DriverState.initial, memory: state.memory, dead: state.dead }
    const { [key]: _, ...others } = process.drivers
    const isGone = key !== World.shared && !DriverState.isBusy(state)
    change(turn, name, { drivers: isGone ? others : { ...others, [key]: kept } })
    for (const out of outputs) {
      if (out._tag !== "Load" && out._tag !== "Count") turn.isEventful = true
      perform(turn, name, key, out)
    }
  } catch (error) {
    broken(turn, "The table holds", `a driver threw ${String(error)}`)
  }
}

const end = (turn: Turn, name: string): void => {
  const { callers } = processOf(turn, name)
  const waiting = callers.filter(({ doing }) => doing._tag === "Waiting").length
  const owner = World.ownerOf(processOf(turn, name))
  if (waiting > 0) broken(turn, "Everybody is answered", `${waiting} callers wait in a process that has been closed`)
  if (Held.unstored(turn.world.history).some((told) => told.owner === owner)) {
    broken(turn, "R3 success always wins", "new tokens were thrown away by a process that was closed")
  }
  restart(turn, name)
}

/** Another process takes the place of one that has ended. */
export const restart = (turn: Turn, name: string): void => {
  const process = processOf(turn, name)
  observe(turn, { _tag: "ProcessEnded", owner: World.ownerOf(process) })
  const callers = process.callers.filter(({ wants }) => wants === "Access")
  // Had they been done before, it would be the same.
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

export const storeFailure = new StoreFailed({ store: "the store", operation: "respond", problem: "it is away" })

/** Feeds what a read found. */
export const loaded = (turn: Turn, name: string, { id, key }: Of<"Load">, found: World.Slot): void => {
  const process = processOf(turn, name)
  const { none } = driverOf(turn, process, key).driven
  const { store } = stateOf(process, key)
  // A code counts from when its attempt is found.
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

// A driver that is late gives I/O its turn. Had it been woken a little later, something would have come before.
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
 * Carries out all that follows at once. Reads do: to read a record is to go on from what is read, and what happens in
 * between could as well have happened before.
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
