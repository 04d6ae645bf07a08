/**
 * All that may happen next in the world of an app's token. Workers do what the library's interpreter does: load the
 * record, step its machine, write the result by compare-and-set, then carry the commands out. Everything between two of
 * these steps is a chance for somebody else.
 */
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as HashMap from "effect/HashMap"
import * as Redacted from "effect/Redacted"
import * as AppInvariants from "../AppInvariants.ts"
import type { Move } from "../Explorer.ts"
import * as FakeControl from "../FakeControl.ts"
import type { Violation } from "../Invariants.ts"
import type { Activity, Client, Input, Task, Worker, World } from "./appWorld.ts"
import * as AppWorld from "./appWorld.ts"
import * as Processes from "./processes.ts"

type Kinds = ReadonlySet<AppWorld.FaultKind>

type AppMove = Move<World, Violation>

type Doing<Tag extends Activity["_tag"]> = Extract<Activity, { readonly _tag: Tag }>

const { legal, noAnswer, ownerOf, put, silent } = Processes

/** The world after an observation, and what is wrong with it. */
const observed = (client: Client, label: string, world: World, observation: AppInvariants.Observation): AppMove =>
  Processes.observed(
    (ledger: AppInvariants.Ledger, seen: AppInvariants.Observation) => AppInvariants.observe(ledger, seen, client),
    label,
    world,
    observation
  )

const demand = (task: Task): Activity => ({ _tag: "Asking", task, input: { event: task.demand, isTooLate: false } })

const toCall = (demand: AppCredential.Event): Activity => ({
  _tag: "Asking",
  task: { demand, access: undefined },
  input: { event: demand, isTooLate: false }
})

