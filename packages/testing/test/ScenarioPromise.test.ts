// The apps here are without Effect. @effect-diagnostics globalConsole:off globalDate:off globalFetch:off globalTimers:off
import { setTimeout as delay } from "node:timers/promises"
import { describe, expect, it, vi } from "@effect/vitest"
import * as Scenario from "../src/Scenario.ts"
import * as ScenarioPromise from "../src/ScenarioPromise.ts"
import * as Timeline from "../src/internal/timeline.ts"
import type { RouteAction } from "../src/scenario/ScenarioRoutes.ts"
import * as ScenarioRules from "../src/scenario/ScenarioRules.ts"
import type { History } from "../src/scenario/ScenarioHistory.ts"
import { appWith, type Changed, handlerWith, type Kept } from "./utils/routes.ts"

type Step = Scenario.Step<RouteAction>

const ada = { subject: "ada" } as const
const connect: Step = { _tag: "Consent", ...ada }
const call = { _tag: "Call", ...ada } as const
const lifetime: Step = { _tag: "Wait", time: "lifetime" }

const shown = ({ results }: History) => results.map(({ action, end, shown }) => `${action} ${shown ?? end}`)

// Rules are another thing.
const run = (app: ScenarioPromise.App<Kept>, steps: ReadonlyArray<Step>, options: ScenarioPromise.Options = {}) =>
  ScenarioPromise.run(app, steps, { rules: [], ...options })

/** What a page says when it is called. */
const saying =
  (say: () => Promise<unknown>): Changed =>
  (request) =>
    new URL(request.url).pathname === "/zaps" && request.method === "GET"
      ? say().then((text) => new Response(String(text)))
      : undefined

const textsOf = ({ results }: History) =>
  results.flatMap(({ action, exit }) =>
    action === "Call" && exit?._tag === "Success" ? [(exit.value as { readonly text: string }).text] : []
  )

