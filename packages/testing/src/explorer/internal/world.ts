/** The world of one key: processes that drive it, a store, the fake, and what is under way between them. */
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import type * as ConsentAttemptDriver from "@zapier-workflow-auth/core/machine/ConsentAttemptDriver"
import type * as Driver from "@zapier-workflow-auth/core/machine/Driver"
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import type { TokenRequest } from "@zapier-workflow-auth/core/oauth/TokenRequest"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as HashMap from "effect/HashMap"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as FakeControl from "../../fake/FakeControl.ts"
import type * as FakeHttp from "../../fake/FakeHttp.ts"
import * as FakeServer from "../../fake/FakeServer.ts"
import type * as FakeState from "../../fake/FakeState.ts"
import * as Invariants from "../../Invariants.ts"
import * as FakeClient from "./fakeClient.ts"
import * as Lookup from "../../fake/internal/lookup.ts"

// -----------------------------------------------------------------------------
// What is explored
// -----------------------------------------------------------------------------

export type Record = UserGrant.State | AppCredential.State | ConsentAttempt.State
export type Event = UserGrant.Event | AppCredential.Event | ConsentAttempt.Event
export type Command = UserGrant.Command | AppCredential.Command | ConsentAttempt.Command
export type Request = ConsentAttemptDriver.Request | TokenRequest
export type Outcome = ConsentAttemptDriver.Outcome
/**
 * The driver of any key: of a grant, a consent attempt, or the app's token.
 *
 * @since 0.1.0
 */
export type AnyDriver = Driver.Driver<Record, Event, Command, Request, Outcome>
export type Input = DriverState.Input<Record, Event, Outcome>
export type Driven = DriverState.State<Record, Event, Command, Request>

/**
 * What is explored: the drivers, and how the stores are used.
 *
 * @since 0.1.0
 */
export interface Client {
  /** Whose tokens they are: a user's, or the app's own. */
  readonly mode: "user" | "app"
  readonly settings: Settings.Settings
  /** Of what all processes share: the grant, or the app's token. */
  readonly shared: (owner: string) => AnyDriver
  readonly attempts: (owner: string) => AnyDriver
  /** Whether a write of this state expects the version that was read. */
  readonly comparesVersions: (state: Record) => boolean
  /** Whether a token's time counts from the start of its request; else from the response. */
  readonly countsFromStart: boolean
}

/** The key of what all processes share. Attempts have their digests as keys. */
export const shared = "shared"

// -----------------------------------------------------------------------------
// What there is
// -----------------------------------------------------------------------------

/**
 * - `Load`: a read that takes long. It finds what was there when it began.
 * - `Save`: `result` once the store has done it, and its process has yet to hear. `isHung`: it never hears.
 * - `Send`: `response` once the server has acted; `outcome` once that is in the socket.
 * - `Bring`: an attempt waits until its grant is stored.
 */
export type Operation = { readonly key: string; readonly id: number } & (
  | { readonly _tag: "Load"; readonly found: Slot | undefined }
  | {
      readonly _tag: "Save"
      readonly expected: number | undefined
      readonly state: Record
      readonly from: Record | undefined
      readonly isHung: boolean
      readonly result: "Saved" | "Conflicted" | undefined
    }
  | {
      readonly _tag: "Send"
      readonly request: TokenRequest
      readonly sentAt: number
      readonly until: number
      /** The response comes late, or never. */
      readonly fate: "Slow" | "Silent" | undefined
      readonly response: FakeHttp.FakeResponse | undefined
      readonly outcome: TokenOutcome.TokenOutcome | undefined
    }
  | { readonly _tag: "Bring"; readonly caller: number }
)

export type Of<Tag extends Operation["_tag"]> = Extract<Operation, { readonly _tag: Tag }>

/** Whether a write expects the version that is there. */
export const isCurrent = ({ store }: World, { expected, key }: Of<"Save">): boolean => {
  const { state, version } = slot({ store }, key)
  return expected === (state === undefined ? undefined : version)
}

/** Whether it is a request that may still reach the server. */
export const isOnItsWay = (operation: Operation): operation is Of<"Send"> =>
  operation._tag === "Send" && operation.response === undefined && operation.fate !== "Silent"

/** Somebody who needs an access token and calls the API with it, or who has brought an event. */
export interface Caller {
  readonly id: number
  readonly wants: "Access" | "Event"
  readonly doing:
    | { readonly _tag: "Idle" }
    | { readonly _tag: "Waiting"; readonly since: number; readonly isReplay: boolean }
    | { readonly _tag: "Calling"; readonly access: Tokens.UsableAccess; readonly isReplay: boolean }
}

export interface Process {
  readonly name: string
  /** One higher with every restart. */
  readonly life: number
  readonly isPaused: boolean
  /** Since when it has not stood still. */
  readonly awakeSince: number
  /** How far its clock is ahead of the others, in milliseconds. */
  readonly offset: number
  readonly isClosing: boolean
  readonly drivers: { readonly [key: string]: Driven }
  readonly operations: ReadonlyArray<Operation>
  readonly callers: ReadonlyArray<Caller>
  readonly nextCaller: number
  readonly hasFailed: boolean
  /** Whether it has the lease by a write that was done after it had been given up. */
  readonly hasLateClaim: boolean
}

