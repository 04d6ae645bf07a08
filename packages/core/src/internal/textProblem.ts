/** What is wrong with a text, in words that show nothing of it: it may be a secret. Nothing is wrong: `undefined`. */

/** Says what is wrong with a text that is not empty. */
export type Check = (text: string) => string | undefined

/** The first thing that is wrong with what should be a text. */
export const first = (value: unknown, ...checks: ReadonlyArray<Check>): string | undefined => {
  if (value === undefined || value === null) return "it is missing"
  if (typeof value !== "string") return "it is not text"
  if (value === "") return "it is empty"
  for (const check of checks) {
    const problem = check(value)
    if (problem !== undefined) return problem
  }
  return undefined
}

const kindOf = (character: string) => {
  if (/[\r\n\u2028\u2029]/.test(character)) return "a line break"
  return /\s/.test(character) ? "a blank" : undefined
}

/** Whether it begins or ends with white space, as what was copied often does. */
export const edges: Check = (text) => {
  const start = kindOf(text.slice(0, 1))
  if (start !== undefined) return `it begins with ${start}`
  const end = kindOf(text.slice(-1))
  return end === undefined ? undefined : `it ends with ${end}`
}

/** Whether it is in quotes, which some readers of variables leave where they are. */
export const quotes: Check = (text) => (/^(["'`]).*\1$/s.test(text) ? "it is in quotes; leave them out" : undefined)

/** Whether it holds a character that it must not, and where the first of them is. */
export const holds =
  (forbidden: RegExp, what: string): Check =>
  (text) => {
    const at = text.search(forbidden)
    return at === -1 ? undefined : `it holds ${kindOf(text[at] ?? "") ?? what}, at position ${at + 1}`
  }

/** Whether half a surrogate pair is in it. */
export const unpaired: Check = (text) =>
  text.isWellFormed() ? undefined : "it holds half a surrogate pair, which has no encoding"

/** Whether it is longer than so many bytes of UTF-8. */
export const longerThan =
  (most: number): Check =>
  (text) => {
    const isLonger = text.length > most || (text.length * 3 > most && new TextEncoder().encode(text).length > most)
    return isLonger ? `it is longer than ${most} bytes of UTF-8` : undefined
  }
