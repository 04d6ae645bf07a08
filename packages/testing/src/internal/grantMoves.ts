/**
 * All that may happen next in the world of a grant. Workers do what the library's interpreter does: load a record, step
 * its machine, write the result by compare-and-set, then carry the commands out. Everything between two of these steps
 * is a chance for somebody else.
 */
import type * as ConsentAttempt from "@zapier-workflow-auth/core/ConsentAttempt"
import type { TokenOutcome } from "@zapier-workflow-auth/core/TokenOutcome"
import * as Tokens from "@zapier-workflow-auth/core/Tokens"
import type * as UserGrant from "@zapier-workflow-auth/core/UserGrant"
import * as Redacted from "effect/Redacted"
import type { Move } from "../Explorer.ts"
import * as FakeHttp from "../FakeHttp.ts"
import * as Invariants from "../Invariants.ts"
import * as GrantWorld from "./grantWorld.ts"
import type { Activity, Client, Exchange, Input, Present, Task, Worker, World } from "./grantWorld.ts"
import * as Processes from "./processes.ts"

type Kinds = ReadonlySet<GrantWorld.FaultKind>

type GrantMove = Move<World, Invariants.Violation>

const { legal, noAnswer, silent } = Processes

/** The world after an observation, and what is wrong with it. */
const observed = (client: Client, label: string, world: World, observation: Invariants.Observation): GrantMove =>
  Processes.observed(
    (ledger: Invariants.Ledger, seen: Invariants.Observation) => Invariants.observe(ledger, seen, client),
    label,
    world,
    observation
  )

const idle: Activity = { _tag: "Idle" }

const toAsk = (task: Task, input: Input): Activity => ({ _tag: "Asking", task, input })

const demand = (task: Extract<Task, { _tag: "Call" }>): Activity =>
  toAsk(task, { on: "Grant", event: task.demand, isTooLate: false })

const finish = (worker: Worker, hasFailed: boolean): Worker => ({
  ...worker,
  calls: worker.calls - 1,
  hasFailed: worker.hasFailed || hasFailed,
  doing: idle
})

