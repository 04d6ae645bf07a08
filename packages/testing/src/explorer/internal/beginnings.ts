/** Initial worlds of an exploration. */
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import type { TokenRequest } from "@zapier-workflow-auth/core/oauth/TokenRequest"
import * as Redacted from "effect/Redacted"
import type * as FakeState from "../../fake/FakeState.ts"
import * as Invariants from "../../Invariants.ts"
import { type Client, shared, type World, accessOf, slot } from "./world.ts"
import { scopes, scopesOf, arrive, consent, endAccess, register, redirectUri } from "./server.ts"

const start = 1_000_000_000

/**
 * The size of a world.
 *
 * @since 0.1.0
 */
export interface Size {
  /** The number of callers of each process. */
  readonly callers: ReadonlyArray<number>
  readonly faults: number
  readonly server: Partial<FakeState.Settings>
}

const empty = (client: Client, { callers, faults, server }: Size): World => ({
  now: start,
  server: register(server),
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
        redirectUri: redirectUri,
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

/** The reasons for a refresh, and for a first token. */
export const beginnings = ["expired", "due", "rejected", "new"] as const

export type Beginning = (typeof beginnings)[number]

/** The initial world for each beginning. */
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
