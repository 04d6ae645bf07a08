/**
 * What can be seen of an app from outside while a scenario is carried out: what came of what its users did, what it sent
 * to Zapier, and how Zapier took it. Rules of an app are functions of it.
 *
 * Tokens are those of a fake, and plain text in `request`.
 *
 * @since 0.1.0
 */
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"
import type * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import type * as Exit from "effect/Exit"
import type { FakeRequest } from "../fake/FakeHttp.ts"
import type { Issued } from "../fake/FakeOutcome.ts"
import type { FakeState } from "../fake/FakeState.ts"

/**
 * The users of the app. Each is a user of the fake, too: ada is ada@example.com there.
 *
 * @since 0.1.0
 */
export const subjects = ["ada", "bob"] as const

/**
 * An account that a user has at Zapier: their own, or another.
 *
 * @since 0.1.0
 */
export type Account = "own" | "other"

/**
 * What is in the titles of a user's Zaps, and in nobody else's.
 *
 * @since 0.1.0
 */
export const markOf = (subject: Subject, account: Account = "own"): string =>
  `(${subject} ${account === "own" ? "Example" : "Elsewhere"})`

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
 * - `Lost`: Zapier has made new tokens, and the app was not given them, because something went wrong or it was killed.
 * - `Wasted`: Zapier has made new tokens, and the app itself has hung up before it was given them.
 * - `Revoked`: the user has ended the app's access at Zapier.
 *
 * @since 0.1.0
 */
export type Connection = "None" | "Good" | "Lost" | "Wasted" | "Revoked"

/**
 * What a user is shown in the end, in the app's own words, which `shows` of the app translates.
 *
 * - `Data`: what was asked for, or that it was done.
 * - `Connect`: that Zapier has to be connected first, or again.
 * - `TryLater`: that it does not work now.
 * - `Broken`: what no user should see: a defect, or an error that says nothing.
 *
 * @since 0.1.0
 */
export type Shown = "Data" | "Connect" | "TryLater" | "Broken"

/**
 * What came of something that a user did. `exit` is that of the app's function; there is none if it had no end when
 * everything else had come to rest, if the user hung up, or if the app was restarted or killed meanwhile.
 *
 * @since 0.1.0
 */
export interface Result {
  /** Which step it belongs to, counted from 0. */
  readonly step: number
  /** Its number. */
  readonly deed: number
  readonly action: "Consent" | "Deny" | "LogIn" | "ComeBack" | "Call" | "Disconnect" | "Act"
  readonly subject: Subject | undefined
  /** Whether it was done in another browser of the user than everything else. */
  readonly isElsewhere?: boolean | undefined
  readonly end: "Done" | "Waiting" | "Killed" | "HungUp"
  readonly exit: Exit.Exit<unknown, unknown> | undefined
  /** What the user is shown; nothing without an exit. */
  readonly shown: Shown | undefined
  /** Whether it has to work while nothing goes wrong: not what a user denies, or comes back with too late. */
  readonly mustWork: boolean
  /** When it began and ended, in milliseconds since the epoch. */
  readonly beganAt: number
  readonly endedAt: number
  /** The user's connection when it began, and when it ended. */
  readonly before: Connection
  readonly after: Connection
  /** The account that the user has connected last, when it ended. */
  readonly account: Account | undefined
}

/**
 * A function of the app that was called for what a user did: a consent calls two, `LogIn` and `ComeBack`.
 *
 * @since 0.1.0
 */
export interface Visit {
  /** Which step and which deed of a user it belongs to. */
  readonly step: number
  readonly deed: number
  readonly subject: Subject | undefined
  readonly does: "LogIn" | "ComeBack" | "Call" | "Disconnect" | "Act"
  /** Which instance of the app served it, counted from 0. */
  readonly instance: number
  /** In milliseconds since the epoch. */
  readonly beganAt: number
  readonly endedAt: number | undefined
}

