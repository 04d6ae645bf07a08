/** Finds the text that the user probably meant by a misspelled one. */
import { editDistance } from "../internal/editDistance.ts"

// Letters that may be wrong.
const tolerance = 2

export const nearest = <Text extends string>(text: string, candidates: ReadonlyArray<Text>): Text | undefined =>
  candidates
    .map((candidate) => ({ candidate, wrong: editDistance(text, candidate) }))
    .filter(({ wrong }) => wrong <= tolerance)
    .toSorted((one, other) => one.wrong - other.wrong)[0]?.candidate
