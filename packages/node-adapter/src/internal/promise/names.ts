/** Names of options that do not exist: each is refused, and the option that was probably meant is named. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { invalid } from "./input.ts"

/** The names of options, each with the names of what is in it. */
export interface Names {
  readonly [name: string]: Names
}

/** Names in which nothing more is checked here. */
export const plain = (...names: ReadonlyArray<string>): Names => Object.fromEntries(names.map((name) => [name, {}]))

/** How many letters have to be inserted, left out or replaced to make one text of the other. */
const distance = (one: string, other: string): number => {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [row, letter] of Array.from(one).entries()) {
    const current = [row + 1]
    for (let column = 1; column <= other.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    above = current
  }
  return above.at(-1) ?? 0
}

const pathsOf = (names: Names, prefix = ""): ReadonlyArray<string> =>
  Object.entries(names).flatMap(([name, inside]) => [`${prefix}${name}`, ...pathsOf(inside, `${prefix}${name}.`)])

const lastOf = (path: string) => path.slice(path.lastIndexOf(".") + 1)

/** The path of the option whose name is the nearest: of equally near ones, the one of the fewest steps, and then the first. */
const nearest = (name: string, all: Names): string | undefined => {
  const far = Math.floor(name.length / 3)
  const near = pathsOf(all).map((path) => ({
    path,
    steps: path.split(".").length,
    apart: distance(name.toLowerCase(), lastOf(path).toLowerCase())
  }))
  return near.filter(({ apart }) => apart <= far).sort((a, b) => a.apart - b.apart || a.steps - b.steps)[0]?.path
}

/**
 * The first name that no option has; `undefined` if there is none.
 *
 * @param place the option that the names are in; empty at the top
 * @param known the names that there are at this place
 * @param all the names that there are at any place
 */
export const unknown = (
  given: { readonly [name: string]: unknown },
  place: string,
  known: Names,
  all: Names
): ZapierAuthError | undefined => {
  const name = Object.keys(given).find((name) => given[name] !== undefined && !Object.hasOwn(known, name))
  if (name === undefined) return undefined
  const prefix = place === "" ? "" : `${place}.`
  if (place !== "" && Object.hasOwn(all, name)) {
    return invalid(`${prefix}${name}`, `there is no such option; give ${name} beside ${place}`)
  }
  const here = nearest(name, known)
  const meant = here === undefined ? nearest(name, all) : `${prefix}${here}`
  const there = `there is no such option; there are ${Object.keys(known).sort().join(", ")}`
  return invalid(`${prefix}${name}`, meant === undefined ? there : `${there}. Did you mean ${meant}?`)
}
