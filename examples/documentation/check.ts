import { expect } from "@effect/vitest"

/** Throws unless a value, or a promise's result, is the expected one. */
export const check = <A>(actual: A, expected: () => unknown): A => {
  if (actual instanceof Promise) return actual.then((value: unknown) => check(value, expected)) as A
  expect(actual).toEqual(expected())
  return actual
}
