import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

// Milliseconds between two frames.
const pace = 100

const clearLine = "\r\u001b[K"

/** Shows a spinner on stderr while an effect runs, if stderr is a terminal, and clears it afterwards. */
export const waiting =
  (words: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Stdio.Stdio> =>
    Effect.gen(function* () {
      const stdio = yield* Stdio.Stdio
      if (!(yield* stdio.stderrIsTerminal)) return yield* effect
      const write = (text: string) => Effect.ignore(Stream.run(Stream.make(text), stdio.stderr({ endOnDone: false })))
      const spin = Effect.gen(function* () {
        for (let index = 0; ; index++) {
          yield* write(`${clearLine}${frames[index % frames.length]} ${words}`)
          yield* Effect.sleep(pace)
        }
      })
      return yield* Effect.raceFirst(effect, spin).pipe(Effect.ensuring(write(clearLine)))
    })
