import { describe, expect, it } from "@effect/vitest"
import * as Reason from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import * as Answers from "../../../src/internal/connect/answers.ts"
import * as Texts from "../../../src/internal/connect/texts.ts"

const minute = Duration.minutes(1)

describe("what a user is told", () => {
  it.each<readonly [Reason.ZapierAuthError["reason"], status: number, words: RegExp]>([
    [new Reason.ConsentDenied({}), 403, /did not allow/],
    [new Reason.ConsentExpired({ what: "code" }), 400, /took too long/],
    [new Reason.StateMismatch({ why: "Unknown" }), 400, /not begun in this browser/],
    [new Reason.InvalidCallback({ problem: "state is missing" }), 400, /not complete/],
    [new Reason.ExchangeOutcomeUnknown({}), 502, /lost on the way/],
    [new Reason.ExchangeOutcomeUnknown({ status: 503 }), 502, /could not finish/],
    [new Reason.RateLimited({ retryAfter: minute }), 503, /cannot be reached/],
    [new Reason.ServiceUnavailable({ status: 503 }), 502, /cannot be reached/],
    [new Reason.TransportFailed({ code: "ECONNREFUSED" }), 502, /cannot be reached/],
    [new Reason.RefreshOutcomeUnknown({}), 502, /cannot be reached/],
    [new Reason.MalformedResponse({ status: 200, problem: "it is not a JSON object" }), 502, /not be understood/],
    [new Reason.StoreFailed({ store: "grant store", operation: "write", problem: "full" }), 503, /could not save/],
    [new Reason.ResponsePending({ waited: minute, of: "code" }), 503, /longer than usual/],
    [new Reason.ApplicationUnavailable({ waited: minute }), 503, /This app cannot connect/],
    [new Reason.Closed({}), 503, /This app cannot connect/],
    [new Reason.InvalidConfig({ setting: "clientSecret", problem: "give it" }), 500, /on our side/],
    [new Reason.ClientRejected({}), 500, /on our side/],
    [new Reason.AuthorizationRefused({ error: "invalid_scope" }), 500, /on our side/],
    [new Reason.AuthorizationRefused({ error: "server_error" }), 503, /cannot be reached/]
  ])("of %s is %i", (reason, status, words) => {
    const outcome = { _tag: "Failed", error: Reason.from(reason), returnTo: "/", connect: "/connect" } as const
    const told = Texts.pageOf(outcome)
    expect(told).toMatchObject({ title: "Zapier is not connected", words: expect.stringMatching(words) })
    expect(Answers.respond(outcome, { format: "page" }).status).toBe(status)
    // What the owner of the app has to know is not the user's.
    expect(told.words).not.toContain(reason.message)
    expect(told.words).not.toMatch(/clientSecret|ECONNREFUSED|JSON|full/)
  })
})