const finish = (worker: Worker, hasFailed: boolean): Worker => ({
  ...worker,
  calls: worker.calls - 1,
  hasFailed: worker.hasFailed || hasFailed,
  doing: { _tag: "Idle" }
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

const afterStep = (
  worker: Worker,
  task: Task,
  input: Input,
  commands: ReadonlyArray<AppCredential.Command>,
  version: number
): Worker => {
  let { access } = task
  let own: AppWorld.Request | undefined
  const isReplay = task.demand._tag === "AccessTokenRejected"
  // A caller that has been answered does not hear of what becomes of the request.
  const answerOr = (otherwise: Worker): Worker =>
    access === undefined ? otherwise : { ...worker, doing: { _tag: "Calling", access, isReplay } }
  for (const command of commands) {
    switch (command._tag) {
      case "RequestToken":
        own = command
        break
      case "UseAccessToken":
        access ??= command.access
        break
      case "AwaitLease":
        return { ...worker, doing: { _tag: "Waiting", task, seen: version, until: command.until } }
      case "AwaitTime":
        return answerOr(finish(worker, true))
      case "ReportFailure":
        if (!input.isTooLate) return answerOr(finish(worker, true))
    }
  }
  if (own !== undefined) return { ...worker, doing: { _tag: "Sending", task: { ...task, access }, command: own } }
  return answerOr({ ...worker, doing: demand(task) })
}

// -----------------------------------------------------------------------------
// What a worker does by itself
// -----------------------------------------------------------------------------

const ask = (client: Client, world: World, worker: Worker, { input, task }: Doing<"Asking">): AppMove => {
  const { state, version } = world.record
  const next = legal(client.machine.step(state, input.event, world.now))
  const requests = next.commands.some(({ _tag }) => _tag === "RequestToken")
  if (next.state === state || (requests && !client.claimsFirst)) {
    const label = `${worker.name} reads ${state._tag}, for ${input.event._tag}`
    return silent(label, put(world, afterStep(worker, task, input, next.commands, version)))
  }
  const doing: Activity = { _tag: "Saving", task, input, expected: version, next }
  const label = `${worker.name} reads ${state._tag}, and ${input.event._tag} makes it ${next.state._tag}`
  return silent(label, put(world, { ...worker, doing }))
}

const save = (client: Client, world: World, worker: Worker, doing: Doing<"Saving">): AppMove => {
  const { expected, input, next, task } = doing
  if (client.comparesVersions && world.record.version !== expected) {
    const retried = put(world, { ...worker, doing: { _tag: "Asking", task, input } })
    return silent(`${worker.name} cannot write: the record has changed`, retried)
  }
  const { commands, state } = next
  const version = world.record.version + 1
  const after = afterStep(worker, task, input, commands, version)
  const written = put({ ...world, record: { version, state } }, after)
  return observed(client, `${worker.name} writes ${state._tag}`, written, { _tag: "TokenStored", state })
}

// The worker goes on with what became of its token request.
const report = (
  world: World,
  worker: Worker,
  { command, task }: Pick<Doing<"Sending">, "command" | "task">,
  outcome: TokenOutcome.TokenOutcome,
  isTooLate: boolean
): World => {
  const { generation } = command
  const notBefore = TokenOutcome.notBefore(outcome, world.now)
  const event: AppCredential.Event =
    outcome._tag === "Granted"
      ? { _tag: "TokenGranted", generation, tokens: outcome.tokens }
      : { _tag: "RequestFailed", owner: ownerOf(worker), generation, notBefore }
  return put(world, { ...worker, doing: { _tag: "Asking", task, input: { event, isTooLate } } })
}

// An answer is there, or will not come.
const conclude = (
  client: Client,
  label: string,
  world: World,
  worker: Worker,
  doing: Doing<"InFlight">,
  outcome: TokenOutcome.TokenOutcome
): AppMove =>
  observed(client, label, report(world, worker, doing, outcome, false), {
    _tag: "TokenAnswered",
    owner: ownerOf(worker),
    at: world.now,
    outcome
  })

const send = (client: Client, world: World, worker: Worker, doing: Doing<"Sending">): AppMove => {
  const { command, task } = doing
  const { now } = world
  const left = command.deadline - now
  if (client.heedsDeadlines && left <= 0) {
    const label = `${worker.name} has no time left to send`
    return silent(label, report(world, worker, doing, { _tag: "NotSent", code: "" }, true))
  }
  const until = now + (client.heedsDeadlines ? Math.min(client.requestTimeout, left) : client.requestTimeout)
  const sent: Activity = { _tag: "InFlight", task, command, sentAt: now, until, answer: undefined }
  return observed(client, `${worker.name} asks for a token`, put(world, { ...worker, doing: sent }), {
    _tag: "TokenAsked",
    owner: ownerOf(worker),
    at: now,
    until
  })
}

const callApi = (client: Client, world: World, worker: Worker, { access, isReplay }: Doing<"Calling">): AppMove => {
  const status = AppWorld.callApi(world, access)
  const label = `${worker.name} calls the API: ${status}`
  if (status !== 401) return silent(label, put(world, finish(worker, false)))
  const owner = ownerOf(worker)
  const doing = toCall({ _tag: "AccessTokenRejected", owner, generation: access.generation })
  const next = put(world, isReplay ? finish(worker, true) : { ...worker, doing })
  const accessToken = Redacted.value(access.accessToken)
  return observed(client, label, next, { _tag: "AccessRejected", owner, accessToken })
}

const byItself = (client: Client, world: World, worker: Worker): ReadonlyArray<AppMove> => {
  const { doing } = worker
  switch (doing._tag) {
    case "Idle": {
      if (worker.calls === 0) return []
      const asked = toCall({ _tag: "AccessTokenRequested", owner: ownerOf(worker) })
      return [silent(`${worker.name} is asked for a call`, put(world, { ...worker, doing: asked }))]
    }
    case "Asking":
      return [ask(client, world, worker, doing)]
    case "Saving":
      return [save(client, world, worker, doing)]
    case "Sending":
      return [send(client, world, worker, doing)]
    case "InFlight": {
      const { answer, sentAt, until } = doing
      const moves: Array<AppMove> = []
      if (answer !== undefined) {
        const outcome = AppWorld.interpret(client, answer, sentAt, world.now)
        moves.push(conclude(client, `${worker.name} is answered: ${outcome._tag}`, world, worker, doing, outcome))
      }
      // Its last moment has come, while its process slept or others waited: it may be answered or cut off.
      if (until <= world.now) {
        moves.push(conclude(client, `${worker.name} finds its request cut off`, world, worker, doing, noAnswer))
      }
      return moves
    }
    case "Waiting": {
      const { seen, task, until } = doing
      if (world.record.version === seen && (world.now < until || !client.looksAgain)) return []
      return [silent(`${worker.name} looks again`, put(world, { ...worker, doing: demand(task) }))]
    }
    case "Calling":
      return [callApi(client, world, worker, doing)]
  }
}

// The server acts whether or not the worker that asked is at work.
const arrivals = (world: World, worker: Worker): ReadonlyArray<AppMove> => {
  const { doing } = worker
  if (doing._tag !== "InFlight" || doing.answer !== undefined) return []
  const { answer, world: next } = AppWorld.arrive(world, doing.command)
  const label = `the server answers ${worker.name} with ${answer.response.status}`
  return [silent(label, put(next, { ...worker, doing: { ...doing, answer } }))]
}

// -----------------------------------------------------------------------------
// Faults
// -----------------------------------------------------------------------------

const losses = (client: Client, world: World, worker: Worker, doing: Doing<"InFlight">): ReadonlyArray<AppMove> => {
  const lost = doing.answer === undefined ? "request" : "answer"
  const moves = [conclude(client, `the ${lost} of ${worker.name} is lost`, world, worker, doing, noAnswer)]
  const until = Processes.lastMoment(world, worker)
  if (until === undefined) return moves
  const label = `${worker.name} waits ${until - world.now} ms, and gives the request up`
  return [...moves, conclude(client, label, { ...world, now: until }, worker, doing, noAnswer)]
}

const refused = (world: World, worker: Worker, doing: Doing<"InFlight">): ReadonlyArray<AppMove> =>
  Processes.refusals.map((response) => {
    const answer = { response, accessToken: undefined }
    const label = `the server refuses ${worker.name} with ${response.status}`
    return silent(label, put(world, { ...worker, doing: { ...doing, answer } }))
  })

// A process that has neither claimed nor sent anything leaves nothing behind.
const leavesTraces = ({ doing }: Worker) =>
  doing._tag === "Sending" ||
  doing._tag === "InFlight" ||
  (doing._tag === "Saving" && !doing.input.event._tag.startsWith("AccessToken"))

const faultsOf = (client: Client, kinds: Kinds, world: World, worker: Worker): ReadonlyArray<AppMove> => {
  const { doing } = worker
  const owner = ownerOf(worker)
  const moves: Array<AppMove> = []
  if (kinds.has("crash") && leavesTraces(worker)) {
    const restarted: Worker = { ...worker, life: worker.life + 1, isSuspended: false, doing: { _tag: "Idle" } }
    moves.push(observed(client, `${worker.name} crashes`, put(world, restarted), { _tag: "ProcessEnded", owner }))
  }
  if (doing._tag === "InFlight") {
    if (kinds.has("loss")) moves.push(...losses(client, world, worker, doing))
    if (kinds.has("refusal") && doing.answer === undefined) moves.push(...refused(world, worker, doing))
  }
  if (kinds.has("standstill") && !worker.isSuspended && (leavesTraces(worker) || doing._tag === "Saving")) {
    const next = put(world, { ...worker, isSuspended: true })
    moves.push(observed(client, `${worker.name} stands still`, next, { _tag: "ProcessSuspended", owner }))
  }
  return moves
}

const endings = (world: World): ReadonlyArray<AppMove> =>
  [...AppWorld.heldTokens(world)]
    .filter((token) => HashMap.has(world.server.appTokens, token))
    .map((token) =>
      silent(`the server ends the token ${world.names[token]}`, {
        ...world,
        server: FakeControl.endAccessToken(world.server, token)
      })
    )

// -----------------------------------------------------------------------------
// All of it
// -----------------------------------------------------------------------------

const pass = (world: World): ReadonlyArray<AppMove> => {
  const { state } = world.record
  const instants = [state._tag === "Requesting" ? state.lease.deadline : state.notBefore]
  for (const { doing } of world.workers) {
    if (doing._tag === "Sending") instants.push(doing.command.deadline)
    if (doing._tag === "Waiting" || doing._tag === "InFlight") instants.push(doing.until)
  }
  const expiresAt = state._tag === "Absent" ? undefined : state.access?.expiresAt
  return Processes.pass(world, instants, expiresAt ?? Infinity)
}

const read = (client: Client) => (world: World, worker: Worker) =>
  worker.doing._tag === "Asking" ? ask(client, world, worker, worker.doing) : undefined

export const moves =
  (client: Client, kinds: Kinds) =>
  (world: World): ReadonlyArray<AppMove> => {
    const all: Array<AppMove> = []
    for (const worker of world.workers) {
      all.push(...arrivals(world, worker))
      if (worker.isSuspended) all.push(Processes.resume(world, worker))
      else all.push(...byItself(client, world, worker))
    }
    all.push(...pass(world))
    if (world.faults > 0) {
      const weaker = { ...world, faults: world.faults - 1 }
      const faults = weaker.workers.flatMap((worker) => faultsOf(client, kinds, weaker, worker))
      if (kinds.has("endedToken")) faults.push(...endings(weaker))
      all.push(...faults.map((move) => ({ ...move, isFault: true })))
    }
    return all.map((move) => Processes.readOn(move, read(client)))
  }

/** What is wrong with a world in which nothing happens any more. */
export const ending =
  (client: Client, faults: number) =>
  (world: World): ReadonlyArray<Violation> => {
    const settled: AppInvariants.Observation = { _tag: "Settled", waiting: Processes.waiting(world) }
    return [...AppInvariants.observe(world.ledger, settled, client).violations, ...Processes.unexplained(world, faults)]
  }