export interface Callback {
  readonly digest: string
  readonly code: string
}

export interface Slot {
  /** Grows over removals. */
  readonly version: number
  /** Nothing where there is no record. */
  readonly state: Record | undefined
}

/**
 * All that there is at one moment.
 *
 * @since 0.1.0
 */
export interface World {
  readonly now: number
  readonly server: FakeState.FakeState
  readonly store: { readonly [key: string]: Slot }
  readonly processes: ReadonlyArray<Process>
  /** Requests that nobody waits for, and that may still reach the server. */
  readonly strays: ReadonlyArray<TokenRequest>
  /** Writes that nobody waits for, and that may still be done. */
  readonly lateWrites: ReadonlyArray<{ readonly name: string; readonly owner: string; readonly save: Of<"Save"> }>
  /** Callbacks that are about to arrive. */
  readonly callbacks: ReadonlyArray<Callback>
  /** How many faults may still happen. */
  readonly faults: number
  /** How often an access token may still come to its end by itself. */
  readonly expiries: number
  readonly history: Invariants.History
  /** Tokens and codes by what they came from, so that the order of drawing makes no difference. */
  readonly names: { readonly [secret: string]: string }
}

export const ownerOf = ({ life, name }: Pick<Process, "life" | "name">): string => `${name}${life}`

export const wall = ({ now }: Pick<World, "now">, { offset }: Process): number => now + offset

export const isBusy = ({ drivers }: Process): boolean => Object.values(drivers).some(DriverState.isBusy)

// -----------------------------------------------------------------------------
// The server
// -----------------------------------------------------------------------------

export const scopes = { user: ["zap"], app: ["promotions:write"] }

/** What is asked for. */
const scopesOf = ({ mode }: Client): ReadonlyArray<string> => scopes[mode]

// For the call that is made with the app's own token.
const enrollment: FakeState.Enrollment = {
  id: "1",
  promotionId: "promotion",
  clientId: FakeClient.clientId,
  userId: 1_001,
  enrolledAt: 0
}

const calls = { user: ["GET", "/v2/zaps"], app: ["DELETE", "/v2/promotions/1"] } as const

/** What a request presents. */
export const presented = (request: TokenRequest): string => {
  switch (request._tag) {
    case "AuthorizationCode":
      return Redacted.value(request.code)
    case "Refresh":
      return Redacted.value(request.refreshToken)
    case "ClientCredentials":
      return Invariants.app
  }
}

// One request comes to one server in many worlds.
const handled = new WeakMap<
  FakeState.FakeState,
  WeakMap<TokenRequest, { readonly now: number; readonly is: ReturnType<typeof FakeServer.handle> }>
>()

const handle = ({ now, server }: World, request: TokenRequest) => {
  const ofServer = handled.get(server) ?? new WeakMap()
  handled.set(server, ofServer)
  const known = ofServer.get(request)
  if (known?.now === now) return known.is
  const is = FakeServer.handle(server, FakeClient.tokenRequest(request), now)
  ofServer.set(request, { now, is })
  return is
}

/** The server acts on a token request. */
export const arrive = (world: World, request: TokenRequest) => {
  const { issued, response, state } = handle(world, request)
  const parent = world.names[presented(request)] ?? ""
  // Where nothing is rotated, one gives several access tokens.
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

// The same question is asked of one server many times.
const statuses = new WeakMap<FakeState.FakeState, { readonly now: number; readonly of: Map<string, number> }>()

/** The status of the API's response to a call with this access token. */
export const callApi = ({ now, server }: World, { mode }: Client, access: Tokens.UsableAccess): number => {
  const known = statuses.get(server)
  const asked = known?.now === now ? known : { now, of: new Map<string, number>() }
  if (asked !== known) statuses.set(server, asked)
  const accessToken = Redacted.value(access.accessToken)
  const status = asked.of.get(accessToken) ?? FakeClient.callApi(server, calls[mode], access, now)
  asked.of.set(accessToken, status)
  return status
}

/** Whether the process has the lease of this state. */
export const isHolder = (state: Record | undefined, process: Process): boolean =>
  state !== undefined && "lease" in state && state.lease.owner === ownerOf(process)

/** Whether the server would still take the refresh token of this state. */
export const isAlive = ({ now, server }: World, state: Record): boolean =>
  "tokens" in state &&
  state.tokens.refreshToken !== undefined &&
  Lookup.isAlive(server, Redacted.value(state.tokens.refreshToken), now)

/** A user allows the app: an attempt is pending, and the browser has its callback. */
export const consent = (world: World): readonly [World, Callback] => {
  const count = Object.keys(world.store).filter((key) => key !== shared).length + 1
  const digest = `consent-${count}`
  const url = new URL(ZapierUrls.production.authorize)
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: FakeClient.clientId,
    redirect_uri: FakeClient.redirectUri,
    scope: "zap",
    state: digest
  }).toString()
  const [location, server] = Result.getOrThrow(FakeControl.approve(world.server, url.href, {}, world.now))
  const code = new URL(location).searchParams.get("code") ?? ""
  const pending: ConsentAttempt.State = {
    _tag: "Pending",
    stateDigest: digest,
    subject: "ada",
    redirectUri: FakeClient.redirectUri,
    scopes: scopes.user,
    startedAt: world.now,
    expiresAt: world.now + 900_000
  }
  const allowed = {
    ...world,
    server,
    store: { ...world.store, [digest]: { version: 1, state: pending } },
    names: { ...world.names, [code]: digest }
  }
  return [allowed, { digest, code }]
}

