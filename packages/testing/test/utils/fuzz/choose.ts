/** Choices out of a seed. */
import * as Seeded from "../../../src/internal/seeded.ts"

export const make = (seed: string) => {
  const { below, bytes, chance } = Seeded.make(seed, "fuzz")
  const of = <A>(all: ReadonlyArray<A>): A => {
    const chosen = all[below(all.length)]
    if (chosen === undefined) throw new Error("There is nothing to choose from")
    return chosen
  }
  const letters = "ABCXYZabcxyz0123456789"
  // Texts that parsers stumble over.
  const hostile = [
    "",
    "%",
    "%zz",
    "%00",
    "&=&",
    "\u0000",
    "é€😀",
    '"><script>',
    "a".repeat(3_000),
    "__proto__",
    "+ +",
    "\r\nx: y"
  ]
  return {
    below,
    bytes,
    of,
    often: () => chance(0.5),
    /** One time in so many. */
    rarely: (times: number) => below(times) === 0,
    some: <A>(all: ReadonlyArray<A>): ReadonlyArray<A> => {
      const chosen = [...new Set(all)].filter(() => chance(0.4))
      return chosen.length === 0 ? [of(all)] : chosen
    },
    shuffled: <A>(all: ReadonlyArray<A>): ReadonlyArray<A> => {
      const rest = [...all]
      const shuffled: Array<A> = []
      while (rest.length > 0) shuffled.push(...rest.splice(below(rest.length), 1))
      return shuffled
    },
    garbage: (): string =>
      chance(0.3)
        ? of(hostile.filter((text) => !/[\r\n]/.test(text)))
        : Array.from({ length: 30 }, () => letters[below(letters.length)]).join(""),
    hostile: () => of(hostile),
    /** The same with one letter changed, added or removed. */
    mutate: (text: string): string => {
      const at = below(text.length + 1)
      return `${text.slice(0, at)}${chance(0.5) ? of(["a", "Z", "9", " ", "&", "%"]) : ""}${text.slice(at + below(2))}`
    }
  }
}

export type Chooser = ReturnType<typeof make>
