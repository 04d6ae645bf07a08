/** What may go wrong in the world of a grant, and what users and the app may do to it meanwhile. */
import * as FakeHttp from "../FakeHttp.ts"
import type * as Invariants from "../Invariants.ts"
import * as GrantWorkers from "./grantWorkers.ts"
import * as GrantWorld from "./grantWorld.ts"
import type { Activity, Client, Worker, World } from "./grantWorld.ts"
import * as Processes from "./processes.ts"

export type Kinds = ReadonlySet<GrantWorld.FaultKind>

const { legal, noAnswer, silent } = Processes

const crash = (client: Client, world: World, worker: Worker): ReadonlyArray<GrantWorkers.GrantMove> => {
  const { doing } = worker
  const restarted: Worker = { ...worker, life: worker.life + 1, isSuspended: false, doing: GrantWorkers.idle }
  const next = Processes.put(world, restarted)
  const ended: Invariants.Observation = { _tag: "ProcessEnded", owner: Processes.ownerOf(worker) }
  const gone = GrantWorkers.observed(client, `${worker.name} crashes`, next, ended)
  if (doing._tag !== "InFlight" || doing.answer !== undefined) return [gone]
  const strays = [...next.strays, doing.command]
  return [
    gone,
    GrantWorkers.observed(client, `${worker.name} crashes while its request is on its way`, { ...next, strays }, ended)
  ]
}

type InFlight = Extract<Activity, { readonly _tag: "InFlight" }>

const losses = (
  client: Client,
  world: World,
  worker: Worker,
  doing: InFlight
): ReadonlyArray<GrantWorkers.GrantMove> => {
  const lost = (label: string, world: World) => GrantWorkers.conclude(client, label, world, worker, doing, noAnswer)
  if (doing.answer !== undefined) return [lost(`the answer to ${worker.name} is lost`, world)]
  const strays = [...world.strays, doing.command]
  return [
    lost(`the request of ${worker.name} is lost`, world),
    lost(`the request of ${worker.name} is late, and taken for lost`, { ...world, strays })
  ]
}

const refused = (world: World, worker: Worker, doing: InFlight): ReadonlyArray<GrantWorkers.GrantMove> => {
  const answerWith = (label: string, world: World, answer: FakeHttp.FakeResponse) =>
    silent(label, Processes.put(world, { ...worker, doing: { ...doing, answer } }))
  const acted = GrantWorld.arrive(world, doing.command).world
  return [
    ...Processes.refusals.map((answer) =>
      answerWith(`the server refuses ${worker.name} with ${answer.status}`, world, answer)
    ),
    answerWith(
      `the server acts for ${worker.name}, and answers with 503`,
      acted,
      FakeHttp.json(503, { error: "server_error" })
    )
  ]
}

// The last moment before a request is cut off has come, and there is no whole answer.
const slow = (client: Client, world: World, worker: Worker): ReadonlyArray<GrantWorkers.GrantMove> => {
  const { doing } = worker
  const until = Processes.lastMoment(world, worker)
  if (doing._tag !== "InFlight" || until === undefined) return []
  const label = `${worker.name} waits ${until - world.now} ms, and gives the request up`
  return [GrantWorkers.conclude(client, label, { ...world, now: until }, worker, doing, noAnswer)]
}

// A process that has neither claimed nor sent anything leaves nothing behind.
const leavesTraces = ({ doing }: Worker) =>
  doing._tag === "Sending" ||
  doing._tag === "InFlight" ||
  (doing._tag === "Saving" && !(doing.input.on === "Grant" && doing.input.event._tag.startsWith("AccessToken")))

export const faultsOf = (
  client: Client,
  kinds: Kinds,
  world: World,
  worker: Worker
): ReadonlyArray<GrantWorkers.GrantMove> => {
  const { doing } = worker
  const moves: Array<GrantWorkers.GrantMove> = []
  if (kinds.has("crash") && leavesTraces(worker)) moves.push(...crash(client, world, worker))
  if (doing._tag === "InFlight") {
    if (kinds.has("loss")) moves.push(...slow(client, world, worker), ...losses(client, world, worker, doing))
    if (kinds.has("refusal") && doing.answer === undefined) moves.push(...refused(world, worker, doing))
  }
  if (kinds.has("standstill") && !worker.isSuspended && (leavesTraces(worker) || doing._tag === "Saving")) {
    const next = Processes.put(world, { ...worker, isSuspended: true })
    const owner = Processes.ownerOf(worker)
    moves.push(GrantWorkers.observed(client, `${worker.name} stands still`, next, { _tag: "ProcessSuspended", owner }))
  }
  return moves
}

export const fromOutside = (client: Client, kinds: Kinds, world: World): ReadonlyArray<GrantWorkers.GrantMove> => {
  const { state, version } = world.grant
  const moves: Array<GrantWorkers.GrantMove> = []
  if (kinds.has("consent")) moves.push(silent("the user allows the app again", GrantWorld.consent(world)))
  if (state._tag === "Absent") return moves
  if (kinds.has("revocation")) {
    moves.push(silent("the user ends the app's access at Zapier", GrantWorld.revoke(world)))
  }
  if (kinds.has("disconnect")) {
    const next = legal(client.grants.step(state, { _tag: "Disconnected" }, world.now))
    const removed = { ...world, grant: { version: version + 1, state: next.state } }
    const stored: Invariants.Observation = { _tag: "GrantStored", state: next.state, isAlive: false }
    moves.push(GrantWorkers.observed(client, "the app disconnects the user", removed, stored))
  }
  return moves
}
