import * as Effect from "effect/Effect"

/**
 * What carries out a command, loaded when it is carried out: who asks for one, or for help, does not pay for the databases
 * and servers of the others.
 */
export const lazily =
  <Input, A, E, R>(load: () => Promise<(input: Input) => Effect.Effect<A, E, R>>) =>
  (input: Input): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.promise(load), (run) => run(input))
