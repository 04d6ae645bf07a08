/** The buttons of free play: their names, their actions at each server, and when they are disabled. */
import type { FakeControlError } from "@zapier-workflow-auth/testing/fake/FakeControl"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Facts, World } from "./world.ts"

export interface Action {
  readonly label: string
  /** The purpose, shown on the button's form. */
  readonly hint: string
  /** The effect in one sentence. Absent if it would disappear at once. */
  readonly says?: string
  /** The reason why it would have no effect at a server. The button is disabled if it would have no effect at any server. */
  readonly useless?: (facts: Facts) => string | undefined
  readonly run: (world: World) => Effect.Effect<unknown, FakeControlError | ZapierAuthError>
}

const notConnected = ({ status }: Facts) => (status._tag === "Absent" ? "Connect Zapier first." : undefined)

export const groups: ReadonlyArray<{ readonly title: string; readonly actions: { readonly [name: string]: Action } }> =
  [
    {
      title: "The app",
      actions: {
        call: {
          label: "Call the API",
          hint: "One call for Ada: her Zaps.",
          says: "The app calls GET /v2/zaps for Ada.",
          useless: notConnected,
          run: (world) => world.call(1)
        },
        calls: {
          label: "50 calls at once",
          hint: "As on a busy page. One refresh serves them all.",
          says: "The app makes 50 calls for Ada at the same moment.",
          useless: notConnected,
          run: (world) => world.call(50)
        },
        secret: {
          label: "Give the app the new secret",
          hint: "No restart is needed.",
          says: "The app's configuration has the new secret. It is read whenever it is needed.",
          useless: ({ isSecretCurrent }) =>
            isSecretCurrent ? "The app has the current secret. Regenerate it first." : undefined,
          run: (world) => world.updateSecret
        }
      }
    },
    {
      title: "Time",
      actions: {
        minute: {
          label: "Let one minute pass",
          hint: "Zapier's rate limits count requests a minute.",
          says: "One minute has passed.",
          run: (world) => world.advance(Duration.minutes(1))
        },
        hours: {
          label: "Let ten hours pass",
          hint: "An access token lives for ten hours.",
          says: "Ten hours have passed, and access tokens have expired. The next call refreshes.",
          run: (world) => world.advance(Duration.minutes(601))
        }
      }
    },
    {
      title: "Zapier and the network",
      actions: {
        lose: {
          label: "Lose the next response",
          hint: "The token endpoint acts, and its response never arrives.",
          says: "The next response of the token endpoint will be lost.",
          useless: ({ isFaultSet }) =>
            isFaultSet ? "A fault is set already. Refresh a token to use it up." : undefined,
          run: (world) => world.loseNextResponse
        },
        end: {
          label: "End the access token early",
          hint: "The app finds out by a 401.",
          says: "Zapier has ended the access token early. The app does not know yet.",
          useless: ({ hasLiveToken }) => (hasLiveToken ? undefined : "Zapier has no access token that is still valid."),
          run: (world) => world.endAccessToken
        },
        revoke: {
          label: "Revoke at Zapier",
          hint: "As a user does in Zapier's settings.",
          says: "Ada has removed the app in her Zapier settings. The app does not know yet.",
          useless: ({ isGrantedAtZapier }) => (isGrantedAtZapier ? undefined : "Zapier has no connection of this app."),
          run: (world) => world.revoke
        },
        regenerate: {
          label: "Regenerate the secret",
          hint: "The old one stops working at once.",
          says: "The app's client secret was regenerated at Zapier. The app still has the old one.",
          run: (world) => world.regenerateSecret
        }
      }
    },
    {
      title: "This page",
      actions: {
        clear: {
          label: "Clear the log",
          hint: "The connection stays as it is.",
          useless: ({ hasEntries }) => (hasEntries ? undefined : "The log is empty."),
          run: (world) => world.clear
        }
      }
    }
  ]

const disconnect: Action = {
  label: "Disconnect",
  hint: "Deletes Ada's tokens here. Zapier is not told.",
  says: "Ada disconnects Zapier in the app.",
  useless: ({ status }) => (status._tag === "Absent" ? "There is no connection to delete." : undefined),
  run: (world) => world.disconnect
}

/** The button beside "Connect Zapier". */
export const connection = { disconnect }

const all: { readonly [name: string]: Action } = Object.assign(
  { ...connection },
  ...groups.map(({ actions }) => actions)
)

/** The reason why a button would have no effect at any of the servers. */
export const uselessAt = ({ useless }: Action, facts: ReadonlyArray<Facts>): string | undefined => {
  const reasons = facts.map((one) => useless?.(one))
  return reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined
}

export type Pressed =
  | { readonly _tag: "Done" }
  | { readonly _tag: "Unknown" }
  | { readonly _tag: "Useless"; readonly why: string }

/** Presses a button at each server. Completes when all its effects are in the log. */
export const press = Effect.fnUntraced(function* (worlds: ReadonlyArray<World>, name: string) {
  const action = Object.hasOwn(all, name) ? all[name] : undefined
  if (action === undefined) return { _tag: "Unknown" } satisfies Pressed
  const why = uselessAt(action, yield* Effect.forEach(worlds, ({ facts }) => facts))
  if (why !== undefined) return { _tag: "Useless", why } satisfies Pressed
  yield* Effect.forEach(
    worlds,
    (world) =>
      Effect.andThen(action.says === undefined ? Effect.void : world.say(action.label, action.says), action.run(world)),
    { concurrency: "unbounded" }
  )
  return { _tag: "Done" } satisfies Pressed
})
