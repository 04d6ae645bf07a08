/**
 * The machine of a consent attempt: one for each authorization URL. A subject may have several at a time, for example in
 * two browser tabs.
 *
 * **Theory of operation**
 *
 * An attempt is found by a digest of its `state` parameter; the parameter itself is never stored. The `state` works once:
 * the first callback that carries it moves the attempt out of `Pending`, and the store's compare-and-set admits only one
 * first. A callback for another subject, or for a used or expired attempt, exchanges nothing. A failed attempt never
 * touches an existing grant, which is replaced only by new tokens.
 *
 * A code is exchanged at most once (RFC 6749 section 4.1.2), and only within two minutes of the callback, because Zapier
 * accepts it no longer. Its tokens are stored before the attempt is completed: if the process ends in between, the user is
 * connected and the attempt merely looks unfinished. Tokens are stored even if the store has forgotten the attempt, or
 * another process has given it up, meanwhile.
 *
 * Sources: RFC 6749 sections 4.1.2 and 10.12; Zapier's "Authentication" page of the Workflow API.
 *
 * @since 0.1.0
 */
import * as Mac from "effect/crypto/Mac"
import * as Schema from "effect/Schema"
import * as Machine from "./Machine.ts"
import * as Scopes from "../oauth/Scopes.ts"
import * as Tokens from "../oauth/Tokens.ts"

/**
 * How long Zapier accepts a code, in milliseconds.
 *
 * @since 0.1.0
 */
export const codeLifetime = 120_000

const attempt = {
  /** SHA-256 of the `state` parameter, base64url. */
  stateDigest: Schema.NonEmptyString,
  /** The subject who connects. */
  subject: Schema.NonEmptyString,
  redirectUri: Schema.NonEmptyString,
  scopes: /* @__PURE__ */ Schema.Array(Scopes.Scope),
  startedAt: Tokens.Instant,
  /** No callback is accepted from then on, and stores may forget the attempt. */
  expiresAt: Tokens.Instant
}

/**
 * Why an attempt failed.
 *
 * - `AuthorizationRefused`: the consent page returned an error other than a denial
 * - `CodeRefused`: the token endpoint refused the exchange
 * - `OutcomeUnknown`: the response to the exchange was lost, or does not show whether the exchange happened
 * - `NotExchanged`: the exchange could not be sent
 *
 * @since 0.1.0
 */
export const Failure = /* @__PURE__ */ Schema.Literals([
  "AuthorizationRefused",
  "CodeRefused",
  "OutcomeUnknown",
  "NotExchanged"
])

/**
 * @since 0.1.0
 */
export type Failure = typeof Failure.Type

const stored = /* @__PURE__ */ (() => ({
  Pending: { ...attempt, codeVerifier: Schema.optionalKey(Tokens.Secret) },
  Exchanging: { ...attempt, receivedAt: Tokens.Instant },
  Completed: attempt,
  Denied: attempt,
  Expired: attempt,
  Failed: { ...attempt, why: Failure }
}))()

/**
 * The states of a consent attempt.
 *
 * - `Absent`: unknown, or forgotten by the store. Never stored.
 * - `Pending`: the user is on the consent page. `codeVerifier` is for PKCE.
 * - `Exchanging`: the callback arrived; its code is being exchanged.
 * - `Completed`, `Denied`, `Expired`, `Failed`: over.
 *
 * @since 0.1.0
 */
export const State = /* @__PURE__ */ (() => Schema.TaggedUnion({ Absent: {}, ...stored }))()

/**
 * @since 0.1.0
 */
export type State = typeof State.Type

/**
 * The stored states of an attempt: all but `Absent`.
 *
 * @since 0.1.0
 */
export const Stored = /* @__PURE__ */ Schema.TaggedUnion(stored)

/**
 * @since 0.1.0
 */
export type Stored = typeof Stored.Type

type Of<Tag extends State["_tag"]> = Extract<State, { readonly _tag: Tag }>

/**
 * The state of an attempt that the store does not have.
 *
 * @since 0.1.0
 */
export const absent: Of<"Absent"> = { _tag: "Absent" }

/**
 * The events of a consent attempt.
 *
 * - `CodeReceived`: a callback brought a code, for the user who is signed in as `subject`.
 * - `ErrorReceived`: a callback brought an error.
 * - `TokensGranted`: the code was exchanged.
 * - `GrantStored`: the tokens are in the store.
 * - `ExchangeFailed`: the code was not exchanged, or the outcome is unknown.
 *
 * @since 0.1.0
 */
