/**
 * What workers do by themselves in the world of a grant, as the library's interpreter does it: load a record, step its
 * machine, write the result by compare-and-set, then carry the commands out. Everything between two of these steps is a
 * chance for somebody else.
 */
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import type { TokenOutcome } from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Redacted from "effect/Redacted"
import type { Move } from "../Explorer.ts"
import * as Invariants from "../Invariants.ts"
import * as GrantWorld from "./grantWorld.ts"
import type { Activity, Client, Exchange, Input, Present, Task, Worker, World } from "./grantWorld.ts"
import * as Processes from "./processes.ts"

export type GrantMove = Move<World, Invariants.Violation>

const { legal, silent } = Processes

/** The world after an observation, and what is wrong with it. */
export const observed = (client: Client, label: string, world: World, observation: Invariants.Observation): GrantMove =>
  Processes.observed(
    (ledger: Invariants.Ledger, seen: Invariants.Observation) => Invariants.observe(ledger, seen, client),
    label,
    world,
    observation
  )

export const idle: Activity = { _tag: "Idle" }

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

export const ask = (
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
export const conclude = (
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
    const { generation, family } = command
    const event = client.eventOfOutcome(outcome, { family, generation, owner }, world.now)
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
            family: task._tag === "Callback" ? task.digest : "",
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
  const { generation, family } = access
  const task: Task = {
    _tag: "Call",
    demand: { _tag: "AccessTokenRejected", family, generation, owner },
    access: undefined
  }
  const next = Processes.put(world, isReplay ? finish(worker, true) : { ...worker, doing: demand(task) })
  return observed(client, `${worker.name} calls the API: 401`, next, { _tag: "AccessRejected", owner, accessToken })
}

export const byItself = (client: Client, world: World, worker: Worker): ReadonlyArray<GrantMove> => {
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
