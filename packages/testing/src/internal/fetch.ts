/** The fake as a function like `fetch`. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { FakeRequest } from "../FakeHttp.ts"
import type { Handled } from "../FakeOutcome.ts"
import * as Deliver from "./deliver.ts"
import * as Web from "./web.ts"

const ways: Deliver.Ways<Response, TypeError> = {
  answered: (response) => Effect.sync(() => Web.toResponse(response)),
  truncated: (response, bytes) => Effect.sync(() => Web.toTruncated(response, bytes)),
  broken: (how) => Effect.fail(Web.networkError(Deliver.codes[how]))
}

/**
 * @param context what the effects run with, the clock among it
 */
export const make =
  (
    handle: (request: FakeRequest) => Effect.Effect<Handled>,
    context: Context.Context<never>
  ): typeof globalThis.fetch =>
  async (input, init) => {
    const request = new Request(input, init)
    const { signal } = request
    signal.throwIfAborted()
    const answer = Web.fromRequest(request).pipe(
      Effect.flatMap(handle),
      Effect.flatMap((handled) => Deliver.deliver(handled, ways))
    )
    const exit = await Effect.runPromiseExitWith(context)(answer, { signal })
    if (Exit.isSuccess(exit)) return exit.value
    signal.throwIfAborted()
    throw Cause.squash(exit.cause)
  }