/** The user ends the app's access in Zapier's settings. */
export const revoke = (world: World): World => ({
  ...world,
  server: Result.getOrThrow(FakeControl.revoke(world.server, { clientId: FakeClient.clientId }))
})

/** The access token that the store has. */
export const accessOf = ({ state }: Slot): Tokens.Access | undefined => {
  if (state === undefined) return undefined
  if ("tokens" in state) return state.tokens
  return "access" in state ? state.access : undefined
}

/** The server ends the access token that the store has before its time. */
export const endAccess = (world: World): World => {
  const access = accessOf(slot(world, shared))
  return access === undefined
    ? world
    : { ...world, server: FakeControl.endAccessToken(world.server, Redacted.value(access.accessToken)) }
}

export const slot = ({ store }: Pick<World, "store">, key: string): Slot =>
  store[key] ?? { version: 0, state: undefined }

// -----------------------------------------------------------------------------
// Beginnings
// -----------------------------------------------------------------------------

const start = 1_000_000_000

/**
 * How large a world is.
 *
 * @since 0.1.0
 */
export interface Size {
  /** How many callers each process has. */
  readonly callers: ReadonlyArray<number>
  readonly faults: number
  readonly server: Partial<FakeState.Knobs>
}

const empty = (client: Client, { callers, faults, server }: Size): World => ({
  now: start,
  server: { ...FakeClient.register(server), enrollments: HashMap.make([enrollment.id, enrollment]) },
  store: {},
  processes: callers.map((count, index) => ({
    name: String.fromCodePoint(65 + index),
    life: 1,
    isPaused: false,
    awakeSince: start,
    offset: 0,
    isClosing: false,
    drivers: { [shared]: DriverState.initial },
    operations: [],
    callers: Array.from({ length: count }, (_, id) => ({ id, wants: "Access", doing: { _tag: "Idle" } })),
    nextCaller: count,
    hasFailed: false,
    hasLateClaim: false
  })),
  strays: [],
  lateWrites: [],
  callbacks: [],
  faults,
  expiries: 1,
  history: client.mode === "user" ? Invariants.empty : Invariants.emptyOfApp,
  names: {}
})

const withTokens = (client: Client, size: Size): World => {
  const isUser = client.mode === "user"
  const none = empty(client, size)
  const [asked, callback] = isUser ? consent(none) : [none, undefined]
  const request: TokenRequest = isUser
    ? {
        _tag: "AuthorizationCode",
        code: Redacted.make(callback?.code ?? ""),
        codeVerifier: undefined,
        redirectUri: FakeClient.redirectUri,
        scopes: scopes.user
      }
    : { _tag: "ClientCredentials", scopes: scopes.app }
  const { response, world } = arrive(asked, request)
  const outcome = TokenOutcome.interpret(response, { scopes: scopesOf(client), startedAt: start, now: start })
  if (outcome._tag !== "Granted") throw new Error("the first request must succeed")
  const { refreshToken: _, ...access } = outcome.tokens
  const state: Invariants.State = isUser
    ? UserGrant.granted("consent-1", outcome.tokens)
    : { _tag: "Active", generation: 1, access }
  const attempt = world.store["consent-1"]?.state
  const completed =
    attempt?._tag === "Pending"
      ? { "consent-1": { version: 1, state: { ...attempt, _tag: "Completed" as const } } }
      : {}
  return {
    ...world,
    store: { ...completed, [shared]: { version: 1, state } },
    history: { ...world.history, record: state, expiresAt: outcome.tokens.expiresAt }
  }
}

/** Each way in which a token comes to be renewed, and a first token. */
export const beginnings = ["expired", "due", "rejected", "new"] as const

export type Beginning = (typeof beginnings)[number]

/** Where an exploration begins. */
export const begin = (
  client: Client,
  size: Size
): { readonly [beginning in Beginning]: { readonly label: string; readonly world: World } } => {
  const fresh = withTokens(client, size)
  const expiresAt = accessOf(slot(fresh, shared))?.expiresAt ?? start
  const none = empty(client, size)
  const [allowed, callback] = consent(none)
  return {
    expired: { label: "the access token has expired", world: { ...fresh, now: expiresAt, expiries: 0 } },
    due: {
      label: "the access token is about to expire",
      world: { ...fresh, now: expiresAt - client.settings.expiryMargin }
    },
    rejected: { label: "the server has ended the access token", world: endAccess(fresh) },
    new:
      client.mode === "user"
        ? { label: "the user has just allowed the app", world: { ...allowed, callbacks: [callback, callback] } }
        : { label: "there is no token yet", world: none }
  }
}
