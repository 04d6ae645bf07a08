/** The world of one grant: workers of several processes, a store, the fake, and what is under way between them. */
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import type * as Machine from "@zapier-workflow-auth/core/machine/Machine"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as FakeControl from "../FakeControl.ts"
import type * as FakeHttp from "../FakeHttp.ts"
import * as FakeServer from "../FakeServer.ts"
import type * as FakeState from "../FakeState.ts"
import * as Invariants from "../Invariants.ts"
import * as FakeClient from "./fakeClient.ts"
import * as Lookup from "./lookup.ts"
import * as Processes from "./processes.ts"

/**
 * What is explored: the machines, and how they are carried out.
 *
 * @since 0.1.0
 */
export interface Client {
  readonly grants: Machine.Machine<UserGrant.State, UserGrant.Event, UserGrant.Command>
  readonly attempts: Machine.Machine<ConsentAttempt.State, ConsentAttempt.Event, ConsentAttempt.Command>
  /** What the outcome of a refresh means. */
  readonly eventOfOutcome: typeof UserGrant.eventOfOutcome
  /** In milliseconds. */
  readonly requestTimeout: number
  readonly expiryMargin: number
  /** Whether the right to refresh is stored before the request is sent. */
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

export type Present = Extract<UserGrant.Command, { readonly _tag: "PresentRefreshToken" }>
export type Exchange = Extract<ConsentAttempt.Command, { readonly _tag: "ExchangeCode" }>

/** What a worker is after: an API call, with what it was answered so far, or the handling of a callback. */
export type Task =
  | { readonly _tag: "Call"; readonly demand: UserGrant.Event; readonly access: Tokens.UsableAccess | undefined }
  | { readonly _tag: "Callback"; readonly digest: string }

/** An event for one of the two machines. */
export type Input =
  | { readonly on: "Grant"; readonly event: UserGrant.Event; readonly isTooLate: boolean }
  | { readonly on: "Attempt"; readonly event: ConsentAttempt.Event }

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
      readonly write: Write
    }
  | { readonly _tag: "Sending"; readonly task: Task; readonly command: Present | Exchange }
  | {
      readonly _tag: "InFlight"
      readonly task: Task
      readonly command: Present | Exchange
      readonly sentAt: number
      readonly until: number
      readonly answer: FakeHttp.FakeResponse | undefined
    }
  | { readonly _tag: "Waiting"; readonly task: Task; readonly seen: number; readonly until: number }
  | { readonly _tag: "Calling"; readonly access: Tokens.UsableAccess; readonly isReplay: boolean }

export type Write =
  | { readonly on: "Grant"; readonly next: Machine.Next<UserGrant.State, UserGrant.Command> }
  | { readonly on: "Attempt"; readonly next: Machine.Next<ConsentAttempt.State, ConsentAttempt.Command> }

export type Worker = Processes.Worker<Activity>

interface Slot<S> {
  readonly version: number
  readonly state: S
}

export interface Callback {
  readonly digest: string
  readonly code: string
}

/**
 * All that there is at one moment: the server, the store, the workers, and what was seen of them.
 *
 * @since 0.1.0
 */
export interface World {
  readonly now: number
  readonly server: FakeState.FakeState
  readonly grant: Slot<UserGrant.State>
  readonly attempts: ReadonlyArray<Slot<ConsentAttempt.State>>
  readonly workers: ReadonlyArray<Worker>
  /** Requests that nobody waits for, and that may still reach the server. */
  readonly strays: ReadonlyArray<Present | Exchange>
  /** Callbacks that are about to arrive. */
  readonly callbacks: ReadonlyArray<Callback>
  /** How many faults may still happen. */
  readonly faults: number
  /** How often an access token may still come to its end. */
  readonly expiries: number
  readonly ledger: Invariants.Ledger
  /** Tokens and codes by what they came from, so that the order of drawing makes no difference. */
  readonly names: { readonly [secret: string]: string }
}

/**
 * - `crash`: a process ends and another takes its place
 * - `loss`: a request or an answer is lost, late, or takes too long
 * - `refusal`: the server answers 429, 503 or `invalid_client`, or acts and answers 503
 * - `standstill`: a process is suspended for longer than its lease
 * - `consent`: the user allows the app again
 * - `revocation`: the user ends the app's access at Zapier
 * - `disconnect`: the app disconnects the user
 *
 * @since 0.1.0
 */
export type FaultKind = "crash" | "loss" | "refusal" | "standstill" | "consent" | "revocation" | "disconnect"

// -----------------------------------------------------------------------------
// The server
// -----------------------------------------------------------------------------

const { redirectUri } = FakeClient

const scopes = ["zap"]

const requestOf = (command: Present | Exchange): FakeHttp.FakeRequest =>
  FakeClient.tokenRequest(
    command._tag === "ExchangeCode"
      ? { ...command, _tag: "AuthorizationCode" }
      : { _tag: "Refresh", refreshToken: command.refreshToken, scopes: command.scopes }
  )

export const secretOf = (command: Present | Exchange): string =>
  Redacted.value(command._tag === "ExchangeCode" ? command.code : command.refreshToken)