describe("an app without Effect", () => {
  it("is visited by browsers: connects, shows, and disconnects", async () => {
    const history = await run(appWith(), [call, connect, call, { _tag: "Disconnect", ...ada }, call, lifetime])
    expect(shown(history)).toEqual([
      "Call Connect",
      "Consent Data",
      "Call Data",
      "Disconnect Data",
      "Call Connect",
      "Call Connect",
      "Call Connect"
    ])
    expect(history.exchanges.every(({ subject }) => subject === "ada")).toBe(true)
  })

  it("takes logins in all ways that are right, and in no other", async () => {
    const back = (which: "Own" | "Again" | "Other" | "Forged", more: { readonly browser?: "Other" } = {}): Step => ({
      _tag: "ComeBack",
      with: which,
      ...ada,
      ...more
    })
    const logIn = (subject: "ada" | "bob"): Step => ({ _tag: "LogIn", subject })
    const steps = [
      logIn("ada"),
      back("Own", { browser: "Other" }),
      back("Own"),
      logIn("ada"),
      back("Own"),
      back("Again"),
      logIn("bob"),
      back("Other"),
      back("Forged")
    ]
    const history = await run(appWith(), steps)
    expect(shown(history).slice(0, 7)).toEqual([
      "LogIn Data",
      "ComeBack Connect",
      "LogIn Data",
      "ComeBack Data",
      "ComeBack Connect",
      "LogIn Data",
      "ComeBack Connect"
    ])
    expect(shown(history)[7]).toBe("ComeBack Connect")
    expect(history.exchanges.filter(({ code }) => code !== undefined)).toHaveLength(1)
  })

  it("is found out when a login ends in another browser", async () => {
    const anywhere: Changed = (request, given) =>
      new URL(request.url).pathname === "/callback" && !request.headers.get("cookie")?.includes("login=")
        ? handlerWith()(given)(
            new Request(request.url, {
              headers: { cookie: `user=ada; login=${new URL(request.url).searchParams.get("state")}` }
            })
          )
        : undefined
    const steps: ReadonlyArray<Step> = [
      { _tag: "LogIn", ...ada },
      { _tag: "ComeBack", with: "Own", browser: "Other", ...ada }
    ]
    const rules = [ScenarioRules.bindsBrowsers]
    await expect(ScenarioPromise.run(appWith(anywhere), steps, { rules })).rejects.toMatchObject({
      rule: "A login ends in the browser that began it",
      steps: ["ada begins to connect, and allows it at Zapier", "ada comes back to the app, in another browser"]
    })
    await ScenarioPromise.run(appWith(anywhere, { expects: { otherBrowsers: true } }), steps, { rules })
  })

  it("shows each browser's requests and redirects, without codes and states", async () => {
    const steps: ReadonlyArray<Step> = [
      { _tag: "Consent", ...ada },
      { _tag: "LogIn", ...ada },
      { _tag: "ComeBack", with: "Own", browser: "Other", ...ada },
      { _tag: "Together", steps: [{ _tag: "Call", ...ada }, { _tag: "Crash" }] }
    ]
    const rule: ScenarioRules.Rule = {
      name: "Nobody does four things",
      check: ({ stepsBeganAt }) => (stepsBeganAt.length === 4 ? "somebody did" : undefined)
    }
    const failed: unknown = await ScenarioPromise.run(appWith(), steps, { rules: [rule] }).catch((error) => error)
    if (!(failed instanceof Scenario.ScenarioFailed)) throw new Error("it passes", { cause: failed })
    expect(failed.timeline.map((line) => line.slice(line.indexOf(" ") + 1))).toMatchInlineSnapshot(`
      [
        "1. ada connects: begins, allows, and comes back",
        "  ada's browser -> GET /connect",
        "  ada's browser <- 303 to https://api.zapier.com/v2/authorize (GET /connect)",
        "  ada's browser -> GET /callback",
        "  1 -> for ada: POST /oauth/token/ with a code of ada",
        "  1 <- 200, tokens ada#1",
        "  ada's browser <- 303 to /zaps (GET /callback)",
        "  ada's browser -> GET /zaps",
        "  2 -> for ada: GET /v2/zaps with access token ada#1",
        "  2 <- 200",
        "  ada's browser <- 200 (GET /zaps)",
        "  ada: Consent shows Data",
        "2. ada begins to connect, and allows it at Zapier",
        "  ada's browser -> GET /connect",
        "  ada's browser <- 303 to https://api.zapier.com/v2/authorize (GET /connect)",
        "  ada: LogIn shows Data",
        "3. ada comes back to the app, in another browser",
        "  ada's other browser -> GET /callback",
        "  ada's other browser <- 200 (GET /callback)",
        "  ada: ComeBack shows Connect",
        "4. at once: ada calls | the app is killed and started again",
        "  ada's browser -> GET /zaps",
        "  3 -> for ada: GET /v2/zaps with access token ada#1",
        "  3 <- 200",
        "  ada's browser <- 200 (GET /zaps)",
        "  ada: Call shows Data",
      ]
    `)
    const { entries = [], lanes = [] } = failed.diagram ?? {}
    expect(lanes.map(({ name }) => name)).toEqual(["ada's browser", "ada's other browser", "the app", "Zapier"])
    const arrows = entries.flatMap((entry) =>
      entry._tag === "Arrow" ? [`${lanes[entry.from]?.name} > ${lanes[entry.to]?.name}: ${entry.text}`] : []
    )
    expect(arrows.slice(0, 8)).toMatchInlineSnapshot(`
      [
        "ada's browser > the app: GET /connect",
        "the app > ada's browser: 303 to https://api.zapier.com/v2/authorize",
        "ada's browser > Zapier: allows on the consent page",
        "Zapier > ada's browser: sends the browser back: a code of ada",
        "ada's browser > the app: GET /callback",
        "the app > Zapier: POST /oauth/token/, a code of ada",
        "Zapier > the app: 200, tokens ada#1",
        "the app > ada's browser: 303 to /zaps",
      ]
    `)
    expect(arrows).toContain("ada's other browser > the app: GET /callback")
    expect(JSON.stringify(failed)).not.toMatch(/[?&](code|state)=/)
  })

  it("is called in another browser, too, which the first one's cookies do not reach", async () => {
    const inThisBrowser: Changed = (request) =>
      new URL(request.url).pathname === "/disconnect"
        ? new Response(null, { status: 303, headers: { location: "/zaps", "set-cookie": "off=1; Path=/" } })
        : request.headers.get("cookie")?.includes("off=1") === true
          ? new Response(`<a href="/connect">Connect</a>`, { headers: { "content-type": "text/html" } })
          : undefined
    const leave: Step = { _tag: "Disconnect", ...ada }
    const steps: ReadonlyArray<Step> = [connect, leave, call, { ...call, browser: "Other" }]
    const history = await run(appWith(inThisBrowser), steps)
    expect(shown(history).slice(1, 4)).toEqual(["Disconnect Data", "Call Connect", "Call Data"])
    const failed = ScenarioPromise.run(appWith(inThisBrowser), [connect, leave], {
      rules: [ScenarioRules.disconnectHolds]
    })
    await expect(failed).rejects.toMatchObject({ rule: "A disconnect is final" })
    await ScenarioPromise.run(appWith(), [connect, leave], { rules: [ScenarioRules.disconnectHolds] })
  })

  it("signs in with each browser, and again when its sessions are gone", async () => {
    const sessions: Array<Set<string>> = []
    const app = appWith(undefined, {
      start: (given) => {
        const mine = new Set<string>()
        sessions.push(mine)
        const answer = handlerWith()(given)
        return async (request) => {
          const user = /session=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1]
          if (new URL(request.url).pathname === "/login") {
            const name = new URLSearchParams(await request.text()).get("name") ?? ""
            mine.add(name)
            return new Response(null, { headers: { "set-cookie": `session=${name}; Path=/` } })
          }
          if (user === undefined || !mine.has(user))
            return new Response(null, { status: 303, headers: { location: "/login" } })
          request.headers.set("cookie", `${request.headers.get("cookie")}; user=${user}`)
          return answer(request)
        }
      },
      cookies: undefined,
      routes: { ...appWith().routes, signIn: (name) => ({ method: "POST", path: "/login", form: { name } }) }
    })
    const history = await run(app, [connect, { _tag: "Restart" }, call])
    expect(shown(history).slice(0, 2)).toEqual(["Consent Data", "Call Data"])
    expect(sessions.map((one) => [...one])).toEqual([["ada"], ["ada"]])
  })

  it("performs other actions of its users", async () => {
    const app = appWith(undefined, { routes: { ...appWith().routes, actions: { look: "/zaps?more" } } })
    const history = await run(app, [connect, { _tag: "Act", action: { name: "look", subject: "ada" } }])
    expect(shown(history)).toContain("Act Data")
  })

  it("classifies its own pages", async () => {
    const app = appWith(undefined, { shows: ({ path }) => (path === "/zaps" ? "Broken" : undefined) })
    expect(shown(await run(app, [call]))).toEqual(["Call Broken"])
  })

  it("shows a defect where its handler throws", async () => {
    const app = appWith(saying(() => Promise.reject(new Error("a bug"))))
    await expect(ScenarioPromise.run(app, [call])).rejects.toThrow(/No user sees a defect(.|\n)*a bug/)
  })
})