export const Event = /* @__PURE__ */ Schema.TaggedUnion({
  CodeReceived: { stateDigest: Schema.String, subject: Schema.String, code: Tokens.Secret },
  ErrorReceived: { stateDigest: Schema.String, subject: Schema.String, error: Schema.String },
  TokensGranted: { stateDigest: Schema.String, subject: Schema.String, tokens: Tokens.Tokens },
  GrantStored: {},
  ExchangeFailed: { why: Failure }
})

/**
 * @since 0.1.0
 */
export type Event = typeof Event.Type

/**
 * The commands of a consent attempt.
 *
 * - `ExchangeCode`: send the exchange once and listen for its response until `deadline`. It is not sent at or after it.
 * - `StoreGrant`: store the tokens for `subject`. `stateDigest` names the consent.
 * - `RefuseCallback`: exchange nothing and tell the caller.
 * - `ReportExpired`, `ReportDenied`, `ReportRefused`, `ReportConnected`, `ReportFailure`: tell the caller how it ended.
 *
 * @since 0.1.0
 */
export type Command =
  | {
      readonly _tag: "ExchangeCode"
      readonly stateDigest: string
      readonly code: typeof Tokens.Secret.Type
      readonly codeVerifier: typeof Tokens.Secret.Type | undefined
      readonly redirectUri: string
      readonly scopes: ReadonlyArray<Scopes.Scope>
      readonly subject: string
      readonly deadline: number
    }
  | {
      readonly _tag: "StoreGrant"
      readonly stateDigest: string
      readonly subject: string
      readonly tokens: Tokens.Tokens
    }
  | { readonly _tag: "RefuseCallback"; readonly why: "Unknown" | "AlreadyUsed" | "OtherSubject" }
  | { readonly _tag: "ReportExpired" }
  | { readonly _tag: "ReportDenied" }
  | { readonly _tag: "ReportRefused"; readonly error: string }
  | { readonly _tag: "ReportConnected" }
  | { readonly _tag: "ReportFailure" }

const always = "always"

const over = <S extends State["_tag"]>(state: S) => {
  const stays = { [state]: always } as { readonly [Target in S]: typeof always }
  return { CodeReceived: stays, ErrorReceived: stays }
}

const expired = "the attempt has expired"

const refused = "the callback is for another attempt or subject"

const tabulate = () =>
  ({
    Absent: {
      ...over("Absent"),
      TokensGranted: { Absent: always },
      GrantStored: { Absent: always },
      ExchangeFailed: { Absent: always }
    },
    Pending: {
      CodeReceived: { Pending: refused, Expired: expired, Exchanging: "else" },
      ErrorReceived: { Pending: refused, Expired: expired, Denied: "the user denied access", Failed: "else" }
    },
    Exchanging: {
      ...over("Exchanging"),
      TokensGranted: { Exchanging: always },
      GrantStored: { Completed: always },
      ExchangeFailed: { Failed: always }
    },
    Completed: { ...over("Completed"), GrantStored: { Completed: always } },
    Denied: over("Denied"),
    Expired: over("Expired"),
    Failed: {
      ...over("Failed"),
      TokensGranted: { Failed: always },
      GrantStored: { Completed: always },
      ExchangeFailed: { Failed: always }
    }
  }) as const satisfies Machine.Edges<State["_tag"], Event["_tag"]>

/**
 * The legal edges, each with its condition.
 *
 * @since 0.1.0
 */
// Pure, so that bundlers drop it where it is unused.
export const edges = /* @__PURE__ */ tabulate()

const next = Machine.next

const encoder = new TextEncoder()

const isSame = (a: string, b: string) => Mac.timingSafeEqual(encoder.encode(a), encoder.encode(b))

// The fields of every state.
const common = ({ expiresAt, redirectUri, scopes, startedAt, stateDigest, subject }: Stored) => ({
  stateDigest,
  subject,
  redirectUri,
  scopes,
  startedAt,
  expiresAt
})

interface Callback {
  readonly stateDigest: string
  readonly subject: string
}

const refuse = (why: Extract<Command, { _tag: "RefuseCallback" }>["why"]): Command => ({ _tag: "RefuseCallback", why })

// Why a pending attempt refuses a callback, if it does.
const refusal = (state: Of<"Pending">, event: Callback, now: number) => {
  if (!isSame(event.stateDigest, state.stateDigest)) return next(state, refuse("Unknown"))
  if (event.subject !== state.subject) return next(state, refuse("OtherSubject"))
  if (now < state.expiresAt) return undefined
  const expired: Of<"Expired"> = { _tag: "Expired", ...common(state) }
  return next(expired, { _tag: "ReportExpired" } satisfies Command)
}

