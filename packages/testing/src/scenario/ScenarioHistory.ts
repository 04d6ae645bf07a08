/**
 * The history of an app in a scenario, as seen from outside: the results of its users' actions, its requests to Zapier,
 * and Zapier's responses. An app's rules are functions of it.
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
 * The users of the app. Each is also a user of the fake: ada is ada@example.com there.
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
 * The text that only the titles of this user's Zaps contain.
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
 * The true state of a user's connection, as the fake and the network know it, whatever the app knows.
 *
 * - `None`: the user never connected, or the app was told to disconnect.
 * - `Good`: the app received tokens that Zapier accepts, unless the app itself lost them.
 * - `Lost`: Zapier issued new tokens that the app never received, because of a fault or because it was killed.
 * - `Wasted`: Zapier issued new tokens, and the app hung up before it received them.
 * - `Revoked`: the user revoked the app's access at Zapier.
 *
 * @since 0.1.0
 */
export type Connection = "None" | "Good" | "Lost" | "Wasted" | "Revoked"

/**
 * The result that a user sees, as the app's `shows` classifies it.
 *
 * - `Data`: the requested data, or that the action was done.
 * - `Connect`: that the user has to connect Zapier first, or again.
 * - `TryLater`: that it does not work at the moment.
 * - `Broken`: a defect, or an error that says nothing, which no user should see.
 *
 * @since 0.1.0
 */
export type Shown = "Data" | "Connect" | "TryLater" | "Broken"

/**
 * The result of a user's action. `exit` is the exit of the app's function; it is missing if the function had not ended
 * when everything else had, if the user hung up, or if the app was restarted or killed meanwhile.
 *
 * @since 0.1.0
 */
export interface Result {
  /** The step that it belongs to, counted from 0. */
  readonly step: number
  /** The number of the action, counted from 0. */
  readonly actionId: number
  readonly action: "Consent" | "Deny" | "LogIn" | "ComeBack" | "Call" | "Disconnect" | "Act"
  readonly subject: Subject | undefined
  /** True if it was done in the user's second browser. */
  readonly isElsewhere?: boolean | undefined
  readonly end: "Done" | "Waiting" | "Killed" | "HungUp"
  readonly exit: Exit.Exit<unknown, unknown> | undefined
  /** What the user sees; undefined without an exit. */
  readonly shown: Shown | undefined
  /** True if it has to work while no fault is injected; false, for example, if a user denies or comes back too late. */
  readonly mustWork: boolean
  /** When it began and ended, in milliseconds since the epoch. */
  readonly beganAt: number
  readonly endedAt: number
  /** The user's connection when it began, and when it ended. */
  readonly before: Connection
  readonly after: Connection
  /** The account that the user had connected last when it ended. */
  readonly account: Account | undefined
}

/**
 * A call of an app's function for a user's action: a consent calls two, `LogIn` and `ComeBack`.
 *
 * @since 0.1.0
 */
export interface Visit {
  /** The step and the user's action that it belongs to. */
  readonly step: number
  readonly actionId: number
  readonly subject: Subject | undefined
  readonly does: "LogIn" | "ComeBack" | "Call" | "Disconnect" | "Act"
  /** The instance of the app that served it, counted from 0. */
  readonly instance: number
  /** In milliseconds since the epoch. */
  readonly beganAt: number
  readonly endedAt: number | undefined
}

/**
 * A request from a user's browser to an app with routes, and its response.
 *
 * @since 0.1.0
 */
