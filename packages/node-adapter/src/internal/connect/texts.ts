/** What a user is told, in words. What the app's owner has to do is in the error. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { Page } from "../page.ts"
import type { Outcome } from "./outcome.ts"

type Reason = ZapierAuthError["reason"]

/** The outcomes that are told in words. */
export type Told = Exclude<Outcome, { readonly _tag: "Status" }>

const away = "Zapier cannot be reached right now. Please try again in a minute."

const ours = "Something is wrong on our side. Please try again later, or tell us."

/** Why it failed, and what to do. */
const wordsOf = (reason: Reason): string => {
  switch (reason._tag) {
    case "ConsentDenied":
      return "You did not allow access, so nothing was changed."
    case "ConsentExpired":
      return "That took too long, and Zapier's answer is no longer good. Please try again."
    case "StateMismatch":
      return "This page has been used before, or was not begun in this browser and by you, so nothing was changed. If Zapier is not connected yet, please try again."
    case "InvalidCallback":
      return "Zapier's answer is not complete, so nothing was changed. Please try again."
    case "ExchangeOutcomeUnknown":
      return reason.status === undefined
        ? "Zapier's answer was lost on the way. Please try again."
        : "Zapier could not finish connecting. Please try again."
    case "RateLimited":
    case "ServiceUnavailable":
    case "TransportFailed":
    case "RefreshOutcomeUnknown":
      return away
    case "MalformedResponse":
      return "Zapier's answer could not be understood. Please try again in a minute."
    case "ResponsePending":
      return "Zapier takes longer than usual to respond. Please try again in a minute."
    case "ApplicationUnavailable":
    case "Closed":
      return "This app cannot connect to Zapier right now. Please try again in a minute."
    case "StoreFailed":
      return "We could not save the connection right now. Please try again in a minute."
    case "AuthorizationRefused":
      return reason.isRetryable ? away : ours
    default:
      return ours
  }
}

/** Whether a user who is connected has nothing to do about it: they have what they came for, or wanted nothing. */
export const isHarmless = ({ _tag }: Reason): boolean => _tag === "ConsentDenied" || _tag === "StateMismatch"

// That the user is connected is said by the title.
const nothingNew = (reason: Reason): string => {
  switch (reason._tag) {
    case "ConsentDenied":
      return "You did not allow access this time. Nothing changed."
    case "StateMismatch":
      return "This page has been used before, or was not begun in this browser and by you. Nothing changed."
    default:
      return `${wordsOf(reason)} Your connection from before still works.`
  }
}

const refused = {
  ReturnAddress: "The address to return to is none of the app's.",
  OtherSite: "Only the app's own pages can disconnect."
} as const

const back = ({ returnTo }: Told) => ({ url: returnTo, text: "Back to the app" })

const again = ({ connect }: Told) => ({ url: connect, text: "Connect Zapier" })

/** The page of an outcome. Each leads back to the app. */
export const pageOf = (outcome: Told): Page => {
  switch (outcome._tag) {
    case "Connected":
      return { title: "Zapier is connected", words: "You can go on now.", links: [back(outcome)] }
    case "ScopesMissing":
      return {
        title: "Zapier is connected, but not for everything",
        words: `Zapier did not allow all that this app asked for. Missing: ${outcome.missing.join(", ")}. What needs it will not work.`,
        links: [back(outcome)]
      }
    case "StillConnected": {
      const { reason } = outcome.error
      const links = isHarmless(reason) ? [back(outcome)] : [back(outcome), again(outcome)]
      return { title: "You are still connected", words: nothingNew(reason), links }
    }
    case "Disconnected":
      return { title: "Zapier is disconnected", words: outcome.revocation, links: [back(outcome)] }
    case "SignedOut":
      return {
        title: "You are not signed in",
        words: "Sign in first, and connect Zapier then.",
        links: [...(outcome.signIn === undefined ? [] : [{ url: outcome.signIn, text: "Sign in" }]), back(outcome)]
      }
    case "Refused":
      return { title: "That is not possible", words: refused[outcome.why], links: [back(outcome)] }
    case "Unconfirmed":
      return {
        title: "Connect Zapier?",
        words: "A link from somewhere else has brought you here. Go on if it is you who wants to connect Zapier.",
        links: [again(outcome), back(outcome)]
      }
    case "Failed":
      return {
        title: "Zapier is not connected",
        words: wordsOf(outcome.error.reason),
        links: [again(outcome), back(outcome)]
      }
  }
}
