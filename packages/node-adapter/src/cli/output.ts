/**
 * What commands write to stdout and stderr. All of it passes through here: nothing that a server, a database or the
 * environment has put into a text reaches a terminal as a control character.
 */
import type * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { PlatformError } from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { printable } from "../internal/terminalText.ts"
import { Refused } from "./refused.ts"

/** Whoever read stdout has seen enough, as `head` has: the command ends, and nobody need be told. */
export class ReaderGone extends Data.TaggedError("ReaderGone")<{}> {}

type NotWritten = Refused | ReaderGone

const notWritten = ({ reason }: PlatformError): NotWritten => {
  const code = Predicate.hasProperty(reason.cause, "code") ? String(reason.cause.code) : reason._tag
  if (code === "EPIPE") return new ReaderGone()
  return new Refused({ problem: `cannot write to stdout (${code}). Check where the output goes` })
}

const write = (chunk: string | Uint8Array) =>
  Effect.flatMap(Stdio.Stdio, (stdio) => Stream.run(Stream.make(chunk), stdio.stdout({ endOnDone: false }))).pipe(
    Effect.mapError(notWritten)
  )

/** A line or several on stdout: what was asked for. Fails when it cannot be written. */
export const print = (text: string): Effect.Effect<void, NotWritten, Stdio.Stdio> => write(`${printable(text)}\n`)

/** A line or several on stderr: progress and errors. Where it cannot be written, nobody can be told. */
export const note = (text: string): Effect.Effect<void, never, Stdio.Stdio> =>
  Effect.flatMap(Stdio.Stdio, (stdio) =>
    Effect.ignore(Stream.run(Stream.make(`${printable(text)}\n`), stdio.stderr({ endOnDone: false })))
  )

/** A text that comes in chunks, of which no character and no line end is shown in halves. */
const shown = () => {
  const decoder = new TextDecoder()
  let kept = ""
  let isLineOpen = false
  const show = (text: string) => {
    if (text !== "") isLineOpen = !text.endsWith("\n")
    return printable(text)
  }
  return {
    next: (chunk: Uint8Array) => {
      const text = kept + decoder.decode(chunk, { stream: true })
      kept = text.endsWith("\r") ? "\r" : ""
      return show(kept === "" ? text : text.slice(0, -1))
    },
    // A prompt does not follow on the same line.
    end: () => {
      const rest = show(kept + decoder.decode())
      return isLineOpen ? `${rest}\n` : rest
    }
  }
}

/**
 * The bytes of a response on stdout as they come, however many. Programs are given them as they are; a terminal is shown
 * their text.
 */
export const printBytes = Effect.fnUntraced(function* <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) {
  const { stdoutIsTerminal } = yield* Stdio.Stdio
  if (!(yield* stdoutIsTerminal)) return yield* Stream.runForEach(bytes, write)
  const { end, next } = shown()
  yield* Stream.runForEach(bytes, (chunk) => write(next(chunk))).pipe(
    // What came of a response that breaks off is shown whole, too.
    Effect.ensuring(Effect.suspend(() => Effect.ignore(write(end()))))
  )
})

/**
 * The console of what Effect itself writes: help, the version and completions, which hold nothing foreign and have
 * colours, are kept for `flush`; logs go to stderr at once, like notes.
 */
export const consoleOver = (console: Console.Console) => {
  const kept: Array<string> = []
  const over: Console.Console = Object.assign(Object.create(console), {
    log: (...texts: ReadonlyArray<unknown>) => void kept.push(`${texts.join(" ")}\n`),
    error: (...texts: ReadonlyArray<unknown>) => console.error(printable(texts.join(" ")))
  })
  /** Fails when it cannot be written. */
  const flush = Effect.suspend(() => (kept.length === 0 ? Effect.void : write(kept.join(""))))
  return { console: over, flush }
}
