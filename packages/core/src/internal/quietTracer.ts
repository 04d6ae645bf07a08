/** Shows requests to a tracer without their credentials. */
import * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"
import * as WithoutCredentials from "./withoutCredentials.ts"

// Hidden here too, because an app may remove them from the names that Effect redacts.
const hidden: ReadonlySet<string> = new Set(
  ["authorization", "proxy-authorization", "cookie"].map((name) => `http.request.header.${name}`)
)

const outcome = (exit: Exit.Exit<unknown, unknown>, sending: WithoutCredentials.Sending) =>
  Exit.isSuccess(exit) ? Exit.void : Exit.failCause(WithoutCredentials.cause(exit.cause, sending))

// A tracer may return the same span twice; it is patched once.
const sendings = new WeakMap<Tracer.Span, WithoutCredentials.Sending>()

const quiet = (span: Tracer.Span, sending: WithoutCredentials.Sending): Tracer.Span => {
  const isQuiet = sendings.has(span)
  sendings.set(span, sending)
  if (isQuiet) return span
  const attribute = span.attribute.bind(span)
  const end = span.end.bind(span)
  span.attribute = (key, value) => attribute(key, hidden.has(key) ? "<redacted>" : value)
  span.end = (endTime, exit) => end(endTime, outcome(exit, sendings.get(span) ?? sending))
  return span
}

/**
 * Makes the tracer for a request. Its spans end with success, or with an error that holds the original request: Effect's own
 * errors hold the request with credentials, which a tracer could read.
 */
export const make = (tracer: Tracer.Tracer, sending: WithoutCredentials.Sending): Tracer.Tracer => ({
  ...(tracer.context === undefined ? {} : { context: tracer.context.bind(tracer) }),
  span: (options) => quiet(tracer.span(options), sending)
})

/** True if spans are recorded. Those of Effect's default tracer are not. */
export const isSeen = (tracer: Tracer.Tracer): boolean => tracer !== Tracer.nativeTracer
