/** All moves of a world, and time, which passes while no process has anything to do. */
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import type { TokenRequest } from "@zapier-workflow-auth/core/oauth/TokenRequest"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Redacted from "effect/Redacted"
import type { Move } from "../../Explorer.ts"
import * as Faults from "./faults.ts"
import * as Callers from "./callers.ts"
import * as Perform from "./perform.ts"
import * as Turn from "./turn.ts"
import * as Server from "./server.ts"
import * as World from "./world.ts"
import type { Client, Process } from "./world.ts"
import type { Violation } from "../../Violation.ts"

type WorldMove = Move<World.World>

const distinct = (process: Process) => {
  const seen = new Set<string>()
  return process.callers.filter((caller) => {
    const { doing, wants } = caller
    const text =
      doing._tag === "Calling"
        ? `${Redacted.value(doing.access.accessToken)}${doing.isReplay}`
        : `${wants}${doing._tag}`
    return !seen.has(text) && seen.add(text)
  })
}

// -----------------------------------------------------------------------------
// Time
// -----------------------------------------------------------------------------

const isDue = ({ drivers, isPaused }: Process, now: number) =>
  !isPaused && Object.values(drivers).some((state) => DriverState.wakeAt(state) <= now)

// A running process acts at once; a response takes no time unless a fault says so.
const isBusy = (process: Process, now: number) =>
  !process.isPaused &&
  (process.callers.some(({ doing }) => doing._tag === "Calling") ||
    process.operations.some(
      (operation) =>
        (operation._tag === "Save" && !operation.isHung) ||
        (operation._tag === "Send" && (operation.delivery === undefined || operation.response !== undefined))
    ) ||
    isDue(process, now))

// The next time at which something may happen.
const next = (world: World.World): { readonly to: number; readonly isExpiry: boolean } => {
  const { history, now, processes } = world
  const instants: Array<number> = []
  const { state } = World.slot(world, World.shared)
  const paused = processes.some(({ isPaused }) => isPaused)
  if (state !== undefined && "lease" in state) {
    instants.push(state.lease.deadline, ...processes.map(({ offset }) => state.lease.deadline - offset))
  }
  if (state !== undefined && "pause" in state && state.pause !== undefined) instants.push(state.pause.until)
  for (const { drivers, isPaused } of processes) {
    for (const driver of Object.values(drivers)) {
      instants.push(isPaused ? DriverState.nextDeadline(driver) : DriverState.wakeAt(driver))
    }
  }
  if (paused) instants.push(...history.codes.map(({ arrivedAt }) => arrivedAt + ConsentAttempt.codeLifetime))
  const expiry =
    world.expiries === 0 ? Infinity : (World.accessOf(World.slot(world, World.shared))?.expiresAt ?? Infinity)
  const to = Math.min(...[...instants, expiry].filter((instant) => instant > now))
  return { to, isExpiry: to === expiry }
}

// The latest time at which a late response may arrive.
const limit = ({ processes }: World.World) =>
  Math.min(
    ...processes.flatMap(({ isPaused, operations }) =>
      operations.map((operation) =>
        operation._tag === "Send" && operation.delivery === "Slow" && !isPaused ? operation.until : Infinity
      )
    )
  )

// True if the driver only polls the record.
const polls = (state: World.Driven, now: number) =>
  state.store._tag === "Idle" && (state.grace ?? DriverState.nextDeadline(state)) > now

// All waiters poll and find nothing new: how often has no effect.
const pollAll = (client: Client, world: World.World): World.World | undefined => {
  const turn = Turn.begin(client, world)
  const due = world.processes.filter((process) => isDue(process, world.now))
  if (due.length === 0) return undefined
  for (const { drivers, name } of due) {
    for (const [key, state] of Object.entries(drivers)) {
      if (DriverState.wakeAt(state) > world.now) continue
      if (!polls(state, world.now)) return undefined
      Turn.feed(turn, name, key, { _tag: "Woken" })
    }
  }
  Perform.carryOut(turn)
  return turn.isEventful || turn.violations.length > 0 ? undefined : turn.world
}

const at = (world: World.World, now: number, isExpiry: boolean): World.World => ({
  ...world,
  now,
  expiries: isExpiry ? world.expiries - 1 : world.expiries
})

const mostPolls = 500

