/** Checks that `docs/gallery.md` shows the zoo's reports. `npx vitest run bench/gallery.test.ts -u` writes it. */
import { expect, it } from "@effect/vitest"
import * as Gallery from "./zoo/gallery.ts"

it("docs/gallery.md has the reports as they are printed", async () => {
  await expect(await Gallery.page()).toMatchFileSnapshot("../docs/gallery.md")
})
