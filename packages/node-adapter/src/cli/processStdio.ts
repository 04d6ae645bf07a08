/**
 * Stdin, stdout and stderr of this process. A write is done when the system has taken it, and fails when it has not: a
 * full disk, or a reader that is gone, is noticed before the command ends.
 */
import * as NodeStdio from "@effect/platform-node/NodeStdio"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type PlatformError, systemError } from "effect/PlatformError"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"

const sinkOf = (method: "stdout" | "stderr") => () => {
  const stream = process[method]
  // The callback of the write says it, too. Without a listener it would end the process.
  if (stream.listenerCount("error") === 0) stream.on("error", () => {})
  return Sink.forEach((chunk: string | Uint8Array) =>
    Effect.callback<void, PlatformError>((resume) => {
      stream.write(chunk, (cause) =>
        resume(
          cause === null || cause === undefined
            ? Effect.void
            : Effect.fail(systemError({ module: "Stdio", method, _tag: "Unknown", cause }))
        )
      )
    })
  )
}

export const layer: Layer.Layer<Stdio.Stdio> = Layer.effect(
  Stdio.Stdio,
  Effect.map(Stdio.Stdio, (stdio) => Stdio.make({ ...stdio, stdout: sinkOf("stdout"), stderr: sinkOf("stderr") }))
).pipe(Layer.provide(NodeStdio.layer))
