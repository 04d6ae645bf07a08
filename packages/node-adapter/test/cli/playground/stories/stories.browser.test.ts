/** Each story in a real browser, by one click. What the columns say comes from processes and servers that are there. */
import { afterAll, assert, beforeAll, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Page } from "playwright-core"
import * as Browser from "../../../../../testing/test/utils/Browser.ts"
import * as Looks from "../../../../../testing/test/utils/Looks.ts"
import { stories } from "../../../../src/cli/playground/stories/stories.ts"
import * as PlaygroundWorld from "../../../utils/PlaygroundWorld.ts"

/** What each column says in the end, from left to right. */
const verdicts: { readonly [story: string]: ReadonlyArray<string | RegExp> } = {
  hours: [
    "2 of 2 calls succeeded. Refreshes sent: 1. Ada is still connected.",
    "2 of 2 calls succeeded. Refreshes sent: 1. Ada is still connected."
  ],
  fifty: [
    "51 of 51 calls succeeded. Refreshes sent: 1. Ada is still connected.",
    /^[01] of 51 calls succeeded\. Refreshes sent: ([2-9]|[1-5]\d)\. Ada has to connect again\.$/
  ],
  lost: [
    "0 of 2 calls succeeded. Refreshes sent: 2. Ada has to connect again.",
    "0 of 2 calls succeeded. Refreshes sent: 2. Ada has to connect again.",
    "2 of 2 calls succeeded. Refreshes sent: 2. Ada is still connected.",
    "1 of 2 calls succeeded. Refreshes sent: 2. Ada is still connected."
  ],
  processes: [
    "12 of 12 calls succeeded. Refreshes sent: 1. Ada is still connected.",
    /^\d of 12 calls succeeded\. Refreshes sent: ([2-9]|1\d)\. Ada has to connect again\.$/
  ],
  deployment: [
    "1 of 2 calls succeeded. Refreshes sent: 1. Ada is still connected.",
    "0 of 2 calls succeeded. Refreshes sent: 2. Ada has to connect again."
  ],
  powerCut: [
    "0 of 2 calls succeeded. Refreshes sent: 2. Ada has to connect again.",
    "0 of 2 calls succeeded. Refreshes sent: 2. Ada has to connect again.",
    "1 of 2 calls succeeded. Refreshes sent: 2. Ada is still connected.",
    "1 of 2 calls succeeded. Refreshes sent: 2. Ada is still connected."
  ],
  secret: [
    "1 of 2 calls succeeded. Refreshes sent: 2. Ada is still connected.",
    "0 of 2 calls succeeded. Refreshes sent: 1. Ada has to connect again."
  ],
  // On a busy machine, callers may wait for longer than they were told to.
  slow: [
    /^[123] of 3 calls succeeded\. Refreshes sent: 1\. Ada is still connected\.$/,
    "0 of 3 calls succeeded. Refreshes sent: 2. Ada has to connect again."
  ]
}

await Browser.describeInBrowser("the stories, in a browser", (browser) => {
  const openAt = Effect.fnUntraced(function* (origin: string) {
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext({ viewport: { width: 1_440, height: 900 } })),
      (context) => Effect.promise(() => context.close())
    )
    return yield* Effect.promise(async () => {
      const page = await context.newPage()
      page.setDefaultTimeout(Browser.patience)
      await page.goto(origin)
      return page
    })
  })

  const open = Effect.flatMap(PlaygroundWorld.serving, ({ origin }) => openAt(origin))

  const scope = Scope.makeUnsafe()
  let shared: Page

  beforeAll(async () => {
    shared = await Effect.runPromise(Effect.provideService(open, Scope.Scope, scope))
  })

  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  it("are all told here", () => {
    expect(Object.keys(verdicts)).toEqual(Object.keys(stories))
  })

  it.each(Object.keys(verdicts))("%s: ends as it should in each column", async (name) => {
    const story = shared.locator(`#${name}`)
    await story.getByRole("button").click()
    await story.locator(".verdict, .failure").waitFor()
    expect(await story.locator(".failure").allInnerTexts()).toEqual([])
    const texts = await story.locator(".verdict .columns > li > span:last-child").allInnerTexts()
    const expected = verdicts[name] ?? []
    expect(texts).toHaveLength(expected.length)
    expected.forEach((one, index) => {
      if (typeof one === "string") assert.strictEqual(texts[index], one)
      else assert.match(texts[index] ?? "", one)
    })
    // Each step was told, and the newest is what a screen reader says.
    expect(await story.locator(".told > li:not(.to-come)").count()).toBe(stories[name]?.steps.length)
    const last = `${stories[name]?.title}, in the end.`
    await shared.getByRole("status").filter({ hasText: last }).waitFor({ state: "attached" })
  })

  it("look as they should when they were played, and axe finds nothing wrong", async () => {
    expect(await Looks.problemsOf(shared, "playground-played")).toEqual([])
  })

  it.live("keep the focus on the button, say what is new alone, and show the source of both clients", () =>
    Effect.gen(function* () {
      const page = yield* open
      yield* Effect.promise(async () => {
        expect(await Looks.problemsOf(page, "playground-stories")).toEqual([])
        await page.evaluate(`
          said = []
          new MutationObserver(() => said.push(document.getElementById("news").textContent)).observe(document.getElementById("news"), { childList: true })
        `)
        await page.locator("#source summary").press("Enter")
        await page.locator("#play-hours").press("Enter")
        await page.locator("#hours .verdict").waitFor()
        expect(await page.evaluate("document.activeElement.id")).toBe("play-hours")
        const said = await page.evaluate<ReadonlyArray<string>>("said")
        expect(said.at(-1)).toMatch(
          /^Ten hours later, in the end\. With the library: 2 of 2 .* Written by hand: 2 of 2/
        )
        for (const one of said) expect(one.length).toBeLessThan(300)
        // What was opened stays open.
        const source = page.getByRole("region", { name: "Source of the client written by hand" })
        expect(await source.innerText()).toContain("if (Date.now() >= tokens.expiresAt) tokens = await refresh(")
        expect(await source.innerText()).not.toContain("@effect-diagnostics")
        expect(await Looks.problemsOf(page, "playground-sources")).toEqual([])
      })
    })
  )

  it.live("say so when the playground has ended", () =>
    Effect.gen(function* () {
      const page = yield* Effect.scoped(
        Effect.gen(function* () {
          const { origin } = yield* PlaygroundWorld.serving
          return yield* Effect.promise(async () => {
            const page = await browser.newPage()
            page.setDefaultTimeout(Browser.patience)
            await page.goto(origin)
            return page
          })
        })
      )
      yield* Effect.promise(async () => {
        await page.getByRole("alert").filter({ hasText: "The playground does not respond." }).waitFor()
        await page.locator("#play-hours").click()
        expect(await Looks.problemsOf(page, "playground-gone")).toEqual([])
        await page.close()
      })
    })
  )
})
