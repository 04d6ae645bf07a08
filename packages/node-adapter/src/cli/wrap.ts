/** Text for people, broken into lines of at most 80 columns. */
import { displayWidth } from "effect/cli/CliOutput"

/** The columns of a terminal that is as narrow as terminals are by default. */
export const columns = 80

// A command or an address stands on an indented line of its own, so that it is copied in one piece.
const isLiteral = (line: string) => line.startsWith("  ")

const wrapLine = (line: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let current = ""
  for (const word of line.split(" ")) {
    const longer = current === "" ? word : `${current} ${word}`
    if (current !== "" && displayWidth(longer) > width) {
      lines.push(current)
      current = word
    } else {
      current = longer
    }
  }
  return [...lines, current]
}

/**
 * Breaks lines at blanks. A word that is longer than a line stays whole, and so does a line that begins with two blanks.
 *
 * @param options.width the columns of a line, the indent included. Default: 80
 * @param options.indent stands before every line but the first
 */
export const wrap = (
  text: string,
  { indent = "", width = columns }: { readonly indent?: string; readonly width?: number } = {}
): string =>
  text
    .split("\n")
    .flatMap((line) => (isLiteral(line) ? [line] : wrapLine(line, width - displayWidth(indent))))
    .join(`\n${indent}`)

/** Words in a row: `a, b or c`. */
export const oneOf = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

/** A number with its noun: `1 connection`, `2 connections`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`
