/** The world of one app's token: workers of several processes, a store, the fake, and what is under way between them. */
import * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as Machine from "@zapier-workflow-auth/core/machine/Machine"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as HashMap from "effect/HashMap"
import * as Redacted from "effect/Redacted"
import * as AppInvariants from "../AppInvariants.ts"
import * as FakeControl from "../FakeControl.ts"
import type * as FakeHttp from "../FakeHttp.ts"
import * as FakeServer from "../FakeServer.ts"
import type * as FakeState from "../FakeState.ts"
import * as FakeClient from "./fakeClient.ts"
import * as Processes from "./processes.ts"

/**
 * What is explored: the machine, and how it is carried out.
 *
 * @since 0.1.0
 */
export interface Client {
  readonly machine: Machine.Machine<AppCredential.State, AppCredential.Event, AppCredential.Command>
  /** In milliseconds. */
  readonly requestTimeout: number
  readonly expiryMargin: number
  /** Whether the right to ask is stored before the request is sent. */
  readonly claimsFirst: boolean
  /** Whether a write expects the version that was read. */
  readonly comparesVersions: boolean
  /** Whether requests are cut off before their deadline, and not sent after it. */
  readonly heedsDeadlines: boolean
  /** Whether a waiter looks again when another's lease has ended; else only when the record has changed. */
  readonly looksAgain: boolean
  /** Whether a token's time counts from the start of its request; else from the answer. */
  readonly countsFromStart: boolean
}

export type Request = Extract<AppCredential.Command, { readonly _tag: "RequestToken" }>

/** An API call, with the access that it was answered with so far. */
export interface Task {
  readonly demand: AppCredential.Event
  readonly access: Tokens.UsableAccess | undefined
}

/** An event for the machine. `isTooLate`: it tells of a request that was not even sent. */
export interface Input {
  readonly event: AppCredential.Event
  readonly isTooLate: boolean
}

/** The server's answer, and the token in it. */
export interface Answer {
  readonly response: FakeHttp.FakeResponse
  readonly accessToken: string | undefined
}

/**
 * - `Idle`: between calls.
 * - `Asking`: about to load the record and step the machine.
 * - `Saving`: has stepped it, and is about to write the result.
 * - `Sending`: about to send a token request.
 * - `InFlight`: waits for the answer; without one, the request is still on its way to the server.
 * - `Waiting`: looks at the record now and then until another's lease ends.
 * - `Calling`: about to call the API.
 */
export type Activity =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Asking"; readonly task: Task; readonly input: Input }
  | {
      readonly _tag: "Saving"
      readonly task: Task
      readonly input: Input
      readonly expected: number
      readonly next: Machine.Next<AppCredential.State, AppCredential.Command>
    }
  | { readonly _tag: "Sending"; readonly task: Task; readonly command: Request }
  | {
      readonly _tag: "InFlight"
      readonly task: Task
      readonly command: Request
      readonly sentAt: number
      readonly until: number
      readonly answer: Answer | undefined
    }
  | { readonly _tag: "Waiting"; readonly task: Task; readonly seen: number; readonly until: number }
  | { readonly _tag: "Calling"; readonly access: Tokens.UsableAccess; readonly isReplay: boolean }

export type Worker = Processes.Worker<Activity>

/**
 * All that there is at one moment: the server, the store, the workers, and what was seen of them.
 *
 * @since 0.1.0
 */
export interface World {
  readonly now: number
  readonly server: FakeState.FakeState
  readonly record: { readonly version: number; readonly state: AppCredential.State }
  readonly workers: ReadonlyArray<Worker>
  /** How many faults may still happen. */
  readonly faults: number
  /** How often a token may still come to its end. */
  readonly expiries: number
  readonly ledger: AppInvariants.Ledger
  /** Tokens by the generation that they were asked for, so that the order of drawing makes no difference. */
  readonly names: { readonly [token: string]: string }
}

/**
 * - `crash`: a process ends and another takes its place
 * - `loss`: a request or an answer is lost, or takes too long
 * - `refusal`: the server answers 429, 503 or `invalid_client`
 * - `standstill`: a process is suspended for longer than its lease
 * - `endedToken`: the server ends an access token before its time
 *
 * @since 0.1.0
 */
export type FaultKind = "crash" | "loss" | "refusal" | "standstill" | "endedToken"

// -----------------------------------------------------------------------------
// The server
// -----------------------------------------------------------------------------

