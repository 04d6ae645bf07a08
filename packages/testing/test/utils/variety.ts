/** How much a generator varies. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

const reveal = (_: string, value: unknown): unknown => {
  if (Redacted.isRedacted(value)) return Redacted.value(value)
  return value instanceof URL || value instanceof URLSearchParams ? String(value) : value
}

/** How many of a hundred values are different. */
export const distinct = (arbitrary: Arbitrary.Arbitrary<unknown>): Effect.Effect<number, Arbitrary.SampleError> =>
  Effect.map(
    Arbitrary.sampleEffect(arbitrary, { count: 100, seed: 1 }),
    (values) => new Set(values.map((value) => JSON.stringify(value, reveal))).size
  )

/** The different things that can be said of a thousand values. */
export const kinds = <A>(
  arbitrary: Arbitrary.Arbitrary<A>,
  kindOf: (value: A) => string
): Effect.Effect<ReadonlyArray<string>, Arbitrary.SampleError> =>
  Effect.map(Arbitrary.sampleEffect(arbitrary, { count: 1_000, seed: 1 }), (values) =>
    [...new Set(values.map(kindOf))].sort()
  )
