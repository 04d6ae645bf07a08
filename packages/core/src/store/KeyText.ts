/**
 * Escapes text so that every database accepts it as a key.
 *
 * Postgres refuses NUL, and an unpaired surrogate is not valid UTF-8: both are escaped with a backslash, and so is the
 * backslash. Different texts stay different, and prefixes stay prefixes.
 *
 * @since 0.1.0
 */

// With the flag u, only unpaired surrogates match.
const special = /[\\\0\p{Surrogate}]/gu

const escapeOne = (character: string): string => {
  if (character === "\\") return "\\\\"
  return character === "\0" ? "\\0" : `\\u${character.charCodeAt(0).toString(16)}`
}

/**
 * Escapes text to a key.
 *
 * @example
 * ```ts
 * import * as KeyText from "@zapier-workflow-auth/core/store/KeyText"
 *
 * KeyText.escape("ada") // => "ada"
 * KeyText.escape("a\0b") // => "a\\0b"
 * KeyText.unescape(KeyText.escape("a\0b")) // => "a\0b"
 * ```
 *
 * @since 0.1.0
 */
export const escape = (text: string): string => text.replace(special, escapeOne)

const escaped = /\\(?:\\|0|u([0-9a-f]{4}))/g

const unescapeOne = (sequence: string, code: string | undefined): string => {
  if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
  return sequence === "\\0" ? "\0" : "\\"
}

/**
 * Restores the text of a key.
 *
 * @since 0.1.0
 */
export const unescape = (text: string): string => text.replace(escaped, unescapeOne)

// The next code point in UTF-8 order, which has no surrogates.
const following = (codePoint: number): number => (codePoint === 0xd7ff ? 0xe000 : codePoint + 1)

const last = 0x10ffff

/**
 * The first text, in code point order, after all texts that begin with `prefix`. `undefined` if there is none.
 *
 * Keys that begin with a text are those from the text up to its successor.
 *
 * @since 0.1.0
 */
export const successor = (prefix: string): string | undefined => {
  const characters = Array.from(prefix)
  while (characters.length > 0) {
    const codePoint = characters.pop()?.codePointAt(0) ?? last
    if (codePoint < last) return characters.join("") + String.fromCodePoint(following(codePoint))
  }
  return undefined
}
