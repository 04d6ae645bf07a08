import { UserGrantChanged } from "@zapier-workflow-auth/core/AuthEvent"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import { RateLimited, ReconnectRequired, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Diagram from "../../../src/cli/playground/diagram.ts"
import * as Story from "../../../src/cli/playground/story.ts"

const edges: { readonly [state: string]: { readonly [event: string]: { readonly [target: string]: string } } } =
  UserGrant.edges

const moves = Object.entries(edges).flatMap(([from, events]) =>
  Object.entries(events).flatMap(([event, targets]) =>
    Object.keys(targets)
      .filter((to) => to !== from)
      .map((to) => ({ from, event, to }))
  )
)

const decode = Schema.decodeUnknownSync(UserGrantChanged)

const transition = (move: (typeof moves)[number]) =>
  decode({ _tag: "UserGrantChanged", clientId: "abc", subject: "ada", at: 0, ...move })

describe("the story", () => {
  it.each(moves)("has a sentence for $event, from $from to $to", (move) => {
    const { title, words } = Story.ofEvent(transition(move))
    expect(title).toBe(`UserGrant of ada: ${move.from} → ${move.to}`)
    expect(words).not.toBe("What is known of it was brought up to date.")
  })

  it("tells what else changes, and of whom", () => {
    const common = { clientId: "abc", at: 0 }
    const move = { from: "Absent", event: "AccessTokenRequested", to: "Requesting" } as const
    expect(
      Story.ofEvent({ _tag: "AppCredentialChanged", ...common, scopes: ["zap"], generation: 1, ...move })
    ).toMatchObject({
      title: "AppCredential of zap: Absent → Requesting, generation 1",
      words: "What is known of it was brought up to date."
    })
    const answered = { from: "Presented", event: "RequestAccepted", to: "Accepted" } as const
    expect(Story.ofEvent({ _tag: "ClientIdChanged", ...common, ...answered }).title).toBe(
      "ClientId: Presented → Accepted"
    )
    const stored = { attempt: "a", subject: "ada", from: "Exchanging", event: "GrantStored", to: "Completed" } as const
    expect(Story.ofEvent({ _tag: "ConsentAttemptChanged", ...common, ...stored })).toMatchObject({
      title: "ConsentAttempt of ada: Exchanging → Completed",
      words: "The consent is complete. Its state works no more."
    })
  })

  it("names what is odd about a response that was taken", () => {
    const oddities = ["scope", "expires_in"] as const
    const taken = { _tag: "OddResponseTaken", clientId: "abc", oddities, at: 0 } as const
    const odd = Story.ofEvent({ ...taken, grant: "Refresh", subject: "ada" })
    expect(odd).toMatchObject({
      title: "Refresh of ada: takes an odd response",
      words: expect.stringMatching(/scope, expires_in\.$/)
    })
    expect(Story.ofEvent({ ...taken, grant: "ClientCredentials", scopes: ["zap", "profile"] }).title).toBe(
      "ClientCredentials of zap profile: takes an odd response"
    )
  })

  it("tells how calls ended, each kind once", () => {
    const reconnect = ZapierAuthError.make(new ReconnectRequired({ why: "Revoked" }))
    const limited = ZapierAuthError.make(new RateLimited({ retryAfter: Duration.seconds(7) }))
    expect(Story.ofCalls(0, [200], 0)).toMatchObject({
      title: "The call is over",
      words: "It was answered with 200. Token requests meanwhile: 0."
    })
    expect(Story.ofCalls(0, [200, reconnect, 200, limited], 1)).toMatchObject({
      title: "4 calls are over",
      words:
        "2 answered with 200; 1 refused: the user has to connect; 1 told to wait 7 s by Zapier. Token requests meanwhile: 1."
    })
  })
})

describe("the diagram", () => {
  const draw = Diagram.make({ name: "a user's grant", edges: UserGrant.edges })

  it("draws each state, and each edge of the table that leaves one, with its events", () => {
    const drawn = draw({ state: "Absent" })
    expect(drawn.match(/class="state/g)).toHaveLength(Object.keys(UserGrant.edges).length)
    const pairs = new Set(moves.map(({ from, to }) => `${from} ${to}`))
    expect(drawn.match(/class="edge/g)).toHaveLength(pairs.size)
    expect(drawn.match(/<tspan/g)).toHaveLength(moves.length)
  })

  it("tells when an edge is taken, where that is not always", () => {
    const drawn = draw({ state: "Absent" })
    expect(drawn).toContain("Refresh outcome unknown: else</title>")
    expect(drawn).not.toContain("always")
  })

  it("lights the state that it is in, and the way there", () => {
    const drawn = draw({ state: "Active", from: "Refreshing", event: "RefreshSucceeded" })
    expect(drawn.match(/class="state lit"/g)).toHaveLength(1)
    expect(drawn).toMatch(/class="state lit"><rect [^>]*\/><text [^>]*>Active</)
    expect(drawn.match(/class="edge lit"/g)).toHaveLength(1)
    expect(drawn).toMatch(/class="lit">Refresh succeeded</)
    expect(draw({ state: "Active" })).not.toContain('class="edge lit"')
    expect(drawn).toContain('aria-label="The states of a user&#39;s grant. It is in the state Active."')
  })

  it("draws every other machine, and shows hostile names as text", () => {
    const hostile = Diagram.make({ name: "<x>", edges: { "<b>": { '"Pushed"': { Shut: "<i>" } }, Shut: {} } })({
      state: "<b>"
    })
    expect(hostile).not.toMatch(/<b>|<x>|<i>/)
    expect(hostile).toContain("&#60;b&#62;")
  })
})
