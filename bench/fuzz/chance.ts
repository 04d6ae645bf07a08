/** Reproducible randomness: the same numbers for the same seed. */

export interface Chance {
  /** A whole number from 0, less than `limit`. */
  readonly below: (limit: number) => number
  /** One of the values. */
  readonly oneOf: <A>(values: readonly [A, ...ReadonlyArray<A>]) => A
  /** True once in `count` times on average. */
  readonly once: (inSoMany: number) => boolean
  /** Text of up to `length` code units of any kind: ASCII, controls, unpaired surrogates. */
  readonly text: (longest: number) => string
}

/** Randomness of a case, by the "mulberry32" generator, which is good enough for examples. */
export const make = (seed: number, number: number): Chance => {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit)
  }
  const unit = () => {
    switch (below(12)) {
      case 0:
        return below(0x20)
      case 1:
        return below(0x1_0000)
      case 2:
        return 0xd800 + below(0x800)
      case 3:
        return "&=%?#+,;/\\\"'{}[]<>\u00a0\ufeff".charCodeAt(below(20))
      default:
        return 0x20 + below(0x5f)
    }
  }
  return {
    below,
    oneOf: (values) => values[below(values.length)] ?? values[0],
    once: (inSoMany) => below(inSoMany) === 0,
    text: (longest) => String.fromCharCode(...Array.from({ length: below(longest + 1) }, unit))
  }
}
