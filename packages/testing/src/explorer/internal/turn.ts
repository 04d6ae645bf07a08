/**
 * A turn: an input for a driver, and everything that follows from it before another process may act. The process itself
 * is `Driver.step` alone; a turn holds what the runtime keeps for it: operations under way, and queued inputs.
 * `perform.ts` carries them out.
 */
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Invariants from "../../Invariants.ts"
import * as Server from "./server.ts"
import * as World from "./world.ts"
import type { Client, Input, Of, Operation, Process } from "./world.ts"
import type { Violation } from "../../Violation.ts"

export interface Turn {
  readonly client: Client
  world: World.World
  readonly violations: Array<Violation>
  readonly inputs: Array<{ readonly name: string; readonly key: string; readonly input: Input }>
  /** True once something was read. */
  hasRead: boolean
  /** True unless waiters only polled and found nothing new. */
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

export const processOf = ({ world }: Turn, name: string): Process => {
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

/** The owner and time of an observation. */
export const by = (turn: Turn, process: Process) => ({
  owner: World.ownerOf(process),
  at: World.wall(turn.world, process)
})

export const broken = (turn: Turn, rule: Invariants.Rule, observed: string) => turn.violations.push({ rule, observed })

export const driverOf = ({ client }: Turn, process: Process, key: string) =>
  (key === World.shared ? client.shared : client.attempts)(World.ownerOf(process))

export const stateOf = ({ drivers }: Process, key: string): World.Driven => drivers[key] ?? DriverState.initial

const isSame = (one: Operation, other: Operation) => one.id === other.id && one.key === other.key

export const drop = (turn: Turn, name: string, dropped: Operation) =>
  update(turn, name, ({ operations }) => ({ operations: operations.filter((other) => !isSame(other, dropped)) }))

export const add = (turn: Turn, name: string, operation: Operation) =>
  update(turn, name, ({ operations }) => ({ operations: [...operations, operation] }))

export const replace = (turn: Turn, name: string, operation: Operation) =>
  update(turn, name, ({ operations }) => ({
    operations: operations.map((other) => (isSame(other, operation) ? operation : other))
  }))

/** Carries out a write in the store, if its expectation holds. */
export const write = (
  turn: Turn,
  owner: string,
  at: number,
  save: Of<"Save">,
  marks: { readonly isUnconfirmed?: true; readonly isLate?: true } = {}
): "Saved" | "Conflicted" => {
  const { client, world } = turn
  const { expected, from, key, state } = save
  const { state: there, version } = World.slot(world, key)
  const isRemoval = state._tag === "Absent" && client.mode === "user"
  const found = there === undefined ? undefined : version
  if (isRemoval && (key !== World.shared || (found === undefined && expected === undefined))) return "Saved"
  if (client.comparesVersions(state) && found !== expected) return "Conflicted"
  const next = { version: version + 1, state: isRemoval ? undefined : state }
  // A callback for a finished attempt changes nothing.
  const isOver = key !== World.shared && !["Pending", "Exchanging"].includes(state._tag)
  const callbacks = isOver ? world.callbacks.filter(({ digest }) => digest !== key) : world.callbacks
  turn.world = { ...world, callbacks, store: { ...world.store, [key]: next } }
  if (key === World.shared) {
    for (const process of world.processes) {
      const isHeld = World.isHolder(state, process)
      if (process.hasLateClaim && !isHeld) change(turn, process.name, { hasLateClaim: false })
    }
    const states = { state: state as Invariants.State, from: from as Invariants.State | undefined }
    observe(turn, { _tag: "Stored", ...states, ...marks, isAlive: Server.isAlive(world, state), at, owner })
  }
  return "Saved"
}

/** A response arrives in the socket of its process. */
export const receive = (turn: Turn, name: string, send: Of<"Send">, response: TokenOutcome.TokenResponse) => {
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
    : observe(turn, { _tag: "Responded", ...by(turn, process), token: World.secretOf(request), outcome })

/** A request that no process waits for may still reach the server. */
export const stray = (turn: Turn, { request }: Of<"Send">): void => {
  turn.world = { ...turn.world, strays: [...turn.world.strays, request] }
}

export const abandon = (turn: Turn, process: Process, operation: Operation): void => {
  if (operation._tag !== "Send") return
  if (World.isOnItsWay(operation)) stray(turn, operation)
  if (operation.outcome === undefined) responded(turn, process, operation, { _tag: "NoResponse" })
}

/** Queues an input for a driver. */
export const feed = (turn: Turn, name: string, key: string, input: Input): void => {
  turn.inputs.push({ name, key, input })
}
