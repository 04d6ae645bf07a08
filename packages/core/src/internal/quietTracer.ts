/** Lets a tracer see what is sent, and not by which credential. */
import * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"
import * as WithoutCredentials from "./withoutCredentials.ts"

// An app may have them shown, and may have taken them off the names that Effect hides.
const hidden: ReadonlySet<string> = new Set(
  ["authorization", "proxy-authorization", "cookie"].map((name) => `http.request.header.${name}`)
)

const outcome = (exit: Exit.Exit<unknown, unknown>, sending: WithoutCredentials.Sending) =>
  Exit.isSuccess(exit) ? Exit.void : Exit.failCause(WithoutCredentials.cause(exit.cause, sending))

// A tracer may give one and the same span again, which is changed once.
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
 * The tracer for a sending. Its spans end with whether it worked, or with an error whose request is the one without
 * credentials: Effect's own have the request that was sent, and a tracer may look at it.
 */
export const make = (tracer: Tracer.Tracer, sending: WithoutCredentials.Sending): Tracer.Tracer => ({
  ...(tracer.context === undefined ? {} : { context: tracer.context.bind(tracer) }),
  span: (options) => quiet(tracer.span(options), sending)
})

/** Whether spans go anywhere. Those of Effect's default tracer do not. */
export const isSeen = (tracer: Tracer.Tracer): boolean => tracer !== Tracer.nativeTracer
