/**
 * Any text as one that every database takes as a key, for stores. Postgres refuses NUL, and half a surrogate pair is no
 * UTF-8: both are written with a backslash, and so is the backslash itself. Different texts stay different, and what a text
 * begins with stays what it begins with.
 *
 * @since 0.1.0
 */

// With the flag u, a surrogate is matched only where it has no other half.
const special = /[\\\0\p{Surrogate}]/gu

const escapeOne = (character: string): string => {
  if (character === "\\") return "\\\\"
  return character === "\0" ? "\\0" : `\\u${character.charCodeAt(0).toString(16)}`
}

/**
 * The text as a key.
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
 * The text of a key.
 *
 * @since 0.1.0
 */
export const unescape = (text: string): string => text.replace(escaped, unescapeOne)

// The code point after another, as UTF-8 orders them; the surrogates are none.
const following = (codePoint: number): number => (codePoint === 0xd7ff ? 0xe000 : codePoint + 1)

const last = 0x10ffff

/**
 * The first text, in the order of code points, that comes after all texts that begin with `prefix`. None if there is no
 * such text. Keys that begin with a text are those from it on and before its successor.
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