describe("time", () => {
  it("is the scenario's for the app, and the real one for everybody else", async () => {
    const began = Date.now()
    const starts: Array<number> = []
    const soon = saying(async () => {
      const from = Date.now()
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      await delay(60_000)
      const signal = AbortSignal.timeout(60_000)
      await new Promise((resolve) => signal.addEventListener("abort", resolve))
      return [Date.now() - from, new Date().getTime() - from, (signal.reason as Error).name].join()
    })
    const start = (given: ScenarioPromise.Given<Kept>) => {
      starts.push(Date.now(), performance.now())
      return handlerWith(soon)(given)
    }
    const history = await run(appWith(undefined, { start }), [call])
    expect(textsOf(history)).toEqual(["180000,180000,TimeoutError"])
    expect(starts).toEqual([Timeline.start, 0])
    expect(Date.now()).toBeGreaterThanOrEqual(began)
  })

  it("takes timers back, and knows them by number, too", async () => {
    const app = appWith(
      saying(async () => {
        const rang: Array<string> = []
        const timers = [1, 2].map((number) => setTimeout(() => rang.push(`${number}`), 1_000))
        clearTimeout(timers[0])
        clearTimeout(Number(timers[1]))
        const third = setTimeout(() => rang.push("third"), 1_000)
        await new Promise((resolve) => setTimeout(resolve, 900))
        third.refresh()
        await new Promise((resolve) => setTimeout(resolve, 900))
        rang.push("not yet")
        await new Promise((resolve) => setTimeout(resolve, 900))
        return rang.join()
      })
    )
    expect(textsOf(await run(app, [call]))).toEqual(["not yet,third"])
  })

  const names = ["Date", "setTimeout", "setInterval", "setImmediate", "clearTimeout", "fetch"] as const
  const globals = () => [
    ...names.map((name) => globalThis[name]),
    Object.getOwnPropertyDescriptor(performance, "now"),
    Object.getOwnPropertyDescriptor(AbortSignal, "timeout"),
    Math.random,
    Object.getOwnPropertyDescriptor(console, "log")
  ]

  it("leaves globals as they were, also when a rule is broken or the app cannot start", async () => {
    const before = globals()
    await run(appWith(), [call])
    expect(globals()).toEqual(before)
    await expect(ScenarioPromise.check(appWith(), { runs: 50 })).rejects.toThrow("The app breaks the rule")
    expect(globals()).toEqual(before)
    const broken = appWith(undefined, { start: () => Promise.reject(new Error("no database")) })
    await expect(run(broken, [call])).rejects.toThrow("no database")
    expect(globals()).toEqual(before)
  })

  it("runs two checks at once, and the second leaves globals as they were when the first began", async () => {
    const before = globals()
    const late = (millis: number) =>
      appWith(
        saying(async () => {
          await new Promise((resolve) => setTimeout(resolve, millis))
          return millis
        })
      )
    const all = await Promise.all([1_000, 2_000].map((millis) => run(late(millis), [call, call])))
    expect(all.map(textsOf)).toEqual([
      ["1000", "1000"],
      ["2000", "2000"]
    ])
    expect(globals()).toEqual(before)
  })

  it("refuses fake timers of a test runner", async () => {
    vi.useFakeTimers()
    try {
      await expect(run(appWith(), [call])).rejects.toThrow("vi.useRealTimers()")
    } finally {
      vi.useRealTimers()
    }
  })
})

