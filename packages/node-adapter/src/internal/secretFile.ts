/** Reads the client secret from a file. */
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

/** Removes the final line break that editors and `echo` add. Other white space may be a mistake, and is kept. */
export const withoutNewline = (text: string): string => text.replace(/\r?\n$/, "")

/** Reads the secret in a file. */
export const read = Effect.fnUntraced(function* (path: string) {
  const files = yield* PrivateFile.make
  const paths = yield* Path.Path
  return Redacted.make(withoutNewline(yield* files.read(kind, paths.resolve(path))))
})
