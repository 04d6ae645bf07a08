/**
 * Makes untrusted text safe for a terminal. Control characters can move the cursor, rename the window or paste text, and
 * bidirectional overrides reorder text: each is shown as its code instead.
 *
 * This includes C1 controls (U+0080 to U+009F): many terminals obey them like sequences that begin with ESC.
 */
const unsafe = /(?!\n|\t|\r\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

const codeOf = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Keeps line breaks and tabs. JSON stays the same JSON. */
export const printable = (text: string): string => text.replace(unsafe, codeOf)

/** Puts text on one line, so that no value looks like a line of ours. */
export const oneLine = (text: string): string => printable(text.replace(/[\n\t\r]/g, codeOf))

const encoder = new TextEncoder()

const octal = (character: string) =>
  Array.from(encoder.encode(character), (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")

/** Quotes text as one shell word without control characters, for commands to copy (POSIX.1-2024, section 2.2.4). */
export const quote = (text: string): string =>
  oneLine(text) === text
    ? `'${text.replaceAll("'", `'\\''`)}'`
    : `$'${text
        .replace(/[\\']/g, "\\$&")
        .replace(/[\n\t\r]/g, octal)
        .replace(unsafe, octal)}'`
