import { displayWidth } from "effect/cli/CliOutput"

/** Rows for people, in columns as wide as their widest cell. */
export const format = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ""))))
  const line = (row: ReadonlyArray<string>) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell)))
      .join("  ")
      .trimEnd()
  return all.map(line).join("\n")
}
