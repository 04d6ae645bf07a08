/** The listeners of a client. What one of them does concerns neither the others nor the library. */
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"
import * as Effect from "effect/Effect"

export type Listener = (event: AuthEvent) => void | PromiseLike<void>

// The message of the error is the app's, and may hold anything; the name and the place do not.
const log = (cause: unknown) => {
  const [name, stack] = cause instanceof Error ? [cause.name, cause.stack ?? ""] : [typeof cause, ""]
  const place = stack.split("\n").find((line) => /^\s+at /.test(line)) ?? ""
  Effect.runFork(Effect.logError(`A listener of ZapierPromise threw ${name}${place.replace(/^\s+/, " ")}`))
}

export const make = () => {
  const listeners = new Map<symbol, Listener>()
  return {
    /** The function that is given back ends it. */
    add: (listener: Listener): (() => void) => {
      const id = Symbol()
      listeners.set(id, listener)
      return () => void listeners.delete(id)
    },
    /** Those that are added meanwhile are told the next event, and those that are removed are told no more. */
    tell: (event: AuthEvent): void => {
      for (const [id, listener] of new Map(listeners)) {
        if (!listeners.has(id)) continue
        try {
          Promise.resolve(listener(event)).catch(log)
        } catch (cause) {
          log(cause)
        }
      }
    }
  }
}