export interface Browsing {
  /** The step and the user's action that it belongs to. */
  readonly step: number
  readonly actionId: number
  readonly subject: Subject | undefined
  /** The instance of the app that served it, counted from 0. */
  readonly instance: number
  /** True if the user's second browser sent it. */
  readonly isElsewhere: boolean
  readonly method: string
  /** Without its query. */
  readonly path: string
  /** In milliseconds since the epoch. */
  readonly beganAt: number
  /** When its response came; undefined while it waits, if the user hung up, or if the app ended. */
  readonly endedAt: number | undefined
  readonly status: number | undefined
  /** The target of a redirect, without its query: a path of the app, or a URL elsewhere. */
  readonly leadsTo: string | undefined
  /** The headers of the response: each cookie separately, in plain text. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
}

/**
 * A write to a grant store that the app has from `stores`.
 *
 * @since 0.1.0
 */
export interface Write {
  readonly step: number
  /** The instance of the app that wrote, counted from 0. */
  readonly instance: number
  /** In milliseconds since the epoch. */
  readonly at: number
  /** The user of the grant. */
  readonly subject: string
  /** The written grant, with `Redacted` tokens; undefined if it was removed. */
  readonly grant: GrantStore.Grant | undefined
  /** False if the write was rejected because another came first. */
  readonly isDone: boolean
}

/**
 * An event of the `ZapierAuth` in the app's layer.
 *
 * @since 0.1.0
 */
export interface PublishedEvent {
  readonly step: number
  /** The instance of the app, counted from 0. */
  readonly instance: number
  /** In milliseconds since the epoch. */
  readonly at: number
  readonly event: AuthEvent
}

/**
 * A request that the app sent, and its response.
 *
 * @since 0.1.0
 */
export interface Exchange {
  /** The step in which it was sent, counted from 0. */
  readonly step: number
  /** The user's action for which it was sent, as far as its fiber tells. */
  readonly actionId: number | undefined
  /** The user for whom the sending function was called, as far as its fiber tells. */
  readonly subject: Subject | undefined
  /** The instance of the app that sent it, counted from 0, if known. */
  readonly instance?: number | undefined
  /** The owner of the code or token that it carried. Mallory is not one of the app's users. */
  readonly owner: Subject | "mallory" | undefined
  /** Undefined if it was cut off before it arrived. */
  readonly request: FakeRequest | undefined
  /** Its URL, with the query. */
  readonly url: string
  /** True if it was sent to Zapier. Other hosts respond 204 to everything. */
  readonly isForZapier: boolean
  /** Without secrets. */
  readonly line: string
  /** In milliseconds since the epoch. */
  readonly sentAt: number
  /** When the app got its response or its error. */
  readonly endedAt: number | undefined
  /** The result for the app: `Lost` if the connection broke, the app hung up, or was killed. */
  readonly end: "Open" | "Responded" | "Lost"
  readonly status: number | undefined
  /** True if a fault was injected into it. */
  readonly hasFault: boolean
  /** True if the server carried it out, whatever the app knows. */
  readonly isDone: boolean
  /** The `Retry-After` of a faulty response, in milliseconds. */
  readonly retryAfter: number | undefined
  /** The tokens that the server issued, whether or not they arrived. */
  readonly issued: Issued | undefined
  /** True if they arrived. */
  readonly isGranted: boolean
  /** The refresh token that it sent. */
  readonly refreshToken: string | undefined
  /** The code that it sent. */
  readonly code: string | undefined
  /** The access token that it sent. */
  readonly accessToken: string | undefined
}

/**
 * The start of a user's login.
 *
 * @since 0.1.0
 */
export interface Authorization {
  /** The URL that the browser was sent to. */
  readonly url: string
  readonly subject: Subject
  /** In milliseconds since the epoch. */
  readonly at: number
  /** When the app first accepted the callback, if it has. */
  readonly usedAt: number | undefined
}

/**
 * The lifetime of an access token, by the fake.
 *
 * @since 0.1.0
 */
export interface Life {
  readonly obtainedAt: number
  readonly expiresAt: number
}

/**
 * A cause that may keep an app from serving a connected user, while it lasts: a request with a fault, a killed app, a
 * secret that the app does not know yet.
 *
 * @since 0.1.0
 */
export interface Trouble {
  readonly what: string
  /** The step in which it began, counted from 0. */
  readonly step?: number | undefined
  /** In milliseconds since the epoch. */
  readonly from: number
  /** `Infinity` while the end is unknown. */
  readonly until: number
}

/**
 * Zapier ended a user's access token early, or the app's access to a user's account.
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
 * The limits that an app may choose.
 *
 * @since 0.1.0
 */
export interface Expected {
  /** How long after a failure an app may still ask its users to try later, in milliseconds. Default: 10 minutes. */
  readonly recoversWithin: number
  /** How long a user may be shown outdated data, in milliseconds, such as cached lists. Default: 5 minutes. */
  readonly showsOldFor: number
  /** How long after a disconnect other processes may still use the user's token, in milliseconds. Default: 1 minute. */
  readonly disconnectWithin: number
  /**
   * How long before its expiry a token may be refreshed, in milliseconds. Default: the last tenth of its lifetime, or 5
   * minutes if that is longer.
   */
  readonly expiryMargin: number | undefined
  /** The scopes that the app needs, if given: it has to ask for them, and no request may need more. */
  readonly scopes: ReadonlyArray<string> | undefined
  /** True if a login may end in another browser of the same user. Default: false. */
  readonly otherBrowsers: boolean
  /** Other hosts that may receive Zapier's secrets. Default: none. */
  readonly hosts: ReadonlyArray<string>
  /** Requests that must not be carried out twice for one action of a user, such as `POST /v2/zaps`. */
  readonly once: ReadonlyArray<string>
}

/**
 * The history so far. Steps, results and exchanges are in the order in which they began, ended and were sent.
 *
 * @since 0.1.0
 */
export interface History {
  /** In milliseconds since the epoch. */
  readonly now: number
  /** When each step began, in milliseconds since the epoch. The last check of each connection is a step, too. */
  readonly stepsBeganAt: ReadonlyArray<number>
  /** The causes of failures, and when they lasted. */
  readonly troubles: ReadonlyArray<Trouble>
  /** Ended tokens and grants, and when. */
  readonly endings: ReadonlyArray<Ending>
  readonly results: ReadonlyArray<Result>
  readonly exchanges: ReadonlyArray<Exchange>
  /** The calls of the app's functions, in the order in which they began. */
  readonly visits?: ReadonlyArray<Visit> | undefined
  /** The requests of browsers to an app with routes, in the order in which they began. */
  readonly browsings?: ReadonlyArray<Browsing> | undefined
  /** The writes to the app's stores, as far as they are observable. */
  readonly writes?: ReadonlyArray<Write> | undefined
  /** The library's events, if the app's layer has a `ZapierAuth`. */
  readonly events?: ReadonlyArray<PublishedEvent> | undefined
  /** The app's log. */
  readonly logs: ReadonlyArray<string>
  /** The contents of the app's stores as text, if it provides them. */
  readonly stored: string | undefined
  /** The lifetimes of the issued access tokens, by token. */
  readonly lives: ReadonlyMap<string, Life>
  /** All secrets that must not appear elsewhere, with what each is: tokens, codes, states and client secrets. */
  readonly secrets: ReadonlyMap<string, string>
  /** The users' logins. */
  readonly authorizations: ReadonlyArray<Authorization>
  readonly expected: Expected
  /** The fake's whole state. */
  readonly fake: FakeState
}
