/** Building blocks for generators. */
import * as Arbitrary from "effect/Arbitrary"
import * as Rec from "effect/Record"
import * as Schema from "effect/Schema"

/** A whole number, both ends included. */
export const int = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/** A value of one of several generators. The first is the simplest. */
export const choose = <A>(choices: readonly [Arbitrary.Arbitrary<A>, ...ReadonlyArray<Arbitrary.Arbitrary<A>>]) =>
  Arbitrary.flatMap(int(0, choices.length - 1), (index) => choices[index] ?? choices[0])

/** One of several values. The first is the simplest. */
export const oneOf = <const A>(values: ReadonlyArray<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(int(0, values.length - 1), (index) => values[index] as A)

/** Text that matches a pattern. */
export const pattern = (regexp: RegExp) => Arbitrary.schema(Schema.String.check(Schema.isPattern(regexp)))

/** A value, or undefined. */
export const optional = <A>(arbitrary: Arbitrary.Arbitrary<A>): Arbitrary.Arbitrary<A | undefined> =>
  choose<A | undefined>([Arbitrary.Constant(undefined), arbitrary])

type Fields<A> = { readonly [K in keyof A]: Arbitrary.Arbitrary<A[K]> }

/** A record whose optional members may be missing. */
export const record = <A, B>(required: Fields<A>, maybe: Fields<B>): Arbitrary.Arbitrary<A & Partial<B>> => {
  const fields = { ...required, ...Rec.map(maybe, (field: Arbitrary.Arbitrary<unknown>) => optional(field)) }
  const isThere = ([, value]: readonly [string, unknown]) => value !== undefined
  return Arbitrary.map(
    Arbitrary.all(fields),
    (drawn) => Object.fromEntries(Object.entries(drawn).filter(isThere)) as A & Partial<B>
  )
}

/** A record with none, some, or all of the members. */
export const partial = <A>(members: Fields<A>): Arbitrary.Arbitrary<Partial<A>> => record<unknown, A>({}, members)