/** The server acts on a token request. */
export const arrive = (world: World, command: Present | Exchange) => {
  const { issued, response, state } = FakeServer.handle(world.server, requestOf(command), world.now)
  const parent = world.names[secretOf(command)] ?? ""
  // Where refresh tokens are not rotated, one gives several access tokens.
  const siblings = Object.values(world.names).filter((name) => name.startsWith(`${parent}a`)).length
  const names =
    issued === undefined
      ? world.names
      : {
          ...world.names,
          [issued.accessToken]: `${parent}a${siblings || ""}`,
          ...(issued.refreshToken === undefined ? {} : { [issued.refreshToken]: `${parent}r` })
        }
  return { world: { ...world, server: state, names }, response }
}

export const interpret = (client: Client, answer: FakeHttp.FakeResponse, startedAt: number, now: number) =>
  TokenOutcome.interpret(answer, { scopes, startedAt: client.countsFromStart ? startedAt : now, now })

/** The API's answer to a call with this access token. */
export const callApi = ({ now, server }: World, access: Tokens.UsableAccess): number =>
  FakeClient.callApi(server, ["GET", "/v2/zaps"], access, now)

/** Whether the server would still take the refresh token of this state. */
export const isAlive = ({ now, server }: World, state: UserGrant.State): boolean => {
  if (state._tag === "Absent" || state.tokens.refreshToken === undefined) return false
  return Lookup.isAlive(server, Redacted.value(state.tokens.refreshToken), now)
}

/** A user allows the app: an attempt is pending, and the browser will deliver its callback twice. */
export const consent = (world: World): World => {
  const digest = `consent-${world.attempts.length + 1}`
  const url = new URL(ZapierUrls.production.authorize)
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: FakeClient.clientId,
    redirect_uri: redirectUri,
    scope: "zap",
    state: digest
  }).toString()
  const [location, server] = Result.getOrThrow(FakeControl.approve(world.server, url.href, {}, world.now))
  const code = new URL(location).searchParams.get("code") ?? ""
  const pending: ConsentAttempt.State = {
    _tag: "Pending",
    stateDigest: digest,
    subject: "ada",
    redirectUri,
    scopes,
    startedAt: world.now,
    expiresAt: world.now + 900_000
  }
  return {
    ...world,
    server,
    attempts: [...world.attempts, { version: 1, state: pending }],
    callbacks: [...world.callbacks, { digest, code }, { digest, code }],
    names: { ...world.names, [code]: `c${world.attempts.length + 1}` }
  }
}

/** The user ends the app's access in Zapier's settings. */
export const revoke = (world: World): World => ({
  ...world,
  server: Result.getOrThrow(FakeControl.revoke(world.server, { clientId: FakeClient.clientId }))
})

// -----------------------------------------------------------------------------
// Beginnings
// -----------------------------------------------------------------------------

const start = 1_000_000_000

const nobodyConnected = (size: Processes.Size, knobs: Partial<FakeState.Knobs>): World => ({
  now: start,
  server: FakeClient.register(knobs),
  grant: { version: 0, state: UserGrant.absent },
  attempts: [],
  workers: Processes.make<Activity>(size, { _tag: "Idle" }),
  strays: [],
  callbacks: [],
  faults: size.faults,
  expiries: 1,
  ledger: Invariants.empty,
  names: {}
})

const connected = (client: Client, size: Processes.Size, knobs: Partial<FakeState.Knobs>): World => {
  const asked = consent(nobodyConnected(size, knobs))
  const exchange: Exchange = {
    _tag: "ExchangeCode",
    code: Tokens.secret(asked.callbacks[0]?.code ?? ""),
    codeVerifier: undefined,
    redirectUri,
    scopes,
    subject: "ada",
    deadline: start
  }
  const { response, world } = arrive(asked, exchange)
  const outcome = TokenOutcome.interpret(response, { scopes, startedAt: start, now: start })
  if (outcome._tag !== "Granted") throw new Error("the first consent must succeed")
  const { state } = Result.getOrThrowWith(
    client.grants.step(
      UserGrant.absent,
      { _tag: "ConsentGranted", family: "consent-1", tokens: outcome.tokens },
      start
    ),
    () => new Error("the first consent must be legal")
  )
  const granted = Invariants.observe(Invariants.empty, { _tag: "CodeAnswered", outcome }, client).ledger
  const { ledger } = Invariants.observe(granted, { _tag: "GrantStored", state, isAlive: true }, client)
  const attempts = world.attempts.map(
    ({ state: { stateDigest, subject, redirectUri, scopes, startedAt, expiresAt } }) => ({
      version: 1,
      state: { _tag: "Completed" as const, stateDigest, subject, redirectUri, scopes, startedAt, expiresAt }
    })
  )
  return { ...world, grant: { version: 1, state }, attempts, callbacks: [], ledger }
}

/** Where an exploration begins: for each way in which a token comes to be renewed, and with a first consent. */
export const beginnings = (client: Client, size: Processes.Size, knobs: Partial<FakeState.Knobs>) => {
  const fresh = connected(client, size, knobs)
  const { state } = fresh.grant
  if (state._tag === "Absent") throw new Error("the first consent is stored")
  const { expiresAt } = state.tokens
  const accessToken = Redacted.value(state.tokens.accessToken)
  return [
    { label: "the access token has expired", world: { ...fresh, now: expiresAt } },
    { label: "the access token is about to expire", world: { ...fresh, now: expiresAt - client.expiryMargin } },
    {
      label: "the server has ended the access token",
      world: { ...fresh, server: FakeControl.endAccessToken(fresh.server, accessToken) }
    },
    { label: "the user has just allowed the app", world: consent(nobodyConnected(size, knobs)) }
  ]
}
