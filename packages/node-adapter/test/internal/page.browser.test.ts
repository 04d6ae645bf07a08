/** How the pages look in a real browser, on a small telephone, with a long name of the app. */
import { expect, it } from "@effect/vitest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { english, type PageName } from "../../src/ConnectTexts.ts"
import * as Words from "../../src/internal/connect/words.ts"
import * as Page from "../../src/internal/page.ts"
import * as Browser from "../../../testing/test/utils/Browser.ts"
import * as Looks from "../../../testing/test/utils/Looks.ts"

const names = Object.keys(english.pages) as ReadonlyArray<PageName>

const html = (name: PageName, texts = { app: "Donaudampfschifffahrtsgesellschaftskapitaensverwaltung" }) => {
  const { text, title } = Words.pageTexts(texts, name)
  const links = [
    { url: "/zapier/connect", text: Words.shared(texts, "tryAgain") },
    { url: "/", text: Words.shared(texts, "back") }
  ]
  const page = { title, words: [text, Words.shared(texts, "closeWindow")], links }
  return HttpServerResponse.toWeb(Page.respond(200, page)).text()
}

await Browser.describeInBrowser("the pages, in a browser", (browser) => {
  it.each(["light", "dark"] as const)("fit 320 pixels, and show where the focus is (%s)", async (colorScheme) => {
    const context = await browser.newContext({ viewport: { width: 320, height: 480 }, colorScheme })
    try {
      const page = await context.newPage()
      for (const name of names) {
        await page.setContent(await html(name))
        await page.keyboard.press("Tab")
        const seen = await page.evaluate(() => ({
          tooWide: document.documentElement.scrollWidth > window.innerWidth,
          headings: document.querySelectorAll("h1").length,
          focused: document.activeElement?.parentElement?.className,
          outline: getComputedStyle(document.activeElement ?? document.body).outlineStyle,
          moves: document.getAnimations().length,
          ground: getComputedStyle(document.body).backgroundColor
        }))
        expect([name, seen]).toEqual([
          name,
          {
            tooWide: false,
            headings: 1,
            focused: "button",
            outline: "solid",
            moves: 0,
            ground: colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(22, 19, 17)"
          }
        ])
      }
    } finally {
      await context.close()
    }
  })

  it.each(names)(
    "look as they should, light and dark, wide and narrow, and axe finds nothing wrong: %s",
    async (name) => {
      const page = await browser.newPage()
      try {
        await page.setContent(await html(name, { app: "Acme Notes" }))
        expect(await Looks.problemsOf(page, `page-${name}`)).toEqual([])
      } finally {
        await page.close()
      }
    }
  )

  it("are read from the right where their language is", async () => {
    const page = await browser.newPage()
    try {
      const response = Page.respond(200, { lang: "ar", title: "اتصل Zapier", words: ["تم"] })
      await page.setContent(await HttpServerResponse.toWeb(response).text())
      expect(await page.evaluate(() => getComputedStyle(document.querySelector("h1") ?? document.body).direction)).toBe(
        "rtl"
      )
    } finally {
      await page.close()
    }
  })
})