const call = (worker: Worker, access: Tokens.UsableAccess, task: Extract<Task, { _tag: "Call" }>): Worker => ({
  ...worker,
  doing: { _tag: "Calling", access, isReplay: task.demand._tag === "AccessTokenRejected" }
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

const afterGrantStep = (
  worker: Worker,
  task: Task,
  input: Extract<Input, { on: "Grant" }>,
  commands: ReadonlyArray<UserGrant.Command>,
  version: number
): Worker => {
  if (task._tag === "Callback") {
    const stored: Input = { on: "Attempt", event: { _tag: "GrantStored" } }
    return { ...worker, doing: toAsk(task, stored) }
  }
  let { access } = task
  let own: Present | undefined
  // A caller that has been answered does not hear of what becomes of the refresh.
  const fail = (isFailure: boolean) => (access === undefined ? finish(worker, isFailure) : call(worker, access, task))
  for (const command of commands) {
    switch (command._tag) {
      case "PresentRefreshToken":
        own = command
        break
      case "UseAccessToken":
        access ??= command.access
        break
      case "AwaitLease":
        return { ...worker, doing: { _tag: "Waiting", task, seen: version, until: command.until } }
      case "RequireReconnect":
        return fail(command.why !== "NeverConnected")
      case "AwaitTime":
        return fail(true)
      case "ReportFailure":
        if (!input.isTooLate) return fail(true)
    }
  }
  const now: Task = { ...task, access }
  if (own !== undefined) return { ...worker, doing: { _tag: "Sending", task: now, command: own } }
  return access === undefined ? { ...worker, doing: demand(now) } : call(worker, access, now)
}

const afterAttemptStep = (worker: Worker, task: Task, commands: ReadonlyArray<ConsentAttempt.Command>): Worker => {
  const exchange = commands.find((command) => command._tag === "ExchangeCode")
  return {
    ...worker,
    doing: exchange === undefined ? idle : { _tag: "Sending", task, command: exchange }
  }
}

// -----------------------------------------------------------------------------
// What a worker does by itself
// -----------------------------------------------------------------------------

const begin = (client: Client, world: World, worker: Worker): ReadonlyArray<GrantMove> => {
  const moves: Array<GrantMove> = []
  if (worker.calls > 0) {
    const task: Task = {
      _tag: "Call",
      demand: { _tag: "AccessTokenRequested", owner: Processes.ownerOf(worker) },
      access: undefined
    }
    moves.push(silent(`${worker.name} is asked for a call`, Processes.put(world, { ...worker, doing: demand(task) })))
  }
  const [callback, ...later] = world.callbacks
  if (callback !== undefined) {
    const { code, digest } = callback
    const task: Task = { _tag: "Callback", digest }
    const input: Input = {
      on: "Attempt",
      event: { _tag: "CodeReceived", stateDigest: digest, subject: "ada", code: Tokens.secret(code) }
    }
    const next = Processes.put({ ...world, callbacks: later }, { ...worker, doing: toAsk(task, input) })
    moves.push(observed(client, `${worker.name} gets a callback`, next, { _tag: "CodeArrived", code, at: world.now }))
  }
  return moves
}

const stepGrant = (
  client: Client,
  world: World,
  worker: Worker,
  task: Task,
  input: Extract<Input, { on: "Grant" }>
): GrantMove => {
  const { state, version } = world.grant
  const next = legal(client.grants.step(state, input.event, world.now))
  const presents = next.commands.some(({ _tag }) => _tag === "PresentRefreshToken")
  if (next.state === state || (presents && !client.claimsFirst)) {
    const label = `${worker.name} reads ${state._tag}, for ${input.event._tag}`
    return silent(label, Processes.put(world, afterGrantStep(worker, task, input, next.commands, version)))
  }
  const doing: Activity = { _tag: "Saving", task, input, expected: version, write: { on: "Grant", next } }
  const label = `${worker.name} reads ${state._tag}, and ${input.event._tag} makes it ${next.state._tag}`
  return silent(label, Processes.put(world, { ...worker, doing }))
}

const attemptOf = (world: World, task: Task) =>
  world.attempts.findIndex(({ state }) => task._tag === "Callback" && state.stateDigest === task.digest)

const stepAttempt = (
  client: Client,
  world: World,
  worker: Worker,
  task: Task,
  input: Extract<Input, { on: "Attempt" }>
): ReadonlyArray<GrantMove> => {
  const found = world.attempts[attemptOf(world, task)]
  if (found === undefined) return []
  const next = legal(client.attempts.step(found.state, input.event, world.now))
  const label = `${worker.name} finds the attempt ${found.state._tag}, for ${input.event._tag}`
  if (next.state === found.state) {
    return [silent(label, Processes.put(world, afterAttemptStep(worker, task, next.commands)))]
  }
  const doing: Activity = { _tag: "Saving", task, input, expected: found.version, write: { on: "Attempt", next } }
  return [silent(label, Processes.put(world, { ...worker, doing }))]
}

const ask = (
  client: Client,
  world: World,
  worker: Worker,
  { input, task }: Extract<Activity, { _tag: "Asking" }>
): ReadonlyArray<GrantMove> =>
  input.on === "Grant"
    ? [stepGrant(client, world, worker, task, input)]
    : stepAttempt(client, world, worker, task, input)

const save = (
  client: Client,
  world: World,
  worker: Worker,
  { expected, input, task, write }: Extract<Activity, { _tag: "Saving" }>
): GrantMove => {
  const index = write.on === "Grant" ? -1 : attemptOf(world, task)
  const slot = write.on === "Grant" ? world.grant : world.attempts[index]
  if (client.comparesVersions && slot?.version !== expected) {
    const retried = Processes.put(world, { ...worker, doing: toAsk(task, input) })
    return silent(`${worker.name} cannot write: the record has changed`, retried)
  }
  const version = (slot?.version ?? 0) + 1
  const label = `${worker.name} writes ${write.next.state._tag}`
  if (write.on === "Attempt") {
    const attempts = world.attempts.with(index, { version, state: write.next.state })
    return silent(label, Processes.put({ ...world, attempts }, afterAttemptStep(worker, task, write.next.commands)))
  }
  if (input.on !== "Grant") throw new Error("a write to the grant comes of an event of the grant")
  const { commands, state } = write.next
  const after = afterGrantStep(worker, task, input, commands, version)
  const next = Processes.put({ ...world, grant: { version, state } }, after)
  return observed(client, label, next, { _tag: "GrantStored", state, isAlive: GrantWorld.isAlive(world, state) })
}

// What became of a token request.
const conclude = (
  client: Client,
  label: string,
  world: World,
  worker: Worker,
  { command, task }: { readonly command: Present | Exchange; readonly task: Task },
  outcome: TokenOutcome,
  isTooLate = false
): GrantMove => {
  const owner = Processes.ownerOf(worker)
  if (command._tag === "PresentRefreshToken") {
    const { generation, lineage } = command
    const event = client.eventOfOutcome(outcome, { lineage, generation, owner }, world.now)
    const next = Processes.put(world, { ...worker, doing: toAsk(task, { on: "Grant", event, isTooLate }) })
    if (isTooLate) return silent(label, next)
    const refreshToken = GrantWorld.secretOf(command)
    return observed(client, label, next, { _tag: "RefreshAnswered", owner, refreshToken, at: world.now, outcome })
  }
  const input: Input =
    outcome._tag === "Granted"
      ? {
          on: "Grant",
          event: {
            _tag: "ConsentGranted",
            lineage: task._tag === "Callback" ? task.digest : "",
            tokens: outcome.tokens
          },
          isTooLate: false
        }
      : { on: "Attempt", event: { _tag: "ExchangeFailed", why: "OutcomeUnknown" } }
  const next = Processes.put(world, { ...worker, doing: toAsk(task, input) })
  return isTooLate ? silent(label, next) : observed(client, label, next, { _tag: "CodeAnswered", outcome })
}

const send = (
  client: Client,
  world: World,
  worker: Worker,
  doing: Extract<Activity, { _tag: "Sending" }>
): GrantMove => {
  const { command, task } = doing
  const { now } = world
  const left = command.deadline - now
  if (client.heedsDeadlines && left <= 0) {
    return conclude(
      client,
      `${worker.name} has no time left to send`,
      world,
      worker,
      doing,
      { _tag: "NotSent", code: "" },
      true
    )
  }
  const until = now + (client.heedsDeadlines ? Math.min(client.requestTimeout, left) : client.requestTimeout)
  const next = Processes.put(world, {
    ...worker,
    doing: { _tag: "InFlight", task, command, sentAt: now, until, answer: undefined }
  })
  const secret = GrantWorld.secretOf(command)
  return command._tag === "ExchangeCode"
    ? observed(client, `${worker.name} sends the code`, next, { _tag: "CodeSent", code: secret, at: now })
    : observed(client, `${worker.name} sends the refresh token`, next, {
        _tag: "RefreshSent",
        owner: Processes.ownerOf(worker),
        refreshToken: secret,
        at: now,
        until
      })
}

const callApi = (
  client: Client,
  world: World,
  worker: Worker,
  { access, isReplay }: Extract<Activity, { _tag: "Calling" }>
): GrantMove => {
  const status = GrantWorld.callApi(world, access)
  if (status !== 401)
    return silent(`${worker.name} calls the API: ${status}`, Processes.put(world, finish(worker, false)))
  const owner = Processes.ownerOf(worker)
  const accessToken = Redacted.value(access.accessToken)
  const { generation, lineage } = access
  const task: Task = {
    _tag: "Call",
    demand: { _tag: "AccessTokenRejected", lineage, generation, owner },
    access: undefined
  }
  const next = Processes.put(world, isReplay ? finish(worker, true) : { ...worker, doing: demand(task) })
  return observed(client, `${worker.name} calls the API: 401`, next, { _tag: "AccessRejected", owner, accessToken })
}

const byItself = (client: Client, world: World, worker: Worker): ReadonlyArray<GrantMove> => {
  const { doing } = worker
  switch (doing._tag) {
    case "Idle":
      return begin(client, world, worker)
    case "Asking":
      return ask(client, world, worker, doing)
    case "Saving":
      return [save(client, world, worker, doing)]
    case "Sending":
      return [send(client, world, worker, doing)]
    case "InFlight": {
      const { answer, sentAt } = doing
      if (answer === undefined) return []
      const outcome = GrantWorld.interpret(client, answer, sentAt, world.now)
      return [conclude(client, `${worker.name} is answered: ${outcome._tag}`, world, worker, doing, outcome)]
    }
    case "Waiting": {
      const { seen, task, until } = doing
      if (task._tag !== "Call" || (world.grant.version === seen && (world.now < until || !client.looksAgain))) return []
      return [silent(`${worker.name} looks again`, Processes.put(world, { ...worker, doing: demand(task) }))]
    }
    case "Calling":
      return [callApi(client, world, worker, doing)]
  }
}

// -----------------------------------------------------------------------------
// Faults
// -----------------------------------------------------------------------------

const crash = (client: Client, world: World, worker: Worker): ReadonlyArray<GrantMove> => {
  const { doing } = worker
  const restarted: Worker = { ...worker, life: worker.life + 1, isSuspended: false, doing: idle }
  const next = Processes.put(world, restarted)
  const ended: Invariants.Observation = { _tag: "ProcessEnded", owner: Processes.ownerOf(worker) }
  const gone = observed(client, `${worker.name} crashes`, next, ended)
  if (doing._tag !== "InFlight" || doing.answer !== undefined) return [gone]
  const strays = [...next.strays, doing.command]
  return [gone, observed(client, `${worker.name} crashes while its request is on its way`, { ...next, strays }, ended)]
}

type InFlight = Extract<Activity, { readonly _tag: "InFlight" }>

const losses = (client: Client, world: World, worker: Worker, doing: InFlight): ReadonlyArray<GrantMove> => {
  const lost = (label: string, world: World) => conclude(client, label, world, worker, doing, noAnswer)
  if (doing.answer !== undefined) return [lost(`the answer to ${worker.name} is lost`, world)]
  const strays = [...world.strays, doing.command]
  return [
    lost(`the request of ${worker.name} is lost`, world),
    lost(`the request of ${worker.name} is late, and taken for lost`, { ...world, strays })
  ]
}

const refused = (world: World, worker: Worker, doing: InFlight): ReadonlyArray<GrantMove> => {
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
const slow = (client: Client, world: World, worker: Worker): ReadonlyArray<GrantMove> => {
  const { doing } = worker
  const until = Processes.lastMoment(world, worker)
  if (doing._tag !== "InFlight" || until === undefined) return []
  const label = `${worker.name} waits ${until - world.now} ms, and gives the request up`
  return [conclude(client, label, { ...world, now: until }, worker, doing, noAnswer)]
}

// A process that has neither claimed nor sent anything leaves nothing behind.
const leavesTraces = ({ doing }: Worker) =>
  doing._tag === "Sending" ||
  doing._tag === "InFlight" ||
  (doing._tag === "Saving" && !(doing.input.on === "Grant" && doing.input.event._tag.startsWith("AccessToken")))

const faultsOf = (client: Client, kinds: Kinds, world: World, worker: Worker): ReadonlyArray<GrantMove> => {
  const { doing } = worker
  const moves: Array<GrantMove> = []
  if (kinds.has("crash") && leavesTraces(worker)) moves.push(...crash(client, world, worker))
  if (doing._tag === "InFlight") {
    if (kinds.has("loss")) moves.push(...slow(client, world, worker), ...losses(client, world, worker, doing))
    if (kinds.has("refusal") && doing.answer === undefined) moves.push(...refused(world, worker, doing))
  }
  if (kinds.has("standstill") && !worker.isSuspended && (leavesTraces(worker) || doing._tag === "Saving")) {
    const next = Processes.put(world, { ...worker, isSuspended: true })
    const owner = Processes.ownerOf(worker)
    moves.push(observed(client, `${worker.name} stands still`, next, { _tag: "ProcessSuspended", owner }))
  }
  return moves
}

const fromOutside = (client: Client, kinds: Kinds, world: World): ReadonlyArray<GrantMove> => {
  const { state, version } = world.grant
  const moves: Array<GrantMove> = []
  if (kinds.has("consent")) moves.push(silent("the user allows the app again", GrantWorld.consent(world)))
  if (state._tag === "Absent") return moves
  if (kinds.has("revocation")) {
    moves.push(silent("the user ends the app's access at Zapier", GrantWorld.revoke(world)))
  }
  if (kinds.has("disconnect")) {
    const next = legal(client.grants.step(state, { _tag: "Disconnected" }, world.now))
    const removed = { ...world, grant: { version: version + 1, state: next.state } }
    const stored: Invariants.Observation = { _tag: "GrantStored", state: next.state, isAlive: false }
    moves.push(observed(client, "the app disconnects the user", removed, stored))
  }
  return moves
}

// -----------------------------------------------------------------------------
// Time
// -----------------------------------------------------------------------------

const pass = (world: World): ReadonlyArray<GrantMove> => {
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
const arrivals = (world: World, worker: Worker): ReadonlyArray<GrantMove> => {
  const { doing } = worker
  if (doing._tag !== "InFlight" || doing.answer !== undefined) return []
  const { response, world: next } = GrantWorld.arrive(world, doing.command)
  const label = `the server answers ${worker.name} with ${response.status}`
  return [silent(label, Processes.put(next, { ...worker, doing: { ...doing, answer: response } }))]
}

const strays = (world: World): ReadonlyArray<GrantMove> =>
  world.strays.flatMap((command, index) => {
    const rest = { ...world, strays: world.strays.toSpliced(index, 1) }
    return [
      silent("a stray request reaches the server", GrantWorld.arrive(rest, command).world),
      silent("a stray request is lost", rest)
    ]
  })

// A request whose last moment has come, while its process slept or others waited, may be answered or cut off.
const overslept = (client: Client, world: World, worker: Worker): ReadonlyArray<GrantMove> =>
  worker.doing._tag === "InFlight" && worker.doing.until <= world.now
    ? [conclude(client, `${worker.name} finds its request cut off`, world, worker, worker.doing, noAnswer)]
    : []

const read = (client: Client) => (world: World, worker: Worker) =>
  worker.doing._tag === "Asking" ? ask(client, world, worker, worker.doing)[0] : undefined

export const moves =
  (client: Client, kinds: Kinds) =>
  (world: World): ReadonlyArray<GrantMove> => {
    const all: Array<GrantMove> = []
    for (const worker of world.workers) {
      all.push(...arrivals(world, worker))
      if (worker.isSuspended) all.push(Processes.resume(world, worker))
      else all.push(...byItself(client, world, worker), ...overslept(client, world, worker))
    }
    all.push(...strays(world), ...pass(world))
    if (world.faults > 0) {
      const weaker = { ...world, faults: world.faults - 1 }
      const faults = [
        ...world.workers.flatMap((worker) => faultsOf(client, kinds, weaker, worker)),
        ...fromOutside(client, kinds, weaker)
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
