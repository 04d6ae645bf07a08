/**
 * The text of a key file: a key a line, the first of which encrypts, all of which decrypt, and comments behind `#`.
 *
 * A key is replaced in stages, because each process reads the file once, when it starts. The new key is added at the end,
 * where it only decrypts, until every process has it; then it is put first; and the others are dropped when nothing needs
 * them any more. What stage it is must be seen from the file alone, also by somebody who was interrupted and starts again:
 * the comment of a key that was added and does not encrypt yet begins with `next`.
 *
 * - `Single`: nothing is being replaced
 * - `Begun`: a new key is there and does not encrypt yet
 * - `Switched`: the first key encrypts, and older ones are still there
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

/** The key that was added and does not encrypt yet. */
export const nextOf = (text: string): string | undefined => linesOf(text).find(({ isNext }) => isNext)?.key

/** With a new key, which does not encrypt yet. `made` is a day, for people. */
export const begun = (text: string, key: string, made: string): string =>
  `${textOf(linesOf(text))}${key} # next, made ${made}\n`

/** With the key that was added as the one that encrypts. */
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

/** With the key that encrypts alone. */
export const finished = (text: string): string => {
  const lines = linesOf(text)
  const current = lines.find(({ key }) => key !== undefined)
  return textOf(lines.filter((line) => line === current || line.key === undefined))
}
