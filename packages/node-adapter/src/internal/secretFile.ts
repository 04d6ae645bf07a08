/** The client secret in a file. */
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as PrivateFile from "./privateFile.ts"

const kind: PrivateFile.Kind = {
  type: "File",
  setting: "client secret file",
  holds: "client secret",
  needs: 0o400
}

/** A secret without the line break that every editor, and `echo`, ends a file with. Other white space may be a mistake. */
export const withoutNewline = (text: string): string => text.replace(/\r?\n$/, "")

/** What a file holds. */
export const read = Effect.fnUntraced(function* (path: string) {
  const files = yield* PrivateFile.make
  const paths = yield* Path.Path
  return Redacted.make(withoutNewline(yield* files.read(kind, paths.resolve(path))))
})
