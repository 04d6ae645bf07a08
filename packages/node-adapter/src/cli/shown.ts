import { printable, quote } from "../internal/terminalText.ts"

/** A text as it is typed in a shell. */
export const typed = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : quote(text))

/** A text from anywhere, for people: quoted, so that they see where it begins and ends. */
export const shown = (text: string): string => printable(JSON.stringify(text))
