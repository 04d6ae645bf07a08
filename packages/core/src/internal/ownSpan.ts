/** Spans that the library begins by itself. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import * as QuietTracer from "./quietTracer.ts"

/** Effect captures the stack of each span by an `Error`; here it would only show the library's own lines. */
export const withoutStack = { captureStackTrace: false } as const

/** Runs an effect in a span, unless no tracer records it: a span costs as much as the code around it. */
export const within = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  name: string,
  attributes: { readonly [name: string]: unknown } = {}
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber): Effect.Effect<A, E, R> =>
    QuietTracer.isSeen(Context.get(fiber.context, Tracer.Tracer))
      ? Effect.withSpan(effect, name, { attributes, ...withoutStack })
      : effect
  )
