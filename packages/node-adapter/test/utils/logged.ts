/** What is logged meanwhile, as one text. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"

export const logged = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<string, E, R> =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const logger = Logger.map(Logger.formatJson, (line) => lines.push(line))
    return effect.pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.map(() => lines.join("\n"))
    )
  })
