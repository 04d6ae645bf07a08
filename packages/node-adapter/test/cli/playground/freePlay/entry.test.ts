import { UserGrantChanged } from "@zapier-workflow-auth/core/AuthEvent"
import { RateLimited, ReconnectRequired, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Entry from "../../../../src/cli/playground/freePlay/entry.ts"
import { moves } from "../../../utils/grantMoves.ts"

const decode = Schema.decodeUnknownSync(UserGrantChanged)

const transition = (move: (typeof moves)[number]) =>
  decode({ _tag: "UserGrantChanged", clientId: "abc", subject: "ada", at: 0, ...move })

describe("an entry", () => {
  it.each(moves)("has a sentence for $event, from $from to $to", (move) => {
    const { title, words } = Entry.ofEvent(transition(move))
    expect(title).toBe(`Connection of ada: ${move.from} → ${move.to}`)
    expect(words).not.toBe("Its state was updated.")
  })

  it("tells what else changes, and of whom", () => {
    const common = { clientId: "abc", at: 0 }
    const move = { from: "Absent", event: "AccessTokenRequested", to: "Requesting" } as const
    expect(
      Entry.ofEvent({ _tag: "AppCredentialChanged", ...common, scopes: ["zap"], generation: 1, ...move })
    ).toMatchObject({
      title: "App token of zap: Absent → Requesting, generation 1",
      words: "Its state was updated."
    })
    const answered = { from: "Unconfirmed", event: "RequestAccepted", to: "Accepted" } as const
    expect(Entry.ofEvent({ _tag: "ClientIdChanged", ...common, ...answered }).title).toBe(
      "Client id: Unconfirmed → Accepted"
    )
    const stored = { attempt: "a", subject: "ada", from: "Exchanging", event: "GrantStored", to: "Completed" } as const
    expect(Entry.ofEvent({ _tag: "ConsentAttemptChanged", ...common, ...stored })).toMatchObject({
      title: "Login of ada: Exchanging → Completed",
      words: "The login is complete. Its state parameter works no more."
    })
  })

  it("names what is odd about a response that was taken", () => {
    const oddities = ["scope", "expires_in"] as const
    const taken = { _tag: "OddResponseTaken", clientId: "abc", oddities, at: 0 } as const
    const odd = Entry.ofEvent({ ...taken, grant: "Refresh", subject: "ada" })
    expect(odd).toMatchObject({
      title: "Refresh of ada: takes an odd response",
      words: expect.stringMatching(/scope, expires_in\.$/)
    })
    expect(Entry.ofEvent({ ...taken, grant: "ClientCredentials", scopes: ["zap", "profile"] }).title).toBe(
      "ClientCredentials of zap profile: takes an odd response"
    )
  })

  it("tells how calls ended, each kind once, and whether they failed", () => {
    const reconnect = ZapierAuthError.make(new ReconnectRequired({ why: "Revoked" }))
    const limited = ZapierAuthError.make(new RateLimited({ retryAfter: Duration.seconds(7) }))
    expect(Entry.ofCalls(0, [200], 0)).toMatchObject({
      isFailure: false,
      title: "1 call succeeded.",
      words: "Token requests meanwhile: 0."
    })
    expect(Entry.ofCalls(0, [200, reconnect, 200, limited, 500], 1)).toMatchObject({
      isFailure: true,
      title:
        "2 calls succeeded. 1 call failed: Ada has to connect again. 1 call may be retried in 7 s: Zapier's rate limit is reached. 1 call failed: Zapier responded with 500.",
      words: "Token requests meanwhile: 1."
    })
  })

  it("is counted with an equal request, as long as nothing but requests came in between", () => {
    const request = (line: string) => Entry.ofRequest(0, line, 200)
    const pressed = { at: 0, kind: "You", title: "50 calls at once", words: "" } as const
    const added = [request("a"), pressed, request("b"), request("a"), request("b"), request("a")].reduce(
      Entry.add,
      [] as ReadonlyArray<Entry.Entry>
    )
    expect(added.map(({ times, title }) => [title, times])).toEqual([
      ["a", undefined],
      ["50 calls at once", undefined],
      ["b", 2],
      ["a", 2]
    ])
  })
})