const used = <S extends Stored>(state: S, event: Callback) =>
  next(state, refuse(isSame(event.stateDigest, state.stateDigest) ? "AlreadyUsed" : "Unknown"))

const onceOver = { CodeReceived: used, ErrorReceived: used }

const unknown = (state: Of<"Absent">) => next(state, refuse("Unknown"))

const storeGrant = <S extends State>(state: S, event: Extract<Event, { readonly _tag: "TokensGranted" }>) => {
  const { stateDigest, subject, tokens } = event
  return next(state, { _tag: "StoreGrant", stateDigest, subject, tokens } satisfies Command)
}

const reportConnected: Command = { _tag: "ReportConnected" }

const complete = (state: Of<"Exchanging"> | Of<"Failed">) =>
  next<Of<"Completed">, Command>({ _tag: "Completed", ...common(state) }, reportConnected)

const reportFailure: Command = { _tag: "ReportFailure" }

// A claim that was never stored needs no release.
const isStale = (state: State, event: Event): boolean =>
  event._tag === "ExchangeFailed" && state._tag !== "Absent" && state._tag !== "Exchanging" && state._tag !== "Failed"

/**
 * The machine of a consent attempt.
 *
 * @example
 * ```ts
 * import * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
 * import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
 * import * as Result from "effect/Result"
 *
 * const pending: ConsentAttempt.Stored = {
 *   _tag: "Pending",
 *   stateDigest: "a digest of state",
 *   subject: "user-1",
 *   redirectUri: "https://acme.example/callback",
 *   scopes: ["zap"],
 *   startedAt: 0,
 *   expiresAt: 600_000
 * }
 * const callback = { stateDigest: pending.stateDigest, subject: "user-1", code: Tokens.secret("a code") }
 *
 * const received = ConsentAttempt.machine.step(pending, { _tag: "CodeReceived", ...callback }, 5_000)
 * const { commands, state } = Result.getOrThrow(received)
 *
 * state._tag // => "Exchanging"
 * commands.map(({ _tag }) => _tag) // => ["ExchangeCode"]
 * ```
 *
 * @since 0.1.0
 */
export const machine: Machine.Machine<State, Event, Command> = Machine.make<State, Event, Command, typeof edges>({
  name: "ConsentAttempt",
  isStale,
  on: {
    Absent: {
      CodeReceived: unknown,
      ErrorReceived: unknown,
      TokensGranted: storeGrant,
      GrantStored: (state) => next(state, reportConnected),
      ExchangeFailed: (state) => next(state, reportFailure)
    },
    Pending: {
      CodeReceived: (state, event, now) => {
        const refused = refusal(state, event, now)
        if (refused !== undefined) return refused
        const exchanging: Of<"Exchanging"> = { _tag: "Exchanging", ...common(state), receivedAt: now }
        const command: Command = {
          _tag: "ExchangeCode",
          stateDigest: state.stateDigest,
          code: event.code,
          codeVerifier: state.codeVerifier,
          redirectUri: state.redirectUri,
          scopes: state.scopes,
          subject: state.subject,
          deadline: now + codeLifetime
        }
        return next(exchanging, command)
      },
      ErrorReceived: (state, event, now) => {
        const refused = refusal(state, event, now)
        if (refused !== undefined) return refused
        if (event.error === "access_denied") {
          const denied: Of<"Denied"> = { _tag: "Denied", ...common(state) }
          return next(denied, { _tag: "ReportDenied" } satisfies Command)
        }
        const failed: Of<"Failed"> = { _tag: "Failed", ...common(state), why: "AuthorizationRefused" }
        return next(failed, { _tag: "ReportRefused", error: event.error } satisfies Command)
      }
    },
    Exchanging: {
      ...onceOver,
      TokensGranted: storeGrant,
      GrantStored: complete,
      ExchangeFailed: (state, { why }) => next({ _tag: "Failed", ...common(state), why }, reportFailure)
    },
    // The event may come again after a write with an unknown outcome.
    Completed: { ...onceOver, GrantStored: (state) => next(state, reportConnected) },
    Denied: onceOver,
    Expired: onceOver,
    // A process that releases its claim cannot know that another callback has claimed since: that one's success wins.
    Failed: {
      ...onceOver,
      TokensGranted: storeGrant,
      GrantStored: complete,
      ExchangeFailed: (state) => next(state, reportFailure)
    }
  }
})
