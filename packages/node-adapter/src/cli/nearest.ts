/** The text that was probably meant by one that is misspelled. */

/** How many letters have to be inserted, removed or replaced to turn one text into another. */
const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [index, letter] of Array.from(from).entries()) {
    const next = [index + 1]
    for (const [column, other] of Array.from(to).entries()) {
      next.push(
        Math.min((row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1, (row[column] ?? 0) + (letter === other ? 0 : 1))
      )
    }
    row = next
  }
  return row[to.length] ?? 0
}

// Letters that may be wrong.
const tolerance = 2

export const nearest = <Text extends string>(text: string, candidates: ReadonlyArray<Text>): Text | undefined =>
  candidates
    .map((candidate) => ({ candidate, wrong: distance(text, candidate) }))
    .filter(({ wrong }) => wrong <= tolerance)
    .toSorted((one, other) => one.wrong - other.wrong)[0]?.candidate