describe("failures", () => {
  it("has request.signal aborted when a user hangs up, and not otherwise", async () => {
    const aborted: Array<boolean> = []
    const slow: Changed = (request) => {
      if (new URL(request.url).pathname !== "/zaps") return undefined
      return new Promise((resolve) => {
        request.signal.addEventListener("abort", () => aborted.push(true))
        setTimeout(() => (aborted.push(request.signal.aborted), resolve(new Response("Zaps"))), 1_000)
      })
    }
    const history = await run(appWith(slow), [{ _tag: "Together", steps: [call, { _tag: "HangUp", ...ada }] }, call])
    expect(shown(history)).toEqual(["Call HungUp", "Call Data"])
    expect(aborted).toEqual([true, true, false])
  })

  it("ends a process that is killed or restarted: nothing of it goes on", async () => {
    const did: Array<string> = []
    let starts = 0
    const app = appWith(undefined, {
      start: (given) => {
        const number = ++starts
        setInterval(() => did.push(`${number} ticks`), 60_000)
        const answer = handlerWith()(given)
        return {
          fetch: async (request) => {
            await new Promise((resolve) => setTimeout(resolve, 30_000))
            await fetch("https://elsewhere.example/")
            did.push(`${number} answers`)
            return answer(request)
          },
          close: () => did.push(`${number} is closed`)
        }
      }
    })
    const minutes: Step = { _tag: "Wait", time: "minutes" }
    const killed: Step = { _tag: "Together", steps: [call, { _tag: "Crash" }] }
    await run(app, [killed, minutes, { _tag: "Restart" }])
    expect(did.filter((what) => what.startsWith("1"))).toEqual([])
    expect(did.filter((what) => what.startsWith("2"))).toEqual([
      ...Array.from({ length: 5 }, () => "2 ticks"),
      "2 is closed"
    ])
    expect(did.at(-1)).toBe("3 is closed")
  })

  it("breaks connections as fetch says it, and closes requests that are aborted", async () => {
    const app = appWith(
      saying(async () => {
        const broken: unknown = await fetch("https://api.zapier.com/v2/zaps").catch((error: unknown) => error)
        const signal = AbortSignal.timeout(10_000)
        const silent: unknown = await fetch("https://api.zapier.com/v2/zaps", { signal }).catch(
          (error: unknown) => error
        )
        return [broken, silent].map((error) => `${(error as Error).name}: ${(error as Error).message}`).join()
      })
    )
    const arm = (_tag: "ConnectionReset" | "RequestSilent"): Step => ({ _tag: "Arm", rule: { fault: { _tag } } })
    const history = await run(app, [arm("ConnectionReset"), arm("RequestSilent"), call])
    expect(textsOf(history)).toEqual(["TypeError: fetch failed,TimeoutError: The operation was aborted due to timeout"])
  })

  it("gives an app a new secret when it starts, or when it asks", async () => {
    const secrets = new Set<string>()
    const steps: ReadonlyArray<Step> = [call, { _tag: "RegenerateSecret" }, { _tag: "Wait", time: "minutes" }, call]
    let starts = 0
    const start = (given: ScenarioPromise.Given<Kept>) => {
      starts++
      secrets.add(given.clientSecret)
      return handlerWith()(given)
    }
    await run(appWith(undefined, { start }), steps)
    expect([starts, secrets.size]).toEqual([2, 2])
    starts = 0
    await run(appWith(undefined, { start, asksForSecret: true }), steps)
    expect(starts).toBe(1)
  })

  it("looks at what is printed, and into stores that are shown", async () => {
    const printing = appWith((request) => {
      // oxlint-disable-next-line no-console
      if (request.url.includes("code=")) console.log(request.url)
      return undefined
    })
    await expect(ScenarioPromise.run(printing, [connect])).rejects.toThrow("is in the app's logs")
    const storing = appWith(undefined, { stored: ({ tokens }) => [...tokens] })
    await expect(ScenarioPromise.run(storing, [connect])).rejects.toThrow("is in the app's stores in plain text")
  })
})

