/** Fuzzes the pure machine. */
import * as Result from "effect/Result"
import * as FakeControl from "../../../src/FakeControl.ts"
import type { FakeResponse } from "../../../src/FakeHttp.ts"
import * as FakeServer from "../../../src/FakeServer.ts"
import * as FakeState from "../../../src/FakeState.ts"
import * as Fuzz from "./fuzz.ts"

type Handle = typeof FakeServer.handle

/**
 * @param handle the machine, if it is another than the fake
 */
export const run = (options: Fuzz.Options, handle: Handle = FakeServer.handle): Fuzz.Report => {
  const { apps, users } = Fuzz
  let state = apps.reduce(
    (registered, app) => FakeControl.registerApp(registered, app)[1],
    FakeState.make({ seed: options.seed, users, knobs: { rateLimits: false } })
  )
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
        state = FakeControl.revoke(state, command)
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
