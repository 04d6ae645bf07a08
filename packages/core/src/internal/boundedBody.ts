/** Reads bodies of responses whose size and pace somebody else decides. Effect's `MaxBodySize` bounds requests only. */
import * as Effect from "effect/Effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"

/** What was read of a body. */
interface Body {
  readonly body: string
  /** Whether there was more than may be read. `body` is as much as was read. */
  readonly isTruncated: boolean
}

// What is read of a body that nobody needs, in bytes and milliseconds: a short one leaves its connection to the next.
const unneeded = { size: 64 * 1024, patience: 1_000 }

/**
 * Reads a body as text, and stops at the first chunk that goes beyond `limit` or completes it. What broke off after it was
 * complete is as good as the whole. A body that the client has read before us, to log it for example, can be read no more:
 * then its text is taken as the client has kept it. Interruption ends the reading, on the wire as well.
 *
 * @param limit bytes, after decompression
 * @param isComplete whether nothing more is needed
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
 * Frees the connection of a response whose body nobody needs. Nobody waits for it: a short body is read to its end, and a
 * long or slow one is cancelled.
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
