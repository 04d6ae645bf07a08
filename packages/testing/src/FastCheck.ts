/**
 * Makes this package's arbitraries, and any other of Effect's, usable with fast-check. Import it as
 * `@zapier-workflow-auth/testing/FastCheck`; it is not in the barrel, so that only its users need fast-check.
 *
 * Values are drawn from fast-check's own randomness, so that its `seed` and `path` replay a failure. Effect shrinks
 * them.
 *
 * @example
 * ```ts
 * import * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
 * import * as Arbitraries from "@zapier-workflow-auth/testing/Arbitraries"
 * import * as FastCheck from "@zapier-workflow-auth/testing/FastCheck"
 * import * as Result from "effect/Result"
 * import * as fc from "fast-check"
 *
 * fc.assert(
 *   fc.property(FastCheck.from(Arbitraries.callback), ({ input }) =>
 *     Result.isSuccess(AuthorizationCallback.parse(input))
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"

/**
 * How values are drawn.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The largest size of values, on Effect's scale, independent of fast-check's `size`. Default: 10. */
  readonly size?: number | undefined
}

// Identifies a value: the seed it was drawn from, and the path of shrinks that leads to it.
interface Place {
  readonly seed: number
  readonly size: number
  readonly path: ReadonlyArray<number>
}

const isPlace = (context: unknown): context is Place =>
  typeof context === "object" && context !== null && "seed" in context && "path" in context

// Each batch repeats the whole path, so batches grow.
const firstBatch = 8
const growth = 8

const first = <A>(arbitrary: Arbitrary.Arbitrary<A>, seed: number, size: number): A => {
  const drawn: Array<A> = []
  const take = (value: A) => drawn.push(value) > 0
  const { _tag } = Effect.runSync(Arbitrary.checkEffect(arbitrary, take, { runs: 1, seed, size }))
  if (drawn.length === 0) throw new Error(`No value could be drawn: ${_tag}`)
  return drawn[0] as A
}

// Lists up to `count` shrinks of a value. Effect exports shrinking only as a check that moves from a failing value to
// the first of its shrinks that fails too. This property fails only on the path to the value, which leads the check
// there, and then collects what comes next.
const shrunk = <A>(arbitrary: Arbitrary.Arbitrary<A>, { path, seed, size }: Place, count: number): ReadonlyArray<A> => {
  const values: Array<A> = []
  let depth = -1
  let passed = 0
  const lead = (value: A) => {
    if (depth === path.length) {
      values.push(value)
      return values.length < count || Effect.interrupt
    }
    if (depth >= 0 && passed++ !== path[depth]) return true
    depth++
    passed = 0
    return false
  }
  // The check ends by itself, or is interrupted once there are enough.
  const limits = { runs: 1, maxShrinks: Number.MAX_SAFE_INTEGER }
  Effect.runSyncExit(Arbitrary.checkEffect(arbitrary, lead, { seed, size, ...limits }))
  return values
}

function* shrinks<A>(arbitrary: Arbitrary.Arbitrary<A>, place: Place): Generator<fc.Value<A>> {
  let index = 0
  for (let count = firstBatch; ; count *= growth) {
    const values = shrunk(arbitrary, place, count)
    for (const value of values.slice(index)) {
      yield new fc.Value(value, { ...place, path: [...place.path, index++] } satisfies Place)
    }
    if (values.length < count) return
  }
}

/**
 * Converts an arbitrary for fast-check.
 *
 * @example
 * ```ts
 * import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
 * import * as FastCheck from "@zapier-workflow-auth/testing/FastCheck"
 * import * as Arbitrary from "effect/Arbitrary"
 *
 * const tokens = FastCheck.from(Arbitrary.schema(Tokens.Tokens), { size: 20 })
 * ```
 *
 * @since 0.1.0
 */
export const from = <A>(arbitrary: Arbitrary.Arbitrary<A>, { size: largest = 10 }: Options = {}): fc.Arbitrary<A> => {
  class FromEffect extends fc.Arbitrary<A> {
    override generate(random: fc.Random, biasFactor: number | undefined): fc.Value<A> {
      const seed = random.nextInt()
      // fast-check's biased values are small values and edge cases. Schemas draw edge cases in any case.
      const isBiased = biasFactor !== undefined && random.nextInt(1, biasFactor) === 1
      const size = isBiased ? random.nextInt(0, largest) : largest
      return new fc.Value(first(arbitrary, seed, size), { seed, size, path: [] } satisfies Place)
    }

    // A value that was not drawn here has no known origin.
    override canShrinkWithoutContext(_value: unknown): _value is A {
      return false
    }

    override shrink(_value: A, context: unknown): fc.Stream<fc.Value<A>> {
      return isPlace(context) ? fc.stream(shrinks(arbitrary, context)) : fc.Stream.nil()
    }
  }
  return new FromEffect()
}