const scopes = ["promotions:write"]

// For the call that all workers make.
const enrollment: FakeState.Enrollment = {
  id: "1",
  promotionId: "promotion",
  clientId: FakeClient.clientId,
  userId: 1_001,
  enrolledAt: 0
}

const enrollments = HashMap.make([enrollment.id, enrollment])

/** The server acts on a token request. */
export const arrive = (world: World, { generation }: Pick<Request, "generation">) => {
  const request = FakeClient.tokenRequest({ _tag: "ClientCredentials", scopes })
  const { issued, response, state } = FakeServer.handle(world.server, request, world.now)
  const accessToken = issued?.accessToken
  const siblings = Object.values(world.names).filter((name) => name.startsWith(`${generation}t`)).length
  const names = accessToken === undefined ? world.names : { ...world.names, [accessToken]: `${generation}t${siblings}` }
  return { world: { ...world, server: state, names }, answer: { response, accessToken } satisfies Answer }
}

export const interpret = (client: Client, { response }: Answer, startedAt: number, now: number) =>
  TokenOutcome.interpret(response, { scopes, startedAt: client.countsFromStart ? startedAt : now, now })

/** The API's answer to a call with this access token. */
export const callApi = ({ now, server }: World, access: Tokens.UsableAccess): number =>
  FakeClient.callApi(server, ["DELETE", "/v2/promotions/1"], access, now)

// -----------------------------------------------------------------------------
// Who holds which token
// -----------------------------------------------------------------------------

const ofEvent = (event: AppCredential.Event) => (event._tag === "TokenGranted" ? event.tokens : undefined)

const ofWorker = ({ doing }: Worker): ReadonlyArray<Tokens.Access | undefined> => {
  switch (doing._tag) {
    case "Idle":
      return []
    case "Asking":
    case "Saving":
      return [doing.task.access, ofEvent(doing.input.event)]
    case "Calling":
      return [doing.access]
    default:
      return [doing.task.access]
  }
}

/** The tokens that somebody has or is about to get: what becomes of the others makes no difference. */
export const heldTokens = ({ record, workers }: World): ReadonlySet<string> => {
  const accesses = [record.state._tag === "Absent" ? undefined : record.state.access, ...workers.flatMap(ofWorker)]
  const held = new Set(accesses.flatMap((access) => (access === undefined ? [] : [Redacted.value(access.accessToken)])))
  for (const { doing } of workers) {
    if (doing._tag === "InFlight" && doing.answer?.accessToken !== undefined) held.add(doing.answer.accessToken)
  }
  return held
}

// -----------------------------------------------------------------------------
// Beginnings
// -----------------------------------------------------------------------------

const start = 1_000_000_000

const withoutToken = (size: Processes.Size): World => ({
  now: start,
  server: { ...FakeClient.register({}), enrollments },
  record: { version: 0, state: AppCredential.absent },
  workers: Processes.make<Activity>(size, { _tag: "Idle" }),
  faults: size.faults,
  expiries: 1,
  ledger: AppInvariants.empty,
  names: {}
})

const withToken = (client: Client, size: Processes.Size) => {
  const { answer, world } = arrive(withoutToken(size), { generation: 0 })
  const outcome = interpret(client, answer, start, start)
  if (outcome._tag !== "Granted") throw new Error("the first request must succeed")
  const { tokens } = outcome
  const granted = client.machine.step(AppCredential.absent, { _tag: "TokenGranted", generation: 0, tokens }, start)
  const { state } = Processes.legal(granted)
  const ledger: AppInvariants.Ledger = { ...AppInvariants.empty, record: state, expiresAt: tokens.expiresAt }
  return { tokens, world: { ...world, record: { version: 1, state }, ledger } }
}

/** Where an exploration begins: for each way in which a token comes to be asked for. */
export const beginnings = (client: Client, size: Processes.Size) => {
  const { tokens, world } = withToken(client, size)
  const { accessToken, expiresAt } = tokens
  return [
    { label: "there is no token yet", world: withoutToken(size) },
    { label: "the token has expired", world: { ...world, now: expiresAt } },
    { label: "the token is about to expire", world: { ...world, now: expiresAt - client.expiryMargin } },
    {
      label: "the server has ended the token",
      world: { ...world, server: FakeControl.endAccessToken(world.server, Redacted.value(accessToken)) }
    }
  ]
}
