/**
 * Text from elsewhere, as a terminal may show it. Control characters move the cursor, rename the window or paste, and
 * bidirectional overrides show text in another order than it is in: each is shown as its code instead.
 *
 * C1 controls (U+0080 to U+009F) are among them: many terminals obey them like those that begin with ESC.
 */
const unsafe = /(?!\n|\t|\r\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

const codeOf = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** With its lines and tabs as they are. What is JSON before is the same JSON afterwards. */
export const printable = (text: string): string => text.replace(unsafe, codeOf)

/** In one line, so that no value looks like a line of ours. */
export const oneLine = (text: string): string => printable(text.replace(/[\n\t\r]/g, codeOf))

const encoder = new TextEncoder()

const octal = (character: string) =>
  Array.from(encoder.encode(character), (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")

/** For people who copy a command into a shell: one word, which holds no control character (POSIX.1-2024, section 2.2.4). */
export const quote = (text: string): string =>
  oneLine(text) === text
    ? `'${text.replaceAll("'", `'\\''`)}'`
    : `$'${text
        .replace(/[\\']/g, "\\$&")
        .replace(/[\n\t\r]/g, octal)
        .replace(unsafe, octal)}'`
