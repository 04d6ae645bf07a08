/** Makes a function's platform keep it alive until its background work is stored. */
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import { errorName } from "../errorName.ts"

/** The platform's function: Vercel's `waitUntil`, Next's `after`, a worker's `ctx.waitUntil`. */
export type WaitUntil = (promise: Promise<void>) => unknown

/**
 * Keeps the function alive. Call it at the end of the caller's own call, not from background work: platforms find the request
 * by its asynchronous context.
 */
export const keepGoing = (auth: ZapierAuth["Service"] | undefined, waitUntil: WaitUntil | undefined): void => {
  if (waitUntil === undefined || auth === undefined || auth.isSettled()) return
  try {
    waitUntil(Effect.runPromise(auth.settled))
  } catch (error) {
    // For example outside of a request. The call itself has ended.
    const name = errorName(error) ?? "no error"
    Effect.runFork(Effect.logWarning(`waitUntil threw ${name}: the process may be frozen before its work is stored`))
  }
}
