/**
 * Parses and edits a key file: one key per line, with comments after `#`. The first key encrypts; all decrypt.
 *
 * A key is replaced in stages, because each process reads the file only at its start. The new key is added at the end, where
 * it only decrypts, until every process has it; then it moves to the front; the old keys are removed once no record needs
 * them. The stage must be readable from the file alone, so that an interrupted replacement can continue: the comment of a
 * key that was added and does not yet encrypt begins with `next`.
 *
 * - `Single`: no replacement in progress
 * - `Begun`: a new key was added and does not yet encrypt
 * - `Switched`: the new key encrypts, and older ones remain
 */

export type Stage = "Single" | "Begun" | "Switched"

interface Line {
  readonly text: string
  readonly key: string | undefined
  readonly isNext: boolean
}

const lineOf = (text: string): Line => {
  const [before = "", comment = ""] = text.split(/#(.*)/s)
  const key = before.trim()
  return key === "" ? { text, key: undefined, isNext: false } : { text, key, isNext: /^\s*next\b/.test(comment) }
}

const linesOf = (text: string): ReadonlyArray<Line> =>
  text
    .replace(/\s+$/, "")
    .split(/\r?\n/)
    .map((line) => lineOf(line))

const textOf = (lines: ReadonlyArray<Line>): string => lines.map(({ text }) => `${text}\n`).join("")

export const keysOf = (text: string): ReadonlyArray<string> =>
  linesOf(text).flatMap(({ key }) => (key === undefined ? [] : [key]))

export const stageOf = (text: string): Stage => {
  if (linesOf(text).some(({ isNext }) => isNext)) return "Begun"
  return keysOf(text).length > 1 ? "Switched" : "Single"
}

/** The key that was added and does not yet encrypt. */
export const nextOf = (text: string): string | undefined => linesOf(text).find(({ isNext }) => isNext)?.key

/** Adds a new key that does not yet encrypt. `made` is a date, as a comment. */
export const begun = (text: string, key: string, made: string): string =>
  `${textOf(linesOf(text))}${key} # next, made ${made}\n`

/** Lets the added key encrypt. */
export const switched = (text: string): string => {
  const lines = linesOf(text)
  const next = lines.find(({ isNext }) => isNext)
  if (next === undefined) return text
  const others = lines.filter((line) => line !== next)
  const first = others.findIndex(({ key }) => key !== undefined)
  // Comments above the keys stay above them.
  const at = first === -1 ? others.length : first
  const current = lineOf(next.text.replace(/#\s*next\b,?\s*/, "# "))
  return textOf([...others.slice(0, at), current, ...others.slice(at)])
}

/** Removes all keys but the one that encrypts. */
export const finished = (text: string): string => {
  const lines = linesOf(text)
  const current = lines.find(({ key }) => key !== undefined)
  return textOf(lines.filter((line) => line === current || line.key === undefined))
}
