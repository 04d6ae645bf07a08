import { displayWidth } from "effect/cli/CliOutput"
import { oneLine } from "../internal/terminalText.ts"

/** Rows for people, each in a line of its own, in columns as wide as their widest cell. */
export const format = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const all = [head, ...rows].map((row) => row.map(oneLine))
  const widths = head.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ""))))
  const line = (row: ReadonlyArray<string>) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell)))
      .join("  ")
      .trimEnd()
  return all.map(line).join("\n")
}
