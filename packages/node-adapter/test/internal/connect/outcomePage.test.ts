import { describe, expect, it } from "@effect/vitest"
import * as Reason from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import type * as ConnectTexts from "../../../src/ConnectTexts.ts"
import type { Outcome } from "../../../src/internal/connect/outcome.ts"
import * as OutcomePage from "../../../src/internal/connect/outcomePage.ts"

const minute = Duration.minutes(1)

const ways = { returnTo: "/settings", connect: "/zapier/connect" }

const back = { url: "/settings", text: "Back to the app" }

const failed = (reason: Reason.ZapierAuthError["reason"]): Outcome => ({
  _tag: "Failed",
  error: Reason.ZapierAuthError.make(reason),
  ...ways
})

const still = (reason: Reason.ZapierAuthError["reason"]): Outcome => ({
  _tag: "StillConnected",
  status: { _tag: "Active" } as never,
  error: Reason.ZapierAuthError.make(reason),
  ...ways
})

describe("the page of a failure", () => {
  it.each<readonly [Reason.ZapierAuthError["reason"], ConnectTexts.PageName]>([
    [new Reason.ConsentDenied({}), "denied"],
    [new Reason.ConsentExpired({ what: "code" }), "expired"],
    [new Reason.StateMismatch({ why: "Unknown" }), "expired"],
    [new Reason.StateMismatch({ why: "AlreadyUsed" }), "alreadyUsed"],
    [new Reason.StateMismatch({ why: "OtherSubject" }), "otherUser"],
    [new Reason.StateMismatch({ why: "OtherBrowser" }), "otherBrowser"],
    [new Reason.InvalidCallback({ problem: "state is missing" }), "interrupted"],
    [new Reason.ExchangeOutcomeUnknown({}), "interrupted"],
    [new Reason.ExchangeOutcomeUnknown({ status: 503 }), "interrupted"],
    [new Reason.MalformedResponse({ status: 200, problem: "it is not a JSON object" }), "interrupted"],
    [new Reason.RateLimited({ retryAfter: minute }), "unavailable"],
    [new Reason.ServiceUnavailable({ status: 503 }), "unavailable"],
    [new Reason.TransportFailed({ code: "ECONNREFUSED" }), "unavailable"],
    [new Reason.RefreshOutcomeUnknown({}), "unavailable"],
    [new Reason.ResponsePending({ waited: minute, of: "code" }), "pending"],
    [new Reason.AuthorizationRefused({ error: "server_error" }), "unavailable"],
    [new Reason.StoreFailed({ store: "grant store", operation: "write", problem: "full" }), "appUnavailable"],
    [new Reason.ApplicationUnavailable({ waited: minute }), "appUnavailable"],
    [new Reason.StartFailed({ failure: "SqlError" }), "appUnavailable"],
    [new Reason.AppCodeFailed({ option: "subject", operation: "say", problem: "it failed" }), "appUnavailable"],
    [new Reason.Closed({}), "appUnavailable"],
    [new Reason.InvalidConfig({ setting: "clientSecret", problem: "give it" }), "appFault"],
    [new Reason.ClientRejected({}), "appFault"],
    [new Reason.AuthorizationRefused({ error: "invalid_scope" }), "appFault"]
  ])("of %s is %s", (reason, page) => {
    expect(OutcomePage.nameOf(failed(reason), {})).toBe(page)
  })
})

describe("a page leads", () => {
  const again = { url: "/zapier/connect", text: "Try again" }

  it.each<readonly [string, Outcome, OutcomePage.Telling, ReadonlyArray<unknown>]>([
    ["who said no", failed(new Reason.ConsentDenied({})), {}, [{ ...again, text: "Connect Zapier" }, back]],
    ["who may try again", failed(new Reason.ExchangeOutcomeUnknown({})), {}, [again, back]],
    ["who has to wait", failed(new Reason.ResponsePending({ waited: minute, of: "code" })), {}, [back]],
    ["the users of an app that is not set up", failed(new Reason.ClientRejected({})), {}, [back]],
    ["who wanted to disconnect", failed(new Reason.Closed({})), { action: "Disconnect" }, [back]],
    ["who is connected, and said no", still(new Reason.ConsentDenied({})), {}, [back]],
    ["who is connected, and may try again", still(new Reason.RateLimited({ retryAfter: minute })), {}, [back, again]],
    ["who is signed out", { _tag: "SignedOut", signIn: undefined, ...ways }, {}, [back]],
    [
      "who is signed out, and may sign in",
      { _tag: "SignedOut", signIn: "/sign-in", ...ways },
      {},
      [{ url: "/sign-in", text: "Sign in" }, back]
    ]
  ])("%s to where that helps, and back to the app", (_, outcome, telling, links) => {
    expect(OutcomePage.make(outcome, telling)?.links).toEqual(links)
  })
})

describe("who is still connected", () => {
  it("is told what went wrong, unless nothing did", () => {
    const works = "Your earlier connection still works."
    expect(OutcomePage.messageOf(still(new Reason.StateMismatch({ why: "AlreadyUsed" })), {})).toBe(works)
    expect(OutcomePage.messageOf(still(new Reason.RateLimited({ retryAfter: minute })), {})).toBe(
      `Zapier cannot be reached right now. Please try again in a minute. ${works}`
    )
  })
})