const pass = (client: Client, world: World.World): ReadonlyArray<WorldMove> => {
  const { now, processes } = world
  if (processes.some((process) => isBusy(process, now))) return []
  let later = world
  for (let polls = 0; polls < mostPolls; polls++) {
    const { isExpiry, to } = next(later)
    if (!Number.isFinite(to) || to >= limit(world)) break
    later = at(later, to, isExpiry)
    const polled = pollAll(client, later)
    if (polled === undefined) break
    later = polled
  }
  const violations = overdue(client, later)
  return later === world ? [] : [{ label: `${later.now - now} ms pass`, world: later, violations, isFault: false }]
}

// A waiting caller gets a result after the request timeout, plus a grace period for each of the things that may be
// late.
const overdue = ({ settings }: Client, { now, processes }: World.World): ReadonlyArray<Violation> =>
  processes.some(
    ({ awakeSince, callers, isPaused }) =>
      !isPaused &&
      now > awakeSince + 2 * DriverState.grace &&
      callers.some(
        ({ doing }) => doing._tag === "Waiting" && now > doing.since + settings.requestTimeout + 2 * DriverState.grace
      )
  )
    ? [{ rule: "Every caller gets a result", observed: "a caller waited longer than the request timeout" }]
    : []

// -----------------------------------------------------------------------------
// All moves
// -----------------------------------------------------------------------------

type Step = readonly [label: string, step: (turn: Turn.Turn) => void]

// Once no fault is left and the server no longer accepts the old token, no call depends on when the server acts, so it
// may act when its response is read.
const actsUnseen = (client: Client, world: World.World, request: TokenRequest) => {
  if (world.faults > 0) return false
  const access = World.accessOf(World.slot(world, World.shared))
  return (
    request._tag !== "Refresh" ||
    access === undefined ||
    Server.callApi(world, client, { ...access, family: "", generation: 0 }) === 401
  )
}

// The next step of a process for an operation, if there is one.
const ofOperation = (
  client: Client,
  world: World.World,
  process: Process,
  operation: World.Operation
): Step | undefined => {
  const { isPaused, name } = process
  const { id, key } = operation
  switch (operation._tag) {
    case "Bring":
      return undefined
    case "Load": {
      const { found } = operation
      if (found === undefined || isPaused) return undefined
      const hear = (turn: Turn.Turn) => {
        Turn.drop(turn, name, operation)
        Perform.loaded(turn, name, operation, found)
      }
      return [`the store's late response reaches ${name}`, hear]
    }
    case "Save": {
      const hear = (turn: Turn.Turn, result: "Saved" | "Conflicted") => {
        Turn.drop(turn, name, operation)
        Turn.feed(turn, name, key, { _tag: result, id })
      }
      const { isHung, result, state } = operation
      if (isHung || (result !== undefined && isPaused)) return undefined
      if (result !== undefined) return [`${name} gets the result ${result}`, (turn) => hear(turn, result)]
      const write = (turn: Turn.Turn) => {
        const at = World.wall(turn.world, process)
        const done = Turn.write(turn, World.ownerOf(process), at, operation)
        if (isPaused) Turn.replace(turn, name, { ...operation, result: done })
        else hear(turn, done)
      }
      return [`${name} writes ${state._tag}${key === World.shared ? "" : ` to ${key}`}`, write]
    }
    case "Send": {
      const { delivery, outcome, request, response } = operation
      const read = (turn: Turn.Turn, outcome: World.Outcome) => {
        Turn.drop(turn, name, operation)
        Turn.feed(turn, name, key, { _tag: "Responded", id, outcome })
      }
      const act = (turn: Turn.Turn) => {
        const arrived = Server.arrive(turn.world, request)
        turn.world = arrived.world
        return arrived.response
      }
      if (outcome !== undefined) {
        return isPaused ? undefined : [`${name} reads the response`, (turn) => read(turn, outcome)]
      }
      if (response !== undefined) {
        const receive = (turn: Turn.Turn) => {
          const received = Turn.receive(turn, name, operation, response)
          if (!isPaused) read(turn, received)
        }
        return [`the response reaches ${name}`, receive]
      }
      if (delivery === "Silent") return undefined
      if (isPaused || !actsUnseen(client, world, request)) {
        const respond = (turn: Turn.Turn) => Turn.replace(turn, name, { ...operation, response: act(turn) })
        return [`the server acts for ${name}`, respond]
      }
      const respond = (turn: Turn.Turn) => read(turn, Turn.receive(turn, name, operation, act(turn)))
      return [`the server responds to ${name}`, respond]
    }
  }
}

