/**
 * Everything that commands write to stdout and stderr. A control character in a text from a server, a database or the
 * environment never reaches a terminal.
 */
import type * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { PlatformError } from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { printable } from "../internal/terminalText.ts"
import * as Pretty from "./prettyJson.ts"
import { Refused } from "./refused.ts"
import { wrap } from "./wrap.ts"

/** True where `--json` was given: results and errors are JSON. */
export const Json = Context.Reference<boolean>("@zapier-workflow-auth/node-adapter/cli/Json", {
  defaultValue: () => false
})

/** The reader of stdout is gone, as `head` is after its last line. The command ends without a message. */
export class ReaderGone extends Data.TaggedError("ReaderGone")<{}> {}

type NotWritten = Refused | ReaderGone

const notWritten = ({ reason }: PlatformError): NotWritten => {
  const code = Predicate.hasProperty(reason.cause, "code") ? String(reason.cause.code) : reason._tag
  if (code === "EPIPE") return new ReaderGone()
  return new Refused({
    why: "CannotWrite",
    problem: `cannot write to stdout (${code}). Check the disk, or where the output goes.`
  })
}

const write = (chunk: string | Uint8Array) =>
  Effect.flatMap(Stdio.Stdio, (stdio) => Stream.run(Stream.make(chunk), stdio.stdout({ endOnDone: false }))).pipe(
    Effect.mapError(notWritten)
  )

/** Writes lines to stdout as they are. Fails when they cannot be written. */
export const print = (text: string): Effect.Effect<void, NotWritten, Stdio.Stdio> => write(`${printable(text)}\n`)

/**
 * Writes the result of a command to stdout.
 *
 * @param data the line of JSON that `--json` prints
 * @param words the text for people
 */
export const result = (data: unknown, words: string): Effect.Effect<void, NotWritten, Stdio.Stdio> =>
  Effect.flatMap(Json, (json) => print(json ? JSON.stringify(data) : wrap(words)))

/** Writes lines to stderr as they are. Nothing is left to do where that fails. */
export const printError = (text: string): Effect.Effect<void, never, Stdio.Stdio> =>
  Effect.flatMap(Stdio.Stdio, (stdio) =>
    Effect.ignore(Stream.run(Stream.make(`${printable(text)}\n`), stdio.stderr({ endOnDone: false })))
  )

/** Writes progress and errors for people to stderr. */
export const note = (text: string): Effect.Effect<void, never, Stdio.Stdio> => printError(wrap(text))

/** Decodes text that comes in chunks. A character or line end that two chunks share stays in one piece. */
const decoder = () => {
  const utf8 = new TextDecoder()
  let kept = ""
  return {
    next: (chunk: Uint8Array) => {
      const text = kept + utf8.decode(chunk, { stream: true })
      kept = text.endsWith("\r") ? "\r" : ""
      return kept === "" ? text : text.slice(0, -1)
    },
    end: () => kept + utf8.decode()
  }
}

/** Shows the bytes of a response on a terminal as they come, as text. */
const showBytes = Effect.fnUntraced(function* <E, R>(bytes: Stream.Stream<Uint8Array, E, R>, isJson: boolean) {
  const { end, next } = decoder()
  const pretty = isJson ? Pretty.make() : (text: string) => text
  let isLineOpen = false
  const show = (text: string) => {
    const shown = pretty(text)
    if (shown !== "") isLineOpen = !shown.endsWith("\n")
    return write(printable(shown))
  }
  yield* Stream.runForEach(bytes, (chunk) => show(next(chunk))).pipe(
    // A response that breaks off is shown up to that point. The prompt of the shell has a line of its own.
    Effect.ensuring(
      Effect.suspend(() => Effect.ignore(Effect.andThen(show(end()), () => write(isLineOpen ? "\n" : ""))))
    )
  )
})

const lineFeed = 10

/** Gives the bytes of a response to a program as they are. Text ends with a line end, so that a shell reads its last line. */
const passBytes = Effect.fnUntraced(function* <E, R>(bytes: Stream.Stream<Uint8Array, E, R>, isText: boolean) {
  let last: number | undefined
  yield* Stream.runForEach(bytes, (chunk) => {
    last = chunk.at(-1) ?? last
    return write(chunk)
  })
  if (isText && last !== undefined && last !== lineFeed) yield* write("\n")
})

/**
 * Writes the bytes of a response to stdout as they arrive, without a limit.
 *
 * @param contentType the media type in the response
 */
export const printBytes = Effect.fnUntraced(function* <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  contentType: string
) {
  const { stdoutIsTerminal } = yield* Stdio.Stdio
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(contentType)
  yield* (yield* stdoutIsTerminal) ? showBytes(bytes, isJson) : passBytes(bytes, isJson || /^text\//i.test(contentType))
})

/**
 * The console that Effect itself writes to. Help, the version and completions hold nothing foreign and may have colors:
 * they are kept for `flush`. Logs go to stderr at once, as notes do.
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
