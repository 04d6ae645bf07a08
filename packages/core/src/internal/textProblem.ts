/** Describes problems with a text without showing it, because it may be a secret. `undefined` means no problem. */

/** Checks a text that is not empty. */
export type Check = (text: string) => string | undefined

/** The first problem of a value that should be text. */
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
  return /\s/.test(character) ? "a space" : undefined
}

/** Checks for white space at the ends, which copying often adds. */
export const edges: Check = (text) => {
  const start = kindOf(text.slice(0, 1))
  if (start !== undefined) return `it begins with ${start}`
  const end = kindOf(text.slice(-1))
  return end === undefined ? undefined : `it ends with ${end}`
}

/** Checks for surrounding quotes, which some parsers of variables keep. */
export const quotes: Check = (text) => (/^(["'`]).*\1$/s.test(text) ? "it is in quotes; remove them" : undefined)

/** Checks for a forbidden character, and reports the position of the first. */
export const holds =
  (forbidden: RegExp, what: string): Check =>
  (text) => {
    const at = text.search(forbidden)
    return at === -1 ? undefined : `it contains ${kindOf(text[at] ?? "") ?? what}, at position ${at + 1}`
  }

/** Checks for an unpaired surrogate. */
export const unpaired: Check = (text) =>
  text.isWellFormed() ? undefined : "it contains an unpaired surrogate, which has no encoding"

/** Checks the length in bytes of UTF-8. */
export const longerThan =
  (most: number): Check =>
  (text) => {
    const isLonger = text.length > most || (text.length * 3 > most && new TextEncoder().encode(text).length > most)
    return isLonger ? `it is longer than ${most} bytes of UTF-8` : undefined
  }
