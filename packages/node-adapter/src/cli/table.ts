/** Tables that fit a terminal: the last column is wrapped, and a cell that is too wide has a line of its own. */
import { displayWidth } from "effect/cli/CliOutput"
import { oneLine } from "../internal/terminalText.ts"
import { columns, wrap } from "./wrap.ts"

const gap = 2

// Columns that the last cell of a row is left at least.
const narrowest = 24

const pad = (text: string, width: number) => text + " ".repeat(Math.max(0, width - displayWidth(text)))

/** A row, and notes about it, which are printed on indented lines below it. */
export interface Row {
  readonly cells: ReadonlyArray<string>
  readonly note?: string | undefined
}

/** The widths of all columns but the last, which has the rest. The widest gives way until the last has enough. */
const widthsOf = (rows: ReadonlyArray<ReadonlyArray<string>>, indent: number) => {
  const count = Math.max(...rows.map((row) => row.length)) - 1
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((row) => displayWidth(row[column] ?? "")))
  )
  const last = Math.max(...rows.map((row) => displayWidth(row[count] ?? "")))
  const room = columns - indent - gap * count - Math.min(last, narrowest)
  const total = () => widths.reduce((sum, width) => sum + width, 0)
  while (total() > room) {
    const widest = widths.indexOf(Math.max(...widths))
    widths[widest] = (widths[widest] ?? 0) - 1
    if ((widths[widest] ?? 0) <= 0) break
  }
  return widths
}

const line = (cells: ReadonlyArray<string>, widths: ReadonlyArray<number>, indent: string) => {
  const lines: Array<string> = []
  let current = indent
  let at = indent.length
  widths.forEach((width, column) => {
    const cell = cells[column] ?? ""
    current = pad(current, at) + cell
    at += width + gap
    // The next cell keeps its column, on the next line.
    if (displayWidth(cell) > width) {
      lines.push(current)
      current = ""
    }
  })
  const last = wrap(cells[widths.length] ?? "", { indent: " ".repeat(at), width: columns })
  return [...lines, pad(current, at) + last].map((text) => text.trimEnd()).filter((text) => text !== "")
}

/**
 * Rows for people, in columns as wide as their widest cell.
 *
 * @param indent blanks before every line
 */
export const format = (rows: ReadonlyArray<Row>, indent = 0): string => {
  const all = rows.map(({ cells, note }) => ({ cells: cells.map(oneLine), note }))
  const widths = widthsOf(
    all.map(({ cells }) => cells),
    indent
  )
  const margin = " ".repeat(indent)
  return all
    .flatMap(({ cells, note }) => [
      ...line(cells, widths, margin),
      ...(note === undefined ? [] : [`${margin}  ${wrap(oneLine(note), { indent: `${margin}  ` })}`])
    ])
    .join("\n")
}
