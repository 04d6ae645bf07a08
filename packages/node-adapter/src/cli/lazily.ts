import * as Effect from "effect/Effect"

/** Loads the code of a command when it runs: a command, and help, start without the databases and servers of others. */
export const lazily =
  <Input, A, E, R>(load: () => Promise<(input: Input) => Effect.Effect<A, E, R>>) =>
  (input: Input): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.promise(load), (run) => run(input))