const ofProcess = (client: Client, world: World.World, process: Process): ReadonlyArray<Step> => {
  const { isClosing, isPaused, name } = process
  const steps: Array<Step> = process.operations
    .map((operation) => ofOperation(client, world, process, operation))
    .filter((step) => step !== undefined)
  const may = (...step: Step) => void steps.push(step)
  if (isPaused) {
    may(`${name} resumes`, (turn) => Turn.change(turn, name, { isPaused: false, awakeSince: world.now }))
    return steps
  }
  for (const [key, state] of Object.entries(process.drivers)) {
    if (DriverState.wakeAt(state) <= world.now) {
      may(`${name} is woken`, (turn) => Turn.feed(turn, name, key, { _tag: "Woken" }))
    }
  }
  for (const caller of distinct(process)) {
    if (caller.doing._tag === "Idle" && !isClosing) {
      may(`${name} asks`, (turn) => Callers.ask(turn, name, caller))
    }
    if (caller.doing._tag === "Calling") may(`${name} calls`, (turn) => Callers.call(turn, name, caller))
  }
  if (isClosing) return steps
  const [callback, ...others] = world.callbacks
  if (callback !== undefined) {
    may(`${name} gets the callback`, (turn) => {
      turn.world = { ...turn.world, callbacks: others }
      Callers.callBack(turn, name, callback)
    })
  }
  return steps
}

// Steps without a waiting process, which may never happen.
const ofNobody = (world: World.World): ReadonlyArray<Step> => [
  ...world.strays.map((request, index): Step => [
    "a stray request reaches the server",
    (turn) => {
      turn.world = Server.arrive({ ...turn.world, strays: world.strays.toSpliced(index, 1) }, request).world
    }
  ]),
  ...world.lateWrites.map(({ name, owner, save }, index): Step => [
    "a late write is carried out",
    (turn) => {
      turn.world = { ...turn.world, lateWrites: world.lateWrites.toSpliced(index, 1) }
      // A late first write cannot detect that another record came and went: no client can help that.
      const wasRemoved = save.expected === undefined && World.slot(world, save.key).version > 0
      if (!wasRemoved) Turn.write(turn, owner, turn.world.now, save, { isUnconfirmed: true, isLate: true })
      const { state } = World.slot(turn.world, World.shared)
      Turn.update(turn, name, (process) => ({ hasLateClaim: World.isHolder(state, process) }))
    }
  ])
]

// A call with a token that nothing can end succeeds whenever it is made, and affects nothing else: it is made at once.
const certainCall = (client: Client, turn: Turn.Turn): (() => void) | undefined => {
  const { world } = turn
  const { faults, lateWrites, now, processes, strays } = world
  const access = World.accessOf(World.slot(world, World.shared))
  const isSafe =
    access !== undefined &&
    faults === 0 &&
    strays.length === 0 &&
    lateWrites.length === 0 &&
    now + 4_000_000 < Tokens.dueAt(access, client.settings.expiryMargin) &&
    !processes.some(({ operations }) => operations.some(({ _tag }) => _tag === "Send"))
  if (!isSafe) return undefined
  for (const { callers, isPaused, name } of processes) {
    const caller = callers.find(
      ({ doing }) =>
        doing._tag === "Calling" &&
        Redacted.value(doing.access.accessToken) === Redacted.value(access.accessToken) &&
        Server.callApi(world, client, doing.access) !== 401
    )
    if (caller !== undefined && !isPaused) return () => Callers.call(turn, name, caller)
  }
  return undefined
}

// Once no fault is left, an attempt that only one process works on is written at once: it affects no other.
const ofAttempt = (client: Client, world: World.World): Step | undefined => {
  const { callbacks, faults, lateWrites, processes } = world
  if (faults > 0 || callbacks.length > 0 || lateWrites.length > 0) return undefined
  for (const process of processes) {
    if (process.isPaused) continue
    for (const operation of process.operations) {
      const { key } = operation
      const isOwn =
        key !== World.shared &&
        operation._tag === "Save" &&
        !processes.some((other) => other !== process && Object.hasOwn(other.drivers, key))
      const step = isOwn ? ofOperation(client, world, process, operation) : undefined
      if (step !== undefined) return step
    }
  }
  return undefined
}

