/** Has the platform of a function keep it going until what its calls have begun is stored. */
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import { errorName } from "../errorName.ts"

/** A platform's own: Vercel's `waitUntil`, Next's `after`, a worker's `ctx.waitUntil`. */
export type WaitUntil = (promise: Promise<void>) => unknown

/**
 * To be called where the caller's call has just ended, and not from what it has begun: platforms know by the asynchronous
 * context which request they are asked for.
 */
export const keepGoing = (auth: ZapierAuth["Service"] | undefined, waitUntil: WaitUntil | undefined): void => {
  if (waitUntil === undefined || auth === undefined || auth.isSettled()) return
  try {
    waitUntil(Effect.runPromise(auth.settled))
  } catch (error) {
    // Outside of a request, for example. The call has ended by itself.
    const name = errorName(error) ?? "no error"
    Effect.runFork(
      Effect.logWarning(`waitUntil threw ${name}: nothing keeps the process going until its work is stored`)
    )
  }
}
