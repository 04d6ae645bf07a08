/** Makes the page of an outcome, for users. Advice for the app's owner is in the error. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { PageName, PartialTexts } from "../../ConnectTexts.ts"
import * as Page from "../page.ts"
import type { Outcome } from "./outcome.ts"
import * as Popup from "./popup.ts"
import * as Words from "./words.ts"

type Reason = ZapierAuthError["reason"]

/** The reader of an outcome. */
export interface Telling {
  /** The app's own texts for the reader. */
  readonly texts?: PartialTexts | undefined
  /** The user's intent, because failures have their own texts: to connect or disconnect Zapier, or an app. Default: `Connect`. */
  readonly action?: "Connect" | "ConnectApp" | "Disconnect" | undefined
}

const mismatch = {
  // The most likely reason: attempts are forgotten some time after they expire.
  Unknown: "expired",
  AlreadyUsed: "alreadyUsed",
  OtherSubject: "otherUser",
  OtherBrowser: "otherBrowser"
} as const satisfies Record<string, PageName>

/** The page for a failure to connect. */
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

// The pages that name what is connected, for White Label users, who connect an app.
const ofApp: { readonly [Name in PageName]?: PageName } = {
  confirm: "confirmApp",
  denied: "appNotConnected",
  interrupted: "appInterrupted",
  otherBrowser: "appInterrupted"
}

/** The page of an outcome; `undefined` if it is always data or a redirect. */
export const nameOf = (outcome: Outcome, telling: Telling): PageName | undefined => {
  const page = ofZapier(outcome, telling)
  return (telling.action === "ConnectApp" && page !== undefined && ofApp[page]) || page
}

const ofZapier = (outcome: Outcome, { action }: Telling): PageName | undefined => {
  switch (outcome._tag) {
    case "Connected":
      return "connected"
    case "AppConnected":
      return "appConnected"
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

/** True if a connected user need not act: they have a connection, or wanted none. */
export const isHarmless = ({ _tag }: Reason): boolean => _tag === "ConsentDenied" || _tag === "StateMismatch"

// Trying again does not help if the app is misconfigured, or Zapier has not responded yet.
const isVain = (reason: Reason) => ["appFault", "pending"].includes(failurePage(reason))

const linksOf = (outcome: Outcome, { action, texts = {} }: Telling): ReadonlyArray<Page.Link> => {
  const back = { url: outcome.returnTo, text: Words.shared(texts, "back") }
  const connect = (name: "connect" | "tryAgain") => {
    const shown = name === "connect" && action === "ConnectApp" ? "connectApp" : name
    return { url: outcome.connect, text: Words.shared(texts, shown) }
  }
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

// A failure is explained to users who are still connected, unless it is harmless.
const textsOf = (outcome: Outcome, page: PageName, texts: PartialTexts): ReadonlyArray<Page.Text> => {
  const { text } = Words.pageTexts(texts, page)
  if (outcome._tag !== "StillConnected" || isHarmless(outcome.error.reason)) return [text]
  return [Words.pageTexts(texts, failurePage(outcome.error.reason)).text, text]
}

/** The texts of an outcome as one message, for programs. */
export const messageOf = (outcome: Outcome, telling: Telling): string | undefined => {
  const page = nameOf(outcome, telling)
  return (
    page &&
    textsOf(outcome, page, telling.texts ?? {})
      .map(Page.textOf)
      .join(" ")
  )
}

export const make = (outcome: Outcome, telling: Telling): Page.Page | undefined => {
  const page = nameOf(outcome, telling)
  if (page === undefined) return undefined
  const { texts = {} } = telling
  // A page that asks the user first does not end the popup.
  const popup = outcome._tag === "Unconfirmed" ? undefined : outcome.popup
  return {
    lang: Words.langOf(texts),
    title: Words.pageTexts(texts, page).title,
    words: [...textsOf(outcome, page, texts), ...(popup === undefined ? [] : [Words.shared(texts, "closeWindow")])],
    links: linksOf(outcome, telling),
    script: popup && Popup.script(outcome, popup)
  }
}
