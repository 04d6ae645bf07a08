import { assert, it } from "@effect/vitest"
import * as Browser from "./Browser.ts"
import * as Looks from "./Looks.ts"

await Browser.describeInBrowser("looks, in a browser", (browser) => {
  it("report the defects of a page, for each look", async () => {
    const page = await browser.newPage()
    try {
      await page.setContent(`<!doctype html><html lang="en"><head><title>Wrong</title><style>
        p { color: #999; background: #fff; width: 500px; }
        @media (prefers-color-scheme: dark) { p { color: #fff; background: #000; } }
      </style></head><body><main><h1>Wrong</h1><p>Pale</p><button></button></main></body></html>`)
      assert.deepStrictEqual(await Looks.problemsOf(page, "looks-wrong"), [
        "looks-wrong-light-1440: button-name: button",
        "looks-wrong-light-1440: color-contrast: p",
        "looks-wrong-dark-1440: button-name: button",
        "looks-wrong-light-390: button-name: button",
        "looks-wrong-light-390: color-contrast: p",
        "looks-wrong-light-390: is 508 wide",
        "looks-wrong-dark-390: button-name: button",
        "looks-wrong-dark-390: is 508 wide"
      ])
    } finally {
      await page.close()
    }
  })
})
