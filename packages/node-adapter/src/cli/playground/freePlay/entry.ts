/** The events of free play, each in one sentence. */
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"
import type { CallError } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Duration from "effect/Duration"

/** An event. */
export interface Entry {
  /** How often it happened, for equal requests. Default: once. */
  readonly times?: number
  /** The time of the playground's clock, in milliseconds since the epoch. */
  readonly at: number
  readonly kind: "You" | "Machine" | "Request" | "Result" | "Control"
  readonly title: string
  readonly words: string
  /** True for a failure. Default: false. */
  readonly isFailure?: boolean
}

/** Adds an entry at the end. An equal request is only counted, if no other event came in between. */
export const add = (entries: ReadonlyArray<Entry>, entry: Entry): ReadonlyArray<Entry> => {
  const begins = entries.findLastIndex(({ kind }) => kind !== "Request") + 1
  const at =
    entry.kind === "Request" ? entries.findIndex(({ title }, index) => index >= begins && title === entry.title) : -1
  const same = entries[at]
  return same === undefined ? [...entries, entry] : entries.with(at, { ...same, times: (same.times ?? 1) + 1 })
}

const grant: { readonly [edge: string]: string } = {
  "Absent ConsentGranted Active": "The code was exchanged for two tokens, and both are stored.",
  "ReconnectRequired ConsentGranted Active": "Connected again: the old tokens are gone, and new ones are stored.",
  "Active ConsentGranted Active": "Connected again: the new tokens replace the old ones.",
  "Active AccessTokenRequested Refreshing":
    "The access token has expired. This call claims the refresh in the store, so that no other process sends one. All other calls wait for it.",
  "Active AccessTokenRejected Refreshing":
    "Zapier rejected the access token, and the store has no newer one. This call claims the refresh.",
  "Refreshing RefreshSucceeded Active":
    "Zapier has replaced both tokens. They are stored before they are used, and every call that waited goes on.",
  "ReconnectRequired RefreshSucceeded Active": "The response was late. It is stored all the same.",
  "Refreshing RefreshTokenReplaced Active":
    "Zapier has replaced the refresh token, but sent an unusable access token. The new refresh token is stored, and a call after a pause uses it.",
  "ReconnectRequired RefreshTokenReplaced Active": "The response was late. Its refresh token is stored all the same.",
  "Refreshing RefreshRefused ReconnectRequired":
    "Zapier rejected the refresh token. Ada has to connect again, and nothing is sent until then.",
  "Active AccessTokenRequested ReconnectRequired":
    "The access token has expired, and there is no refresh token. Ada has to connect again.",
  "Active AccessTokenRejected ReconnectRequired":
    "Zapier rejected the access token, and there is no refresh token. Ada has to connect again.",
  "Refreshing ConsentGranted Active": "Connected again: the new tokens replace those that were being refreshed.",
  "Refreshing RefreshOutcomeUnknown Active":
    "No response came, so it is unknown if Zapier has replaced the tokens. The connection is kept. After a pause, the next call tries the same refresh token again.",
  "Refreshing RefreshOutcomeUnknown Refreshing":
    "The connection broke, so it is unknown if Zapier has replaced the tokens. A call is waiting, so the same refresh token is sent again at once.",
  "Refreshing RefreshFailed Active": "The response says nothing about the connection, so it stays as it is.",
  "Active Disconnected Absent": "The tokens are deleted here. Zapier has no way to be told.",
  "Refreshing Disconnected Absent": "The tokens are deleted. The refresh that is under way does not bring them back.",
  "ReconnectRequired Disconnected Absent": "The tokens are deleted."
}

const attempt: { readonly [event: string]: string } = {
  CodeReceived: "Ada is back with a code, in the browser that she left with. The code is exchanged once.",
  ErrorReceived: "The browser is back without a code: Ada or Zapier said no.",
  GrantStored: "The login is complete. Its state parameter works no more.",
  ExchangeFailed: "The code was not exchanged. An earlier connection is unchanged."
}

type Of<Tag extends AuthEvent["_tag"]> = Extract<AuthEvent, { readonly _tag: Tag }>

