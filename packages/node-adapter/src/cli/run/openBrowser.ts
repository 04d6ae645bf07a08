import * as Effect from "effect/Effect"
import open from "open"

/** Opens a page in the user's browser. Where there is none, nobody is told: the address has been printed. */
export const openBrowser = (url: string): Effect.Effect<void> =>
  Effect.ignore(
    Effect.tryPromise(async () => {
      const child = await open(url)
      // It has an error of its own when there is nothing that opens pages.
      child.once("error", () => {})
    })
  )
