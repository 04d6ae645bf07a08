/** The page of an outcome: what a user is told, and where they can go. What the app's owner has to do is in the error. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { PageName, PartialTexts } from "../../ConnectTexts.ts"
import * as Page from "../page.ts"
import type { Outcome } from "./outcome.ts"
import * as Popup from "./popup.ts"
import * as Words from "./words.ts"

type Reason = ZapierAuthError["reason"]

/** To whom an outcome is told. */
export interface Telling {
  /** The app's own texts for who asks. */
  readonly texts?: PartialTexts | undefined
  /** What was asked for: a failure is told in other words to who wanted to disconnect. Default: `Connect`. */
  readonly action?: "Connect" | "Disconnect" | undefined
}

const mismatch = {
  // Attempts are forgotten some time after they have expired.
  Unknown: "expired",
  AlreadyUsed: "alreadyUsed",
  OtherSubject: "otherUser",
  OtherBrowser: "otherBrowser"
} as const satisfies Record<string, PageName>

/** The page that says why connecting failed. */
const failurePage = (reason: Reason): PageName => {
  switch (reason._tag) {
    case "ConsentDenied":
      return "denied"
    case "ConsentExpired":
      return "expired"
    case "StateMismatch":
      return mismatch[reason.why]
    case "InvalidCallback":
    case "ExchangeOutcomeUnknown":
    case "MalformedResponse":
      return "interrupted"
    case "RateLimited":
    case "ServiceUnavailable":
    case "TransportFailed":
    case "RefreshOutcomeUnknown":
      return "unavailable"
    case "ResponsePending":
      return "pending"
    case "ApplicationUnavailable":
    case "StartFailed":
    case "AppCodeFailed":
    case "Closed":
    case "StoreFailed":
      return "appUnavailable"
    case "AuthorizationRefused":
      return reason.isRetryable ? "unavailable" : "appFault"
    default:
      return "appFault"
  }
}

/** The page of an outcome. None has one that is told as data only, or by going somewhere. */
export const nameOf = (outcome: Outcome, { action }: Telling): PageName | undefined => {
  switch (outcome._tag) {
    case "Connected":
      return "connected"
    case "ScopesMissing":
      return "partlyConnected"
    case "StillConnected":
      return "stillConnected"
    case "SignedOut":
      return "signedOut"
    case "Refused":
      return outcome.why === "OtherSite" ? "notOwnPage" : "badLink"
    case "Unconfirmed":
      return "confirm"
    case "Failed": {
      const page = failurePage(outcome.error.reason)
      return action === "Disconnect" && page !== "appFault" ? "notDisconnected" : page
    }
    case "Disconnected":
    case "Status":
      return undefined
  }
}

/** Whether a user who is connected has nothing to do about it: they have what they came for, or wanted nothing. */
export const isHarmless = ({ _tag }: Reason): boolean => _tag === "ConsentDenied" || _tag === "StateMismatch"

// To begin once more does not help where the app is not set up, or where Zapier has not responded yet.
const isVain = (reason: Reason) => ["appFault", "pending"].includes(failurePage(reason))

const linksOf = (outcome: Outcome, { action, texts = {} }: Telling): ReadonlyArray<Page.Link> => {
  const back = { url: outcome.returnTo, text: Words.shared(texts, "back") }
  const connect = (name: "connect" | "tryAgain") => ({ url: outcome.connect, text: Words.shared(texts, name) })
  switch (outcome._tag) {
    case "SignedOut":
      return outcome.signIn === undefined
        ? [back]
        : [{ url: outcome.signIn, text: Words.shared(texts, "signIn") }, back]
    case "Unconfirmed":
      return [connect("connect"), back]
    case "StillConnected": {
      const { reason } = outcome.error
      return isHarmless(reason) || isVain(reason) ? [back] : [back, connect("tryAgain")]
    }
    case "Failed": {
      const { reason } = outcome.error
      if (action === "Disconnect" || isVain(reason)) return [back]
      return [connect(reason._tag === "ConsentDenied" ? "connect" : "tryAgain"), back]
    }
    default:
      return [back]
  }
}

// What went wrong is news to who is still connected, unless nothing did.
const said = (outcome: Outcome, page: PageName, texts: PartialTexts): ReadonlyArray<Page.Text> => {
  const { text } = Words.pageTexts(texts, page)
  if (outcome._tag !== "StillConnected" || isHarmless(outcome.error.reason)) return [text]
  return [Words.pageTexts(texts, failurePage(outcome.error.reason)).text, text]
}

/** What a program is told in words. */
export const messageOf = (outcome: Outcome, telling: Telling): string | undefined => {
  const page = nameOf(outcome, telling)
  return (
    page &&
    said(outcome, page, telling.texts ?? {})
      .map(Page.textOf)
      .join(" ")
  )
}

export const make = (outcome: Outcome, telling: Telling): Page.Page | undefined => {
  const page = nameOf(outcome, telling)
  if (page === undefined) return undefined
  const { texts = {} } = telling
  // What asks the user first is not the end of a popup.
  const popup = outcome._tag === "Unconfirmed" ? undefined : outcome.popup
  return {
    lang: Words.langOf(texts),
    title: Words.pageTexts(texts, page).title,
    words: [...said(outcome, page, texts), ...(popup === undefined ? [] : [Words.shared(texts, "closeWindow")])],
    links: linksOf(outcome, telling),
    script: popup && Popup.script(outcome, popup)
  }
}