/**
 * A request that a user's browser has sent to an app with routes, and its response.
 *
 * @since 0.1.0
 */
export interface Browsing {
  /** Which step and which deed of a user it belongs to. */
  readonly step: number
  readonly deed: number
  readonly subject: Subject | undefined
  /** Which instance of the app served it, counted from 0. */
  readonly instance: number
  /** Whether another browser of the user has sent it than everything else. */
  readonly isElsewhere: boolean
  readonly method: string
  /** Without its query. */
  readonly path: string
  /** In milliseconds since the epoch. */
  readonly beganAt: number
  /** When its response came; nothing while it waits, or if the user hung up, or the app ended. */
  readonly endedAt: number | undefined
  readonly status: number | undefined
  /** Where the response redirects to, without its query: a path of the app, or a URL elsewhere. */
  readonly leadsTo: string | undefined
  /** The headers of the response: each cookie by itself, in plain text. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
}

/**
 * A write to a store of grants that the app has from `stores`.
 *
 * @since 0.1.0
 */
export interface Write {
  readonly step: number
  /** Which instance of the app has written, counted from 0. */
  readonly instance: number
  /** In milliseconds since the epoch. */
  readonly at: number
  /** Whose grant. */
  readonly subject: string
  /** What it wrote; nothing if it removed the grant. Its tokens are `Redacted`. */
  readonly grant: GrantStore.Grant | undefined
  /** Whether that was done: false if another had written meanwhile. */
  readonly isDone: boolean
}

/**
 * Something that the library has told the app: an event of the `ZapierAuth` that the app's layer has.
 *
 * @since 0.1.0
 */
export interface Told {
  readonly step: number
  /** Which instance of the app it was, counted from 0. */
  readonly instance: number
  /** In milliseconds since the epoch. */
  readonly at: number
  readonly event: AuthEvent
}

/**
 * A request that the app has sent, and its answer.
 *
 * @since 0.1.0
 */
export interface Exchange {
  /** Which step it was sent in, counted from 0. */
  readonly step: number
  /** Which deed of a user it was sent for, as far as its fiber tells. */
  readonly deed: number | undefined
  /** For whom the app's function was called that has sent it, as far as its fiber tells. */
  readonly subject: Subject | undefined
  /** Which instance of the app has sent it, counted from 0, where that is known. */
  readonly instance?: number | undefined
  /** Whose code or token it carried. Mallory is none of the app's users. */
  readonly owner: Subject | "mallory" | undefined
  /** None if it was cut off before it arrived. */
  readonly request: FakeRequest | undefined
  /** Where it was sent, with its query. */
  readonly url: string
  /** Whether it was sent to Zapier. Others answer 204 to whatever they are sent. */
  readonly isForZapier: boolean
  /** Without secrets. */
  readonly line: string
  /** In milliseconds since the epoch. */
  readonly sentAt: number
  /** When the app had its answer, or knew that there is none. */
  readonly endedAt: number | undefined
  /** What the app was given: `Lost` where the connection broke, the app hung up, or was killed. */
  readonly end: "Open" | "Answered" | "Lost"
  readonly status: number | undefined
  /** Whether it was struck by a fault. */
  readonly isStruck: boolean
  /** Whether the server has done what was asked for, whatever the app knows of it. */
  readonly isDone: boolean
  /** How long an answer that was a fault asks to stay away, in milliseconds. */
  readonly retryAfter: number | undefined
  /** The tokens that the server made, whether they arrived or not. */
  readonly issued: Issued | undefined
  /** Whether they arrived. */
  readonly isGranted: boolean
  /** The refresh token that it presented. */
  readonly refreshToken: string | undefined
  /** The code that it presented. */
  readonly code: string | undefined
  /** The access token that it carried. */
  readonly accessToken: string | undefined
}

/**
 * A user has begun to connect.
 *
 * @since 0.1.0
 */
export interface Authorization {
  /** Where the browser was sent. */
  readonly url: string
  readonly subject: Subject
  /** In milliseconds since the epoch. */
  readonly at: number
  /** When the app has first taken the way back, if it has. */
  readonly usedAt: number | undefined
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
 * Something that may keep an app from serving a user who is connected, for as long as it lasts: a request that was struck by
 * a fault, an app that was killed, a secret that the app does not know yet.
 *
 * @since 0.1.0
 */
export interface Trouble {
  readonly what: string
  /** Which step it began in, counted from 0. */
  readonly step?: number | undefined
  /** In milliseconds since the epoch. */
  readonly from: number
  /** `Infinity` while nobody knows. */
  readonly until: number
}

/**
 * Zapier has ended a user's access token early, or the app's access to a user's account.
 *
 * @since 0.1.0
 */
export interface Ending {
  readonly subject: Subject
  readonly what: "AccessToken" | "Access"
  /** In milliseconds since the epoch. */
  readonly at: number
}

/**
 * What an app is free to decide, and says.
 *
 * @since 0.1.0
 */
export interface Expected {
  /** How long after trouble is over an app may still ask its users to try later, in milliseconds. Default: 10 minutes. */
  readonly recoversWithin: number
  /** For how long a user may be shown what was true before, in milliseconds: lists that are kept. Default: 5 minutes. */
  readonly showsOldFor: number
  /** How long after a disconnect the user's token may still be used, in milliseconds: by other processes. Default: 1 minute. */
  readonly disconnectWithin: number
  /**
   * How long before its end a token may be renewed, in milliseconds. Default: the last tenth of its life, or 5 minutes where
   * that is more.
   */
  readonly renewsAhead: number | undefined
  /** What the app needs, if it says so: it has to ask for that, and no request may need more. */
  readonly scopes: ReadonlyArray<string> | undefined
  /** Whether a login may end in another browser of the same user. Default: false. */
  readonly otherBrowsers: boolean
  /** Other hosts that may be sent secrets of Zapier's. Default: none. */
  readonly hosts: ReadonlyArray<string>
  /** Requests that must not be carried out twice for one deed of a user, as `POST /v2/zaps`. */
  readonly once: ReadonlyArray<string>
}

/**
 * All that was seen until now. Steps, results and exchanges are in the order in which they began, ended and were sent.
 *
 * @since 0.1.0
 */
export interface Seen {
  /** In milliseconds since the epoch. */
  readonly now: number
  /** When each step began, in milliseconds since the epoch. The last look at who is connected is in steps, too. */
  readonly stepsBeganAt: ReadonlyArray<number>
  /** What went wrong, and when. */
  readonly troubles: ReadonlyArray<Trouble>
  /** What was ended, and when. */
  readonly endings: ReadonlyArray<Ending>
  readonly results: ReadonlyArray<Result>
  readonly exchanges: ReadonlyArray<Exchange>
  /** Which functions of the app were called, in the order in which they began. */
  readonly visits?: ReadonlyArray<Visit> | undefined
  /** What browsers have asked of an app with routes, in the order in which they began. */
  readonly browsings?: ReadonlyArray<Browsing> | undefined
  /** What was written to the app's stores, as far as they are seen. */
  readonly writes?: ReadonlyArray<Write> | undefined
  /** The library's events, where the app's layer has a `ZapierAuth`. */
  readonly events?: ReadonlyArray<Told> | undefined
  /** What the app has logged. */
  readonly logs: ReadonlyArray<string>
  /** What is in the app's stores, as text, if it shows them. */
  readonly stored: string | undefined
  /** The lives of the access tokens that were made, by token. */
  readonly lives: ReadonlyMap<string, Life>
  /** All that must not be seen where others may look: tokens, codes, states and secrets, with what each is. */
  readonly secrets: ReadonlyMap<string, string>
  /** How users began to connect. */
  readonly authorizations: ReadonlyArray<Authorization>
  readonly expected: Expected
  /** All that the fake knows. */
  readonly fake: FakeState
}