describe("a report", () => {
  const failing = () =>
    ScenarioPromise.check(appWith(), { seed: 7 }).then(
      () => expect.unreachable(),
      (error: Scenario.ScenarioFailed) => error
    )

  it("is the same for the same seed", async () => {
    const first = await failing()
    expect(await failing()).toEqual(first)
    const { replay = "" } = first
    await expect(ScenarioPromise.check(appWith(), { seed: 7, replay })).rejects.toEqual(first)
  })

  it("shows no codes, states, tokens, and no cookies", async () => {
    const seen: Array<string> = []
    const noting: Changed = (request, { stores }) => {
      const { searchParams } = new URL(request.url)
      seen.push(...[searchParams.get("code"), searchParams.get("state")].filter((one) => one !== null))
      seen.push(...stores.tokens.values(), ...stores.states.keys())
      return undefined
    }
    const error = await ScenarioPromise.check(appWith(noting)).then(
      () => expect.unreachable(),
      (error: Scenario.ScenarioFailed) => error
    )
    const text = `${error.message}\n${JSON.stringify(error)}`
    expect(new Set(seen).size).toBeGreaterThan(10)
    for (const secret of seen) expect(text).not.toContain(secret)
    expect(text).not.toContain("login=")
  })
})

describe("an app that waits for something real", () => {
  const realTimeout = setTimeout
  const real = (millis: number) => new Promise<string>((resolve) => void realTimeout(() => resolve("done"), millis))
  const twice = appWith(saying(async () => [await real(30), await real(30)].join()))

  it("is waited for, and not accused", async () => {
    expect(textsOf(await run(twice, [call, call]))).toEqual(["done,done", "done,done"])
  })

  it("is waited for as it says", async () => {
    const turn = () => real(60)
    expect(textsOf(await run(twice, [call], { turn }))).toEqual(["done,done"])
  })

  it("mentions `turn` in its error", async () => {
    const never = appWith(saying(() => new Promise(() => undefined)))
    const turn = () => real(1)
    await expect(ScenarioPromise.run(never, [call], { turn })).rejects.toThrow(
      "ada waits for ever (Call); if it is for something outside of virtual time, say for how long with `turn`"
    )
    const silent: ReadonlyArray<Step> = [connect, { _tag: "Arm", rule: { fault: { _tag: "RequestSilent" } } }, call]
    await expect(
      ScenarioPromise.run(appWith(), silent, { rules: [ScenarioRules.alwaysResponds], turn })
    ).rejects.toThrow(/ada waits for ever \(Call\)\n/)
  })
})