type Changed = Exclude<AuthEvent, Of<"OddResponseTaken">>

const names: { readonly [T in Changed["_tag"]]: string } = {
  UserGrantChanged: "Connection",
  ConsentAttemptChanged: "Login",
  AppCredentialChanged: "App token",
  ClientIdChanged: "Client id",
  WhiteLabelTokenChanged: "White Label token"
}

const whose = (event: AuthEvent): string => {
  const owner = "subject" in event ? event.subject : "scopes" in event ? event.scopes?.join(" ") : undefined
  return owner === undefined || owner === "" ? "" : ` of ${owner}`
}

const ofOdd = (event: Of<"OddResponseTaken">): Entry => ({
  at: event.at,
  kind: "Machine",
  title: `${event.grant}${whose(event)}: takes an odd response`,
  words: `Zapier's response holds a usable access token, so it is taken. These members are not as documented: ${event.oddities.join(", ")}.`
})

const told = (event: Changed): string | undefined => {
  switch (event._tag) {
    case "UserGrantChanged":
      return grant[`${event.from} ${event.event} ${event.to}`]
    case "ConsentAttemptChanged":
      return attempt[event.event]
    default:
      return undefined
  }
}

const ofChange = (event: Changed): Entry => {
  const { at, from, to } = event
  const number = "generation" in event ? `, generation ${event.generation}` : ""
  return {
    at,
    kind: "Machine",
    title: `${names[event._tag]}${whose(event)}: ${from === to ? `stays ${to}` : `${from} → ${to}`}${number}`,
    words: told(event) ?? "Its state was updated."
  }
}

/** An event inside the library. */
export const ofEvent = (event: AuthEvent): Entry => (event._tag === "OddResponseTaken" ? ofOdd(event) : ofChange(event))

/** A request, with or without a response. Secrets in `line` are masked. */
export const ofRequest = (at: number, line: string, status: number | undefined): Entry => ({
  at,
  kind: "Request",
  isFailure: status === undefined || status >= 400,
  title: line,
  words:
    status === undefined
      ? "No response came."
      : status === 401
        ? "Rejected. The library first looks for a newer token in the store."
        : status === 429
          ? "Zapier's rate limit: 60 requests a minute. Calls are told when to retry."
          : status >= 400
            ? `Refused with ${status}.`
            : "Succeeded."
})

const failure = (error: CallError): string => {
  if (error._tag !== "ZapierAuthError") return "failed: no response came"
  const { reason } = error
  switch (reason._tag) {
    case "ReconnectRequired":
      return "failed: Ada has to connect again"
    case "ClientRejected":
      return "failed: the app's client secret is wrong. That is the app's mistake, so the connection stays"
    case "RateLimited":
      return `may be retried in ${Math.ceil(Duration.toSeconds(reason.retryAfter))} s: Zapier's rate limit is reached`
    case "RefreshOutcomeUnknown":
      return "may be retried: the refresh got no response, and the connection stays"
    case "ResponsePending":
      return "may be retried: Zapier has not responded to the refresh yet"
    default:
      return `failed: ${reason.message}`
  }
}

const kindOf = (outcome: number | CallError): string =>
  typeof outcome !== "number"
    ? failure(outcome)
    : outcome < 400
      ? "succeeded"
      : `failed: Zapier responded with ${outcome}`

/** True if every call succeeded. */
const allSucceeded = (outcomes: ReadonlyArray<number | CallError>) =>
  outcomes.every((outcome) => typeof outcome === "number" && outcome < 400)

/** The outcomes of calls: the status of each response, or the reason for its absence. */
export const ofCalls = (at: number, outcomes: ReadonlyArray<number | CallError>, tokenRequests: number): Entry => {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) counts.set(kindOf(outcome), (counts.get(kindOf(outcome)) ?? 0) + 1)
  const parts = Array.from(counts, ([kind, count]) => `${count} ${count === 1 ? "call" : "calls"} ${kind}.`)
  return {
    at,
    kind: "Result",
    isFailure: !allSucceeded(outcomes),
    title: parts.join(" "),
    words: `Token requests meanwhile: ${tokenRequests}.`
  }
}
