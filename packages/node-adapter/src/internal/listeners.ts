/** The listeners of a client, isolated from each other and from the library. */
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"
import * as Effect from "effect/Effect"

export type Listener = (event: AuthEvent) => void | PromiseLike<void>

// Log the error's name and place only: its message is the app's, and may hold a secret.
const log = (cause: unknown) => {
  const [name, stack] = cause instanceof Error ? [cause.name, cause.stack ?? ""] : [typeof cause, ""]
  const place = stack.split("\n").find((line) => /^\s+at /.test(line)) ?? ""
  Effect.runFork(Effect.logError(`A listener of ZapierPromise threw ${name}${place.replace(/^\s+/, " ")}`))
}

export const make = () => {
  const listeners = new Map<symbol, Listener>()
  return {
    /** Adds a listener. Returns a function that removes it. */
    add: (listener: Listener): (() => void) => {
      const id = Symbol()
      listeners.set(id, listener)
      return () => void listeners.delete(id)
    },
    /** Calls the listeners. One added meanwhile gets the next event; one removed meanwhile gets no more. */
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
