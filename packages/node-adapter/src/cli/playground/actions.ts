/** The buttons of the playground: what each is called, what it does, and what it shows. */
import type { FakeControlError } from "@zapier-workflow-auth/testing/fake/FakeControl"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { World } from "./world.ts"

export interface Action {
  readonly label: string
  /** What it is for, before it is pressed. */
  readonly hint: string
  /** What happens, in a sentence; nothing where it would be gone at once. */
  readonly says?: string
  readonly run: (world: World) => Effect.Effect<unknown, FakeControlError>
}

export const groups: ReadonlyArray<{ readonly title: string; readonly actions: { readonly [name: string]: Action } }> =
  [
    {
      title: "The app",
      actions: {
        call: {
          label: "Call the API",
          hint: "One call for Ada: her Zaps.",
          says: "The app calls GET /v2/zaps for Ada.",
          run: (world) => world.call(1)
        },
        calls: {
          label: "50 calls at once",
          hint: "As on a busy page. However many come, one renews.",
          says: "The app makes 50 calls for Ada at the same moment.",
          run: (world) => world.call(50)
        },
        secret: {
          label: "Give the app the new secret",
          hint: "After it was regenerated. No restart is needed.",
          says: "The app's configuration has the new secret from now on. It is read again whenever it is needed.",
          run: (world) => world.updateSecret
        }
      }
    },
    {
      title: "Time",
      actions: {
        hours: {
          label: "Let ten hours pass",
          hint: "An access token lives for ten hours.",
          says: "Ten hours have passed, and access tokens have ended. Nobody renews one before it is used: Zapier's rate limits would not allow it for many users.",
          run: (world) => world.advance(Duration.minutes(601))
        }
      }
    },
    {
      title: "Zapier and the network",
      actions: {
        lose: {
          label: "Lose the next answer",
          hint: "Of the token endpoint: Zapier acts, and nobody hears of it.",
          says: "The next answer of the token endpoint will be lost on its way.",
          run: (world) => world.loseNextAnswer
        },
        grace: {
          label: "Allow old refresh tokens for a while",
          hint: "Whether Zapier does so is not documented.",
          says: "Zapier takes a replaced refresh token for ten more minutes from now on. With it, a lost answer costs nobody the connection.",
          run: (world) => world.setGrace(600_000)
        },
        strict: {
          label: "Be strict again",
          hint: "A replaced refresh token is dead at once.",
          says: "A replaced refresh token is dead at once, as the fake has it unless it is told otherwise.",
          run: (world) => world.setGrace(0)
        },
        end: {
          label: "End the access token early",
          hint: "The app finds out by a 401.",
          says: "Zapier has ended the access token before its time. The app does not know yet.",
          run: (world) => world.endAccessToken
        },
        revoke: {
          label: "Revoke at Zapier",
          hint: "As a user does in Zapier's settings.",
          says: "Ada has removed the app in her Zapier settings. The app does not know yet.",
          run: (world) => world.revoke
        },
        regenerate: {
          label: "Regenerate the secret",
          hint: "In the Developer Platform. The old one stops working at once.",
          says: "The app's client secret was regenerated at Zapier. The app still has the old one.",
          run: (world) => world.regenerateSecret
        }
      }
    },
    {
      title: "This page",
      actions: {
        clear: {
          label: "Clear what happened",
          hint: "The grant stays as it is.",
          run: (world) => world.clear
        }
      }
    }
  ]

const all: { readonly [name: string]: Action } = Object.assign({}, ...groups.map(({ actions }) => actions))

/** Carries out what a button says. It is done when all that came of it is told. */
export const press = (world: World, name: string): Effect.Effect<boolean, FakeControlError> =>
  Effect.suspend(() => {
    const action = Object.hasOwn(all, name) ? all[name] : undefined
    if (action === undefined) return Effect.succeed(false)
    const said = action.says === undefined ? Effect.void : world.say(action.label, action.says)
    return Effect.as(Effect.andThen(said, action.run(world)), true)
  })
