/** The sources of the two clients, as the page shows them. */
import { readFile } from "node:fs/promises"
import * as Effect from "effect/Effect"

// These are separate files, here and in the bundle.
const file = (name: string) => new URL(name, import.meta.url)

const isDirective = (line: string) => line.startsWith("// @effect-diagnostics")

const read = (name: string) =>
  Effect.map(
    Effect.promise(() => readFile(file(name), "utf8")),
    (text) =>
      text
        .split("\n")
        .filter((line) => !isDirective(line))
        .join("\n")
        .trim()
  )

export const sources = Effect.all({ byHand: read("./byHand.ts"), withLibrary: read("./withLibrary.ts") })

export type Sources = Effect.Success<typeof sources>
