/** Fuzzes the pure machine. */
import * as Result from "effect/Result"
import * as FakeControl from "../../../src/fake/FakeControl.ts"
import type { FakeResponse } from "../../../src/fake/FakeHttp.ts"
import * as FakeServer from "../../../src/fake/FakeServer.ts"
import * as Fuzz from "./fuzz.ts"

type Handle = typeof FakeServer.handle

/**
 * @param handle the machine, if it is another than the fake
 */
export const run = (options: Fuzz.Options, handle: Handle = FakeServer.handle): Fuzz.Report => {
  const { apps, users } = Fuzz
  let state = Result.getOrThrow(FakeControl.make({ seed: options.seed, apps, users, settings: { rateLimits: false } }))
  let now = 0
  const perform = (command: Fuzz.Command): FakeResponse | string | undefined => {
    switch (command._tag) {
      case "Send": {
        const handled = handle(state, command.request, now)
        state = handled.state
        return handled.response
      }
      case "Wait":
        now += command.millis
        return undefined
      case "Revoke":
        state = Result.getOrThrow(FakeControl.revoke(state, { clientId: command.clientId, user: command.user }))
        return undefined
      case "Regenerate": {
        const [app, next] = Result.getOrThrow(FakeControl.regenerateSecret(state, command.clientId))
        state = next
        return app.clientSecret
      }
    }
  }
  const fuzz = Fuzz.run(options)
  let step = fuzz.next()
  while (step.done !== true) {
    try {
      step = fuzz.next(perform(step.value))
    } catch (cause) {
      step = fuzz.throw(cause)
    }
  }
  return step.value
}
