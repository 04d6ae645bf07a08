/** The Connect pages of White Label in a real browser, and what they look like in `test-output`. */
import { assert, it } from "@effect/vitest"
import * as Connect from "../../../../src/fake/internal/pages/connect.ts"
import * as Browser from "../../../utils/Browser.ts"
import * as Looks from "../../../utils/Looks.ts"

const asked = {
  app: "Slack",
  partner: "Acme Notes",
  renewed: undefined,
  theme: undefined,
  session: "a-session",
  action: "https://connect.zapier.example/to/slack"
}

const pages = {
  new: Connect.connect(asked),
  renewed: Connect.connect({ ...asked, renewed: "Slack of Ada", theme: "midnight" }),
  connected: Connect.ended(200, { type: "authenticationSuccess", authId: 1 }),
  failed: Connect.ended(403, { type: "authenticationError", error: "access_denied" }),
  problem: Connect.problem(400, "The token in this link has expired.")
}

await Browser.describeInBrowser("the Connect pages, in a browser", (browser) => {
  it.each(Object.keys(pages) as ReadonlyArray<keyof typeof pages>)(
    "look as they should, light and dark, wide and narrow, and axe finds nothing wrong: %s",
    async (name) => {
      const page = await browser.newPage()
      try {
        await page.setContent(pages[name].body)
        assert.strictEqual(await page.locator("h1").count(), 1)
        assert.deepStrictEqual(await Looks.problemsOf(page, `connect-${name}`), [])
      } finally {
        await page.close()
      }
    }
  )
})
