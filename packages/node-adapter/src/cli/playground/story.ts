/** What happens, in a sentence each. */
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"
import type { CallError } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Duration from "effect/Duration"

/** One thing that happened. */
export interface Entry {
  /** How often it did, one right after another. */
  readonly times?: number
  /** By the clock of the playground, in milliseconds since the epoch. */
  readonly at: number
  readonly kind: "You" | "Machine" | "Request" | "Answer"
  readonly title: string
  readonly words: string
}

const grant: { readonly [edge: string]: string } = {
  "Absent ConsentGranted Active": "The code was exchanged for two tokens, and both are stored.",
  "ReconnectRequired ConsentGranted Active": "Connected again: the old tokens are gone, and new ones are stored.",
  "Active ConsentGranted Active": "Connected once more: the new tokens replace the old ones.",
  "Active AccessTokenRequested Refreshing":
    "The access token has ended. This call claims the right to renew it, in the store, so that no other process does; all other calls wait for it.",
  "Active AccessTokenRejected Refreshing":
    "Zapier did not take the access token, and there is no newer one in the store: this call claims the right to renew it.",
  "Refreshing RefreshSucceeded Active":
    "Zapier has replaced both tokens. They are stored before anybody uses them, and every call that waited goes on.",
  "ReconnectRequired RefreshSucceeded Active": "Late, but good: an answer that came is never thrown away.",
  "Refreshing RefreshTokenReplaced Active":
    "Zapier has replaced the refresh token, and its access token cannot be used. The new refresh token is stored; the next call presents it after a pause.",
  "ReconnectRequired RefreshTokenReplaced Active": "Late, but good: the new refresh token is stored.",
  "Refreshing RefreshRefused ReconnectRequired":
    "Zapier no longer takes the refresh token: only the user can help, and nothing more is sent until then.",
  "Active AccessTokenRequested ReconnectRequired":
    "The access token has ended, and there is no refresh token: only the user can help.",
  "Active AccessTokenRejected ReconnectRequired":
    "Zapier did not take the access token, and there is no refresh token: only the user can help.",
  "Refreshing ConsentGranted Active": "Connected once more: the new tokens replace those that were being renewed.",
  "Refreshing RefreshOutcomeUnknown Active":
    "No answer came, and whether Zapier has replaced the tokens is not known. The grant is kept: after a pause, the next call presents the same token once more.",
  "Refreshing RefreshOutcomeUnknown Refreshing":
    "The connection broke, and whether Zapier has replaced the tokens is not known. A call waits, so the same token is presented once more at once.",
  "Refreshing RefreshFailed Active": "Zapier could not say anything about the grant, so it stays as it is.",
  "Active Disconnected Absent": "The grant is removed. Zapier is not told, because it has no way to be.",
  "Refreshing Disconnected Absent": "The grant is removed, and what is still under way does not bring it back.",
  "ReconnectRequired Disconnected Absent": "The grant is removed."
}

const attempt: { readonly [event: string]: string } = {
  CodeReceived: "The browser is back with a code, in the browser and for the user that began: it is exchanged, once.",
  ErrorReceived: "The browser is back without a code: the user or Zapier said no.",
  GrantStored: "The consent is complete. Its state works no more.",
  ExchangeFailed: "The code was not exchanged. An earlier grant is as it was."
}

type Of<Tag extends AuthEvent["_tag"]> = Extract<AuthEvent, { readonly _tag: Tag }>

type Changed = Exclude<AuthEvent, Of<"OddResponseTaken">>

const whose = (event: AuthEvent): string => {
  const owner = "subject" in event ? event.subject : "scopes" in event ? event.scopes?.join(" ") : undefined
  return owner === undefined || owner === "" ? "" : ` of ${owner}`
}

const ofOdd = (event: Of<"OddResponseTaken">): Entry => ({
  at: event.at,
  kind: "Machine",
  title: `${event.grant}${whose(event)}: takes an odd response`,
  words: `Zapier's response holds a good access token, so it is taken. Not as it should be: ${event.oddities.join(", ")}.`
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
  const machine = event._tag.replace("Changed", "")
  const number = "generation" in event ? `, generation ${event.generation}` : ""
  return {
    at,
    kind: "Machine",
    title: `${machine}${whose(event)}: ${from === to ? `stays ${to}` : `${from} → ${to}`}${number}`,
    words: told(event) ?? "What is known of it was brought up to date."
  }
}

/** Something that happened inside. */
export const ofEvent = (event: AuthEvent): Entry => (event._tag === "OddResponseTaken" ? ofOdd(event) : ofChange(event))

/** A request that was answered or not. `line` has its secrets masked. */
export const ofRequest = (at: number, line: string, status: number | undefined): Entry => ({
  at,
  kind: "Request",
  title: line,
  words:
    status === undefined
      ? "No answer came."
      : status === 401
        ? "Not taken: the library looks for a newer token before it does anything else."
        : status === 429
          ? "Zapier's rate limit: 60 requests a minute. Calls are told to wait."
          : status >= 400
            ? `Refused with ${status}.`
            : "Answered."
})

const because = (error: CallError): string => {
  if (error._tag !== "ZapierAuthError") return "not answered"
  const { reason } = error
  switch (reason._tag) {
    case "ReconnectRequired":
      return "refused: the user has to connect"
    case "ClientRejected":
      return "refused, because the app's client secret is wrong: that is the app's fault, and ends no grant"
    case "RateLimited":
      return `told to wait ${Math.ceil(Duration.toSeconds(reason.retryAfter))} s by Zapier`
    case "RefreshOutcomeUnknown":
      return "left without an answer to the refresh: the grant stays, and a call after a pause asks once more"
    case "ResponsePending":
      return "told to come back: Zapier has not answered the refresh yet, and its answer is stored when it comes"
    default:
      return `refused: ${reason.message}`
  }
}

/** What came of calls: a status, or why there is none. */
export const ofCalls = (at: number, outcomes: ReadonlyArray<number | CallError>, tokenRequests: number): Entry => {
  const counted = new Map<string, number>()
  for (const outcome of outcomes) {
    const name = typeof outcome === "number" ? `answered with ${outcome}` : because(outcome)
    counted.set(name, (counted.get(name) ?? 0) + 1)
  }
  const only = outcomes.length === 1
  const parts = [...counted].map(([name, count]) => (only ? name : `${count} ${name}`))
  return {
    at,
    kind: "Answer",
    title: only ? "The call is over" : `${outcomes.length} calls are over`,
    words: `${only ? "It was " : ""}${parts.join("; ")}. Token requests meanwhile: ${tokenRequests}.`
  }
}
