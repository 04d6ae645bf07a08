/** A user's grant in each of its states, and what arbitrary events and times are drawn from. */
import * as Schema from "effect/Schema"
import * as Tokens from "../../src/oauth/Tokens.ts"
import type * as Pause from "../../src/machine/Pause.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import { situations, stepOf } from "./MachineLaws.ts"

export const responseTimeout = 60_000

/** A lease lasts for the time of listening, and 30 seconds to store what came. */
export const leaseDuration = 90_000

export const expiryMargin = 300_000

export const hour = 3_600_000

export const machine = UserGrant.machine({ responseTimeout, expiryMargin })

export const step = stepOf(machine)

export type State = UserGrant.State

export type Event = UserGrant.Event

type Of<Tag extends State["_tag"]> = Extract<State, { readonly _tag: Tag }>

type Command<Tag extends UserGrant.Command["_tag"]> = Extract<UserGrant.Command, { readonly _tag: Tag }>

/** Tokens that live for ten hours from 0, unless said otherwise. */
export const tokens = (name: string, options: Partial<Tokens.Tokens> = {}): Tokens.Tokens => ({
  accessToken: Tokens.secret(`access-${name}`),
  refreshToken: Tokens.secret(`refresh-${name}`),
  scopes: ["zap", `scope-${name}`],
  obtainedAt: 0,
  expiresAt: 10 * hour,
  ...options
})

/** The same, as tokens that have a refresh token by their type. */
export const renewable = (name: string, options: Partial<Tokens.Renewable> = {}): Tokens.Renewable => ({
  ...tokens(name),
  refreshToken: Tokens.secret(`refresh-${name}`),
  ...options
})

export const withoutRefreshToken = ({ refreshToken: _, ...rest }: Tokens.Tokens): Tokens.Tokens => rest

export const active = (options: Partial<Of<"Active">> = {}): Of<"Active"> => ({
  _tag: "Active",
  family: "consent-1",
  generation: 3,
  tokens: tokens("3"),
  responseLost: false,
  ...options
})

export const refreshing = (options: Partial<Of<"Refreshing">> = {}): Of<"Refreshing"> => ({
  _tag: "Refreshing",
  family: "consent-1",
  generation: 3,
  tokens: renewable("3"),
  responseLost: false,
  lease: { owner: "holder", deadline: 10 * hour + leaseDuration },
  attempt: 1,
  ...options
})

export const ended = (options: Partial<Of<"ReconnectRequired">> = {}): Of<"ReconnectRequired"> => ({
  _tag: "ReconnectRequired",
  family: "consent-1",
  generation: 3,
  tokens: tokens("3"),
  why: "Revoked",
  since: 0,
  ...options
})

/** A pause after one failure, which ends at `until`. */
export const pause = (until: number, options: Partial<Pause.Pause> = {}): Pause.Pause => ({
  until,
  failures: 1,
  cause: { _tag: "Unavailable", status: 503 },
  ...options
})

export const attempt = { family: "consent-1", generation: 3, owner: "holder" }

export const commandOf = <Tag extends UserGrant.Command["_tag"]>(
  commands: ReadonlyArray<UserGrant.Command>,
  tag: Tag
): Command<Tag> | undefined => commands.find((command): command is Command<Tag> => command._tag === tag)

export const tagsOf = (commands: ReadonlyArray<UserGrant.Command>) => commands.map(({ _tag }) => _tag)

export const tokensOf = (state: State): Tokens.Access | undefined =>
  state._tag === "Absent" ? undefined : state.tokens

export const runs = { arbitrary: { runs: 300 } }

export const Clock = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000_000_000_000 }))

export const Span = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000 }))

export const SpanOrZero = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000_000 }))

export const { Active, ReconnectRequired, Refreshing } = UserGrant.State.cases

export const { AccessTokenRejected, AccessTokenRequested, ConsentGranted, RefreshSucceeded, RefreshTokenReplaced } =
  UserGrant.Event.cases

export const Demand = Schema.Union([AccessTokenRequested, AccessTokenRejected])

export const Stored = Schema.Union([Active, Refreshing, ReconnectRequired])

/** A refresh that did not end with tokens. */
export const Failure = Schema.Union([
  UserGrant.Event.cases.RefreshRefused,
  UserGrant.Event.cases.RefreshOutcomeUnknown,
  UserGrant.Event.cases.RefreshFailed
])

export const Outcome = Schema.Union([RefreshSucceeded, Failure])

export const anything = situations(UserGrant.State, UserGrant.Event)
