import { quote } from "../internal/privateFile.ts"

// Subjects come from anywhere. What could move the cursor of a terminal, or the direction of the text, is shown as its code.
const control = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** A text as it is typed in a shell. */
export const typed = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : quote(text))

/** A text from anywhere, for people. */
export const shown = (text: string): string =>
  JSON.stringify(text).replace(control, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)
