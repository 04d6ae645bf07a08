/**
 * What can be seen of an app from outside while a scenario is carried out: what came of what its users did, what it sent
 * to Zapier, and how Zapier took it. Rules of an app are functions of it.
 *
 * Tokens are those of a fake, and plain text in `request`.
 *
 * @since 0.1.0
 */
import type * as Exit from "effect/Exit"
import type { FakeRequest } from "./FakeHttp.ts"
import type { Issued } from "./FakeOutcome.ts"
import type { FakeState } from "./FakeState.ts"

/**
 * The users of the app. Each is a user of the fake, too: ada is ada@example.com there.
 *
 * @since 0.1.0
 */
export const subjects = ["ada", "bob"] as const

/**
 * One of the users of a scenario.
 *
 * @since 0.1.0
 */
export type Subject = (typeof subjects)[number]

/**
 * What becomes of the connection of a user, as the fake and the network tell it, whatever the app knows of it.
 *
 * - `None`: the user never connected, or the app was told to disconnect.
 * - `Good`: the app was given tokens that Zapier takes, unless the app itself has spoilt them.
 * - `Lost`: Zapier has made new tokens, and the app was not given them, or was killed as soon as it had them.
 * - `Revoked`: the user has ended the app's access at Zapier.
 *
 * @since 0.1.0
 */
export type Connection = "None" | "Good" | "Lost" | "Revoked"

/**
 * What came of something that a user did. `exit` is that of the app's function; there is none if it had no end when
 * everything else had come to rest, or if the app was restarted or killed meanwhile.
 *
 * @since 0.1.0
 */
export interface Result {
  /** Which step it belongs to, counted from 0. */
  readonly step: number
  readonly action: "Consent" | "Deny" | "Call" | "Disconnect" | "Act"
  readonly subject: Subject | undefined
  readonly end: "Done" | "Waiting" | "Killed"
  readonly exit: Exit.Exit<unknown, unknown> | undefined
  /** Whether the user is told to connect again. */
  readonly asksToReconnect: boolean
  /** The user's connection when it began, and when it ended. */
  readonly before: Connection
  readonly after: Connection
}

/**
 * A request that the app has sent, and its answer.
 *
 * @since 0.1.0
 */
export interface Exchange {
  /** Which step it was sent in, counted from 0. */
  readonly step: number
  /** For whom the app's function was called that has sent it, as far as its fiber tells. */
  readonly subject: Subject | undefined
  /** Whose code or token it carried. */
  readonly owner: Subject | undefined
  /** None if it was cut off before it arrived. */
  readonly request: FakeRequest | undefined
  /** Without secrets. */
  readonly line: string
  /** In milliseconds since the epoch. */
  readonly sentAt: number
  /** When the app had its answer, or knew that there is none. */
  readonly endedAt: number | undefined
  /** What the app was given: `Lost` where the connection broke, the app hung up, or was killed. */
  readonly end: "Open" | "Answered" | "Lost"
  readonly status: number | undefined
  /** The tokens that the server made, whether they arrived or not. */
  readonly issued: Issued | undefined
  /** Whether they arrived. */
  readonly isGranted: boolean
  /** The refresh token that it presented. */
  readonly refreshToken: string | undefined
  /** The access token that it carried. */
  readonly accessToken: string | undefined
}

/**
 * How long an access token lives, as the fake has made it.
 *
 * @since 0.1.0
 */
export interface Life {
  readonly obtainedAt: number
  readonly expiresAt: number
}

/**
 * All that was seen until now. Steps, results and exchanges are in the order in which they began, ended and were sent.
 *
 * @since 0.1.0
 */
export interface Seen {
  /** In milliseconds since the epoch. */
  readonly now: number
  /** Whether anything has happened that may keep an app from serving a user who is connected: a fault, for example. */
  readonly isTroubled: boolean
  readonly results: ReadonlyArray<Result>
  readonly exchanges: ReadonlyArray<Exchange>
  /** The lives of the access tokens that were made, by token. */
  readonly lives: ReadonlyMap<string, Life>
  /** All that the fake knows. */
  readonly fake: FakeState
}
