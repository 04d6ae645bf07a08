import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Diagram from "../src/Diagram.ts"
import * as Model from "../src/explorer/Model.ts"
import * as Retrace from "../src/explorer/internal/retrace.ts"
import * as Program from "../src/Program.ts"
import * as Violation from "../src/Violation.ts"
import * as Scenario from "../src/Scenario.ts"
import * as Diagrams from "./utils/diagrams.ts"

/** An entry as a line. */
const lineOf = ({ lanes }: Diagram.Diagram, entry: Diagram.Entry): string => {
  const name = (lane: number | undefined) => (lane === undefined ? "all" : lanes[lane]?.name)
  switch (entry._tag) {
    case "Step":
      return `${entry.at} # ${entry.text}`
    case "Arrow": {
      const { at, fault, from, isResponse, isLost, number, text, to, tone } = entry
      const marks = [tone === "Plain" ? "" : tone, isLost ? "lost" : "", fault ?? ""].filter((mark) => mark !== "")
      const marked = marks.length === 0 ? "" : ` (${marks.join(", ")})`
      return `${at} ${name(from)} ${isResponse ? "-->" : "->"} ${name(to)}: ${number === undefined ? "" : `${number} `}${text}${marked}`
    }
    case "Note":
      return `${entry.at} ${name(entry.lane)}: ${entry.text}`
    case "Violation":
      return `${entry.at} ! ${entry.rule}: ${entry.text}`
  }
}

const linesOf = (diagram: Diagram.Diagram) => diagram.entries.map((entry) => lineOf(diagram, entry))

