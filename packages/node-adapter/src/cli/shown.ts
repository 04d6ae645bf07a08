import { printable, quote } from "../internal/terminalText.ts"

/** A text as it is typed in a shell. */
export const typed = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : quote(text))

/** A text from elsewhere, for people: quoted, so that its beginning and end are seen. */
export const shown = (text: string): string => printable(JSON.stringify(text))

export const name = "zapier-workflow-auth"

/** A command of this program as it is typed. An option that is not given is left out. */
export const command = (words: string, options: { readonly [flag: string]: string | undefined } = {}): string =>
  [
    `${name} ${words}`,
    ...Object.entries(options).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag} ${typed(value)}`]))
  ].join(" ")
