/** Reads response bodies within limits of size and time. Effect's `MaxBodySize` limits requests only. */
import * as Effect from "effect/Effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"

/** The part of a body that was read. */
interface Body {
  readonly body: string
  /** True if the rest was not read. */
  readonly isTruncated: boolean
}

// Limits on reading an unneeded body, in bytes and milliseconds. Reading a short one frees its connection for reuse.
const unneeded = { size: 64 * 1024, patience: 1_000 }

/**
 * Reads a body as text, up to the first chunk that exceeds `limit` or completes it. A body that breaks off after it is
 * complete counts as whole. If the client has already read the body, for example to log it, the text that it kept is used.
 * Interruption stops the reading, also on the wire.
 *
 * @param limit bytes, after decompression
 * @param isComplete true once no more text is needed
 */
export const read = (
  response: HttpClientResponse,
  limit: number,
  isComplete: (text: string) => boolean
): Effect.Effect<Body, HttpClientError> =>
  Effect.suspend(() => {
    const decoder = new TextDecoder()
    let size = 0
    let body = ""
    const streamed = response.stream.pipe(
      Stream.takeUntil((chunk) => {
        size += chunk.byteLength
        if (size > limit) return true
        body += decoder.decode(chunk, { stream: true })
        return isComplete(body)
      }),
      Stream.runDrain,
      Effect.map((): Body => ({ body: body + decoder.decode(), isTruncated: size > limit }))
    )
    const kept = Effect.map(response.text, (text): Body => ({ body: text, isTruncated: text.length > limit }))
    return Effect.flatMap(Effect.exit(streamed), (exit) => (size > 0 ? exit : Effect.catchCause(kept, () => exit)))
  })

/**
 * Frees the connection of a response with an unneeded body, in the background: reads a short body to its end, and cancels a
 * long or slow one.
 */
export const discard = (response: HttpClientResponse): Effect.Effect<void> =>
  Effect.suspend(() => {
    let size = 0
    return Stream.runDrain(Stream.takeUntil(response.stream, (chunk) => (size += chunk.byteLength) > unneeded.size))
  }).pipe(
    Effect.timeoutOption(unneeded.patience),
    Effect.exit,
    Effect.forkDetach({ startImmediately: true }),
    Effect.asVoid
  )
