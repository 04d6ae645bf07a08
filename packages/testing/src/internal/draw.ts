/** What several generators are made of. */
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

/** Text that a pattern describes. */
export const pattern = (regexp: RegExp) => Arbitrary.schema(Schema.String.check(Schema.isPattern(regexp)))

/** Either value, or nothing. */
export const optional = <A>(arbitrary: Arbitrary.Arbitrary<A>): Arbitrary.Arbitrary<A | undefined> =>
  choose<A | undefined>([Arbitrary.Constant(undefined), arbitrary])

/** The record without the members that are undefined. */
export const defined = <A extends object>(record: A): { [K in keyof A]: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [K in keyof A]: Exclude<A[K], undefined>
  }

type Fields<A> = { readonly [K in keyof A]: Arbitrary.Arbitrary<A[K]> }

/** A record whose optional members are there, or are not. */
export const record = <A, B>(required: Fields<A>, maybe: Fields<B>): Arbitrary.Arbitrary<A & Partial<B>> => {
  const fields = { ...required, ...Rec.map(maybe, (field: Arbitrary.Arbitrary<unknown>) => optional(field)) }
  return Arbitrary.map(Arbitrary.all(fields), (drawn) => defined(drawn) as unknown as A & Partial<B>)
}