// A read may also fail, or be slow.
const made = (client: Client, kinds: Faults.Kinds, world: World.World, [label, step]: Step, isFault: boolean) => {
  const run = (reading: Perform.Reading) => {
    const turn = Turn.begin(client, world)
    step(turn)
    Perform.carryOut(turn, reading)
    return turn
  }
  const turn = run("Done")
  for (let certain = certainCall(client, turn); certain !== undefined; certain = certainCall(client, turn)) {
    certain()
    Perform.carryOut(turn)
  }
  const all: Array<WorldMove> = [{ label, world: turn.world, violations: turn.violations, isFault }]
  const { faults } = turn.world
  if (!turn.hasRead || faults === 0 || !kinds.has("store")) return all
  for (const reading of ["Failed", "Hung"] as const) {
    const { violations, world } = run(reading)
    const what = reading === "Failed" ? "the read fails" : "the read is slow"
    all.push({ label: `${label}; ${what}`, world: { ...world, faults: faults - 1 }, violations, isFault: true })
  }
  return all
}

// Untouched processes are interchangeable.
const isUntouched = ({ callers, isPaused, life, nextCaller, offset, operations, drivers }: Process) =>
  life === 1 &&
  !isPaused &&
  offset === 0 &&
  nextCaller === callers.length &&
  operations.length === 0 &&
  drivers[World.shared] === DriverState.initial &&
  callers.every(({ doing }) => doing._tag === "Idle")

const distinctProcesses = ({ processes }: World.World) =>
  processes.filter(
    (process, index) =>
      !isUntouched(process) ||
      !processes.some(
        (other, before) => before < index && isUntouched(other) && other.callers.length === process.callers.length
      )
  )

// A fault that has no effect before time passes may come just before it does.
const thenPass = (client: Client, { label, violations, world }: WorldMove): ReadonlyArray<WorldMove> =>
  pass(client, world).map((passing) => ({
    ...passing,
    label: `${label}; ${passing.label}`,
    violations: [...violations, ...passing.violations],
    isFault: true
  }))

export const moves =
  (client: Client, kinds: Faults.Kinds) =>
  (world: World.World): ReadonlyArray<WorldMove> => {
    const certain = ofAttempt(client, world)
    if (certain !== undefined) return made(client, kinds, world, certain, false)
    const steps = distinctProcesses(world).flatMap((process) => ofProcess(client, world, process))
    const all = steps.flatMap((step) => made(client, kinds, world, step, false))
    for (const step of ofNobody(world)) all.push(...made(client, kinds, world, step, true))
    all.push(...pass(client, world))
    if (world.faults === 0) return all
    const weaker = { ...world, faults: world.faults - 1 }
    for (const [label, step, shows] of Faults.all(client, kinds, weaker)) {
      const faulty = made(client, kinds, weaker, [label, step], true)
      if (shows !== "as time passes") all.push(...faulty)
      else for (const move of faulty) all.push(...thenPass(client, move))
    }
    if (kinds.has("clock")) {
      for (const process of distinctProcesses(world)) {
        for (const [label, step] of process.offset === 0 ? ofProcess(client, world, process) : []) {
          for (const [jumped, jump] of Faults.jumps(process)) {
            const both = (turn: Turn.Turn) => {
              jump(turn)
              step(turn)
            }
            all.push(...made(client, kinds, weaker, [`${jumped}; ${label}`, both], true))
          }
        }
      }
    }
    return all
  }

/** The violations of a world that has ended. */
export const ending =
  (client: Client, faults: number) =>
  (world: World.World): ReadonlyArray<Violation> => {
    const waiting = world.processes.flatMap(({ callers }) => callers).length
    const turn = Turn.begin(client, world)
    Turn.observe(turn, { _tag: "Settled", waiting })
    if (world.faults === faults && world.processes.some(({ hasFailed }) => hasFailed)) {
      turn.violations.push({
        rule: "Every caller gets a result",
        observed: "a call failed although no fault was injected"
      })
    }
    return turn.violations
  }
