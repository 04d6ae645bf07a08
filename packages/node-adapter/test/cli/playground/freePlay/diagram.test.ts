import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import { describe, expect, it } from "@effect/vitest"
import * as Diagram from "../../../../src/cli/playground/freePlay/diagram.ts"
import { moves } from "../../../utils/grantMoves.ts"

describe("the diagram", () => {
  const draw = Diagram.make({ name: "a user's grant", edges: UserGrant.edges, kind: "whole" })

  it("draws each state, and each edge of the table that leaves one, with its events", () => {
    const drawn = draw({ state: "Absent" }, "id")
    expect(drawn.match(/class="state/g)).toHaveLength(Object.keys(UserGrant.edges).length)
    const pairs = new Set(moves.map(({ from, to }) => `${from} ${to}`))
    expect(drawn.match(/class="edge/g)).toHaveLength(pairs.size)
    expect(drawn.match(/<tspan/g)).toHaveLength(moves.length)
  })

  it("tells when an edge is taken, where that is not always", () => {
    const drawn = draw({ state: "Absent" }, "id")
    expect(drawn).toContain("Refresh outcome unknown: else</title>")
    expect(drawn).not.toContain("always")
  })

  it("lights the state that it is in, and the way there", () => {
    const drawn = draw({ state: "Active", from: "Refreshing", event: "RefreshSucceeded" }, "id")
    expect(drawn.match(/class="state lit"/g)).toHaveLength(1)
    expect(drawn).toMatch(/class="state lit"><rect [^>]*\/><text [^>]*>Active</)
    expect(drawn.match(/class="edge lit"/g)).toHaveLength(1)
    expect(drawn).toMatch(/class="lit">Refresh succeeded</)
    expect(draw({ state: "Active" }, "id")).not.toContain('class="edge lit"')
    expect(drawn).toContain('aria-label="The states of a user&#39;s grant. It is in the state Active."')
  })

  it("draws every other machine, and shows hostile names as text", () => {
    const hostile = Diagram.make({
      name: "<x>",
      edges: { "<b>": { '"Pushed"': { Shut: "<i>" } }, Shut: {} },
      kind: "compact"
    })({ state: "<b>" }, "id")
    expect(hostile).not.toMatch(/<b>|<x>|<i>/)
    expect(hostile).toContain("&#60;b&#62;")
  })

  it("leaves the events out where there is no room, and tells the last one below", () => {
    const compact = Diagram.make({ name: "a user's grant", edges: UserGrant.edges, kind: "compact" })
    const drawn = compact({ state: "Active", from: "Refreshing", event: "RefreshSucceeded" }, "id")
    expect(drawn).not.toContain("<tspan")
    expect(drawn).toContain("Refreshing → Active: Refresh succeeded</p>")
    const widthOf = (svg: string) => Number(/viewBox="0 0 ([\d.]+)/.exec(svg)?.[1])
    expect(widthOf(drawn)).toBeLessThan(390)
    expect(compact({ state: "Active" }, "id")).not.toContain("</p>")
  })

  it("has ids of its own", () => {
    const ids = (id: string) =>
      Array.from(draw({ state: "Active" }, id).matchAll(/ id="([^"]+)"/g), ([, found]) => found)
    expect(ids("one")).toEqual(["one-arrow", "one-arrow-lit"])
    expect(draw({ state: "Active" }, "one")).toContain("url(#one-arrow)")
  })
})