// What is on a page besides how it looks, one tag or text a line.
const structureOf = (html: string): string =>
  html
    .replace(/<style>.*<\/style>/s, "<style></style>")
    .replace(/sha256-[^']+/, "sha256-…")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/(?<=>) ?(?=<)/g, "\n")

const empty: Diagram.Diagram = { lanes: [], entries: [], left: 0 }

describe("a scenario", () => {
  it.effect("is drawn from its steps, visits, requests and responses", () =>
    Effect.gen(function* () {
      const { diagram = empty } = yield* Diagrams.alone
      expect(diagram.lanes.map(({ kind, name }) => `${kind}: ${name}`)).toEqual([
        "User: ada's browser",
        "App: the app",
        "Zapier: Zapier"
      ])
      expect(linesOf(diagram)).toMatchInlineSnapshot(`
        [
          "0 # 1. ada connects: begins, allows, and comes back",
          "0 ada's browser -> the app: wants to connect Zapier",
          "0 the app --> ada's browser: sends the browser to Zapier",
          "0 ada's browser -> Zapier: allows on the consent page",
          "10000 Zapier --> ada's browser: sends the browser back: a code of ada",
          "10000 ada's browser -> the app: comes back from Zapier",
          "10000 the app -> Zapier: 1 POST /oauth/token/, a code of ada",
          "10431 Zapier --> the app: 1 200, tokens ada#1",
          "10431 the app --> ada's browser: Consent shows Data (Good)",
          "10431 # 2. 10 hours pass",
          "36010431 # 3. at once: ada calls | ada calls",
          "36010431 ada's browser -> the app: calls",
          "36010431 ada's browser -> the app: calls",
          "36010431 the app -> Zapier: 2 POST /oauth/token/, refresh token ada#1",
          "36010431 the app -> Zapier: 3 POST /oauth/token/, refresh token ada#1",
          "36010652 Zapier --> the app: 2 200, tokens ada#2",
          "36010652 the app -> Zapier: 4 GET /v2/zaps, access token ada#2",
          "36010770 Zapier --> the app: 4 401",
          "36010770 the app -> Zapier: 5 POST /oauth/token/, refresh token ada#2",
          "36010962 Zapier --> the app: 3 400",
          "36010962 the app --> ada's browser: Call shows Connect (Failed) (Ask)",
          "36011088 Zapier --> the app: 5 400",
          "36011088 the app --> ada's browser: Call shows Connect (Failed) (Ask)",
          "36011088 ! One refresh for each expiry: ada's refresh token was sent while another request with it was open",
        ]
      `)
    })
  )

  it.effect("has a lane for each user, each instance, the store and each host, and tells of all that goes wrong", () =>
    Effect.gen(function* () {
      const { diagram = empty } = yield* Diagrams.eventful
      expect(diagram.lanes.map(({ kind, name }) => `${kind}: ${name}`)).toEqual([
        "User: ada's browser",
        "User: bob's browser",
        "App: instance 1",
        "App: instance 2",
        "Store: the store",
        "Zapier: Zapier",
        "Other: metrics.example"
      ])
      const lines = linesOf(diagram)
      expect(lines.filter((line) => line.includes("(")).length).toBeGreaterThan(10)
      expect(lines).toContainEqual(
        expect.stringMatching(
          /instance \d: \d+ the response is lost, and tokens ada#2 with it \(Bad, lost, ResponseLost\)$/
        )
      )
      expect(lines).toContainEqual(expect.stringMatching(/all: the app was killed$/))
      expect(lines).toContainEqual(expect.stringMatching(/-> the store: removes the grant of bob$/))
      expect(lines).toContainEqual(expect.stringMatching(/Zapier --> ada's browser: sends the browser back: denied$/))
      expect(lines).toContainEqual(expect.stringMatching(/ada's browser: Deny shows Connect .* \(Ask\)$/))
      const times = diagram.entries.map(({ at }) => at)
      expect(times).toEqual(times.toSorted((one, other) => one - other))
    })
  )

  it.effect("says of tokens that they came just before the app was killed", () =>
    Effect.gen(function* () {
      const seeds = Array.from({ length: 30 }, (_, seed) => seed)
      const runs = yield* Effect.forEach(seeds, Diagrams.killed)
      const lines = runs.flatMap(({ diagram = empty }) => linesOf(diagram))
      expect(lines).toContainEqual(expect.stringMatching(/tokens bob#2, just before the app is killed$/))
      expect(lines).toContainEqual(expect.stringMatching(/the response is lost, and tokens bob#2 with it/))
    })
  )

  it.effect("shows lost responses, and callers that do not wait for them", () =>
    Effect.gen(function* () {
      const { diagram = empty } = yield* Diagrams.silent
      const lines = linesOf(diagram)
      const said = [
        /^\d+ the app -> Zapier: 2 POST .*, refresh token ada#1 \(lost, RequestLost\)$/,
        /^\d+ the app: no response to 2$/,
        /^\d+ the app -> Zapier: \d POST .*, refresh token ada#2 \(lost, RequestSilent\)$/,
        /^\d+ the app: still waits for the response to \d$/,
        /^\d+ ada's browser: Call is abandoned by the user$/,
        /^\d+ all: Zapier is down$/,
        /^\d+ the app --> ada's browser: Call shows TryLater \(.+\) \(Later\)$/
      ]
      for (const line of said) expect(lines).toContainEqual(expect.stringMatching(line))
    })
  )

  it.effect("survives being encoded, and is a page of its steps without a diagram", () =>
    Effect.gen(function* () {
      const failed = yield* Diagrams.alone
      const codec = Schema.toCodecJson(Scenario.ScenarioFailed)
      const text = JSON.stringify(yield* Schema.encodeEffect(codec)(failed))
      const decoded = yield* Schema.decodeUnknownEffect(codec)(JSON.parse(text))
      expect(Diagram.html(Scenario.page(decoded))).toBe(Diagram.html(Scenario.page(failed)))
      const { observed, rule, script, steps } = failed
      const older = new Scenario.ScenarioFailed({ observed, rule, steps, timeline: [], script })
      expect(Diagram.html(Scenario.page(older))).toContain("1. ada connects: begins, allows, and comes back")
    })
  )

  it.effect("shows no secret, wherever an app has put it", () =>
    Effect.gen(function* () {
      const secrets = new Set<string>()
      const failed = yield* Diagrams.leaky(secrets)
      const html = Diagram.html(Scenario.page(failed))
      expect(secrets.size).toBeGreaterThan(3)
      for (const secret of secrets) {
        expect(html).not.toContain(secret)
        expect(failed.message).not.toContain(secret)
      }
      expect(html).toContain("it did not work with &#60;an access token (<span")
      expect(failed.observed).toBe(
        "this was: https://metrics.example/<an access token (ada#1)>?token=<an access token (ada#1)>"
      )
    })
  )
})

describe("a program", () => {
  it.effect("is drawn from its history", () =>
    Effect.gen(function* () {
      const { diagram, violation } = yield* Diagrams.race
      const lines = linesOf(diagram).map((line) => line.replace(/^\d+ /, ""))
      // Each comes after the one before.
      const order = [
        /^# The users are connected$/,
        /^user-\d -> process 0: comes back with a code$/,
        /^process 0 -> Zapier: \d a code of user-\d$/,
        /^Zapier: makes tokens user-\d#1$/,
        /^# 1\. Wait: time lifetime$/,
        /^user-0 -> process 0: calls$/,
        /^user-0 -> process 1: calls$/,
        /^process \d -> the store: writes Refreshing, generation 1, tokens user-0#1$/,
        /^process \d -> Zapier: \d refresh token user-0#1$/,
        /^! R\d/
      ]
      let last = -1
      for (const expected of order) {
        const found = lines.findIndex((line, index) => index > last && expected.test(line))
        expect(found, String(expected)).toBeGreaterThan(last)
        last = found
      }
      expect(lines[last]).toBe(violation && `! ${violation.rule}: ${Violation.describe(violation)}`)
    })
  )

  it.effect("is drawn with its faults, with and without a violation", () =>
    Effect.gen(function* () {
      const { diagram, violation } = yield* Program.page(Diagrams.program)
      expect(violation).toBeUndefined()
      const lines = linesOf(diagram)
      expect(lines).toContainEqual(expect.stringMatching(/process 0: fault: ResponseLost$/))
      expect(lines).toContainEqual(expect.stringMatching(/Zapier --> process 0: \d+ no response \(Bad, lost\)$/))
      expect(lines).toContainEqual(expect.stringMatching(/process 0: is paused$/))
      expect(lines).toContainEqual(expect.stringMatching(/process 1: another process starts$/))
    })
  )

  it.effect("shows no secret", () =>
    Effect.gen(function* () {
      const secrets = new Set<string>()
      const page = yield* Program.page(Diagrams.program, {
        store: (store) => ({
          ...store,
          compareAndSet: (key, expected, value) => {
            const { accessToken, refreshToken } = value.tokens
            for (const token of [accessToken, refreshToken]) if (token !== undefined) secrets.add(Redacted.value(token))
            return store.compareAndSet(key, expected, value)
          }
        })
      })
      const html = Diagram.html(page)
      expect(secrets.size).toBeGreaterThan(3)
      for (const secret of secrets) expect(html).not.toContain(secret)
      expect(html).not.toContain("unknown")
    })
  )
})

describe("an explorer's finding", () => {
  it("is drawn move by move, and shows no secret", () => {
    const { finding, options } = Diagrams.caught()
    const page = Model.page(options, finding)
    expect(linesOf(page.diagram)).toMatchInlineSnapshot(`
      [
        "0 # At first the access token has expired",
        "0 callers -> process A: asks for an access token",
        "0 process A -> the store: writes Refreshing, generation 1, tokens ada#1",
        "0 process A -> Zapier: 1 refresh token ada#1",
        "0 # the connection of A breaks",
        "0 Zapier --> process A: 1 the connection of A breaks (Bad, lost)",
        "0 process A -> the store: writes ReconnectRequired, generation 1, tokens ada#1",
        "0 process A --> callers: an error (Bad)",
        "0 ! R5 unknown is not failed: a grant was given up although its refresh token still works",
      ]
    `)
    const way = Retrace.retrace(Model.make(options), finding)
    expect(way.map(({ label }) => label)).toEqual(finding.trace)
    const html = Diagram.html(page)
    const secrets = Object.keys(way.at(-1)?.world.names ?? {})
    expect(secrets.length).toBeGreaterThan(1)
    for (const secret of secrets) expect(html).not.toContain(secret)
  })

  it("is not drawn of another model", () => {
    const { finding } = Diagrams.caught()
    expect(Model.page({ callers: [1], faults: 0 }, finding).diagram).toEqual(empty)
  })
})

describe("a page", () => {
  it.effect("shows the app's output as text", () =>
    Effect.gen(function* () {
      const html = Diagram.html(Scenario.page(yield* Diagrams.eventful))
      expect(html).toContain("&#60;script&#62;hit = 1")
      expect(html).not.toContain("<script")
      expect(html).not.toContain("<img")
    })
  )

  it("needs nothing else: no script, no address, and a policy that allows none", () => {
    const html = Diagram.html({ violation: undefined, diagram: empty, again: [] })
    expect(html).toContain("default-src 'none'".replaceAll("'", "&#39;"))
    expect(html).not.toMatch(/<script|<link rel="stylesheet"|url\(|@import/)
    expect(html.match(/(?:src|href)="(?!#|data:)[^"]*"/g)).toBeNull()
    expect(html).toContain("No rule broken")
  })

  it("has a structure that can be read without looking", () => {
    const arrow = {
      _tag: "Arrow",
      at: 0,
      from: 0,
      to: 1,
      text: "calls",
      tone: "Plain",
      isResponse: false,
      isLost: false
    } as const
    const diagram: Diagram.Diagram = {
      lanes: [
        { kind: "User", name: "ada" },
        { kind: "App", name: "the app" }
      ],
      entries: [
        { _tag: "Step", at: 0, text: "1. ada calls" },
        arrow,
        {
          ...arrow,
          at: 61_000,
          from: 1,
          to: 0,
          text: "shows tokens ada#1",
          tone: "Bad",
          number: 1,
          isResponse: true,
          isLost: true,
          fault: "ResponseLost"
        },
        { _tag: "Note", at: 61_000, lane: 1, text: "is paused", tone: "Plain" },
        { _tag: "Violation", at: 61_000, rule: "Every caller gets a result", text: "ada waits" },
        { _tag: "Violation", at: 61_000, rule: "Another rule", text: "is broken" }
      ],
      left: 3
    }
    const again = [{ title: "As a test", code: "Scenario.run(app, [])" }]
    const html = Diagram.html({
      violation: { rule: "Every caller gets a result", observed: "ada waits" },
      diagram,
      again
    })
    expect(structureOf(html.slice(html.indexOf("<body>")))).toMatchSnapshot()
  })

  it("keeps the last entries of a long run", () => {
    const again = { violation: { rule: "a rule", observed: "" }, again: [] }
    const entries = Array.from({ length: 3 }, (_, at): Diagram.Entry => ({
      _tag: "Note",
      at,
      text: `note ${at}`,
      tone: "Plain"
    }))
    const html = Diagram.html({ ...again, diagram: { lanes: [], entries, left: 7 } })
    expect(html).toContain("7 earlier entries are left out")
  })
})
