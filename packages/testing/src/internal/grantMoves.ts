/** All that may happen next in the world of a grant. */
import * as Invariants from "../Invariants.ts"
import * as GrantFaults from "./grantFaults.ts"
import * as GrantWorkers from "./grantWorkers.ts"
import * as GrantWorld from "./grantWorld.ts"
import type { Client, Worker, World } from "./grantWorld.ts"
import * as Processes from "./processes.ts"

const { noAnswer, silent } = Processes

// -----------------------------------------------------------------------------
// Time
// -----------------------------------------------------------------------------

const pass = (world: World): ReadonlyArray<GrantWorkers.GrantMove> => {
  const { state } = world.grant
  const instants: Array<number> = []
  if (state._tag === "Refreshing") instants.push(state.lease.deadline)
  if (state._tag === "Active") instants.push(state.notBefore)
  for (const { doing } of world.workers) {
    if (doing._tag === "Waiting") instants.push(doing.until)
    if (doing._tag === "Sending") instants.push(doing.command.deadline)
    if (doing._tag === "InFlight") instants.push(doing.until)
  }
  return Processes.pass(world, instants, state._tag === "Absent" ? Infinity : state.tokens.expiresAt)
}

// -----------------------------------------------------------------------------
// All of it
// -----------------------------------------------------------------------------

// The server acts whether or not the worker that asked is at work.
const arrivals = (world: World, worker: Worker): ReadonlyArray<GrantWorkers.GrantMove> => {
  const { doing } = worker
  if (doing._tag !== "InFlight" || doing.answer !== undefined) return []
  const { response, world: next } = GrantWorld.arrive(world, doing.command)
  const label = `the server answers ${worker.name} with ${response.status}`
  return [silent(label, Processes.put(next, { ...worker, doing: { ...doing, answer: response } }))]
}

const strays = (world: World): ReadonlyArray<GrantWorkers.GrantMove> =>
  world.strays.flatMap((command, index) => {
    const rest = { ...world, strays: world.strays.toSpliced(index, 1) }
    return [
      silent("a stray request reaches the server", GrantWorld.arrive(rest, command).world),
      silent("a stray request is lost", rest)
    ]
  })

// A request whose last moment has come, while its process slept or others waited, may be answered or cut off.
const overslept = (client: Client, world: World, worker: Worker): ReadonlyArray<GrantWorkers.GrantMove> =>
  worker.doing._tag === "InFlight" && worker.doing.until <= world.now
    ? [GrantWorkers.conclude(client, `${worker.name} finds its request cut off`, world, worker, worker.doing, noAnswer)]
    : []

const read = (client: Client) => (world: World, worker: Worker) =>
  worker.doing._tag === "Asking" ? GrantWorkers.ask(client, world, worker, worker.doing)[0] : undefined

export const moves =
  (client: Client, kinds: GrantFaults.Kinds) =>
  (world: World): ReadonlyArray<GrantWorkers.GrantMove> => {
    const all: Array<GrantWorkers.GrantMove> = []
    for (const worker of world.workers) {
      all.push(...arrivals(world, worker))
      if (worker.isSuspended) all.push(Processes.resume(world, worker))
      else all.push(...GrantWorkers.byItself(client, world, worker), ...overslept(client, world, worker))
    }
    all.push(...strays(world), ...pass(world))
    if (world.faults > 0) {
      const weaker = { ...world, faults: world.faults - 1 }
      const faults = [
        ...world.workers.flatMap((worker) => GrantFaults.faultsOf(client, kinds, weaker, worker)),
        ...GrantFaults.fromOutside(client, kinds, weaker)
      ]
      all.push(...faults.map((move) => ({ ...move, isFault: true })))
    }
    return all.map((move) => Processes.readOn(move, read(client)))
  }

/** What is wrong with a world in which nothing happens any more. */
export const ending =
  (client: Client, faults: number) =>
  (world: World): ReadonlyArray<Invariants.Violation> => {
    const settled: Invariants.Observation = { _tag: "Settled", waiting: Processes.waiting(world) }
    return [...Invariants.observe(world.ledger, settled, client).violations, ...Processes.unexplained(world, faults)]
  }
