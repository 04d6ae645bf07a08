/** Refuses unknown options, and suggests the ones that were probably meant. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { editDistance } from "../editDistance.ts"
import { invalid } from "./input.ts"

/** The names of options, each with those inside it. */
export interface Names {
  readonly [name: string]: Names
}

/** Names without further names inside. */
export const plain = (...names: ReadonlyArray<string>): Names => Object.fromEntries(names.map((name) => [name, {}]))

const pathsOf = (names: Names, prefix = ""): ReadonlyArray<string> =>
  Object.entries(names).flatMap(([name, inside]) => [`${prefix}${name}`, ...pathsOf(inside, `${prefix}${name}.`)])

const lastOf = (path: string) => path.slice(path.lastIndexOf(".") + 1)

/** The path of the option with the nearest name. Ties go to the shortest path, then to the first. */
const nearest = (name: string, all: Names): string | undefined => {
  const far = Math.floor(name.length / 3)
  const near = pathsOf(all).map((path) => ({
    path,
    steps: path.split(".").length,
    apart: editDistance(name.toLowerCase(), lastOf(path).toLowerCase())
  }))
  return near.filter(({ apart }) => apart <= far).sort((a, b) => a.apart - b.apart || a.steps - b.steps)[0]?.path
}

/**
 * The error for the first unknown option; `undefined` if all are known.
 *
 * @param place the option that contains the names; empty at the top
 * @param known the names allowed at this place
 * @param all the names allowed at any place
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
    return invalid(`${prefix}${name}`, `unknown option; put ${name} beside ${place}`)
  }
  const here = nearest(name, known)
  const meant = here === undefined ? nearest(name, all) : `${prefix}${here}`
  const there = `unknown option; the options are ${Object.keys(known).sort().join(", ")}`
  return invalid(`${prefix}${name}`, meant === undefined ? there : `${there}. Did you mean ${meant}?`)
}
