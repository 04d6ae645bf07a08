/**
 * The fake Zapier for tests without Effect: a `fetch` to give to the code under test, and the control operations of
 * `FakeZapier` as promises. Its clock is the real one, and whatever it is moved ahead.
 *
 * @example
 * ```ts
 * import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
 *
 * const zapier = FakeZapierPromise.make()
 * const { clientId } = await zapier.registerApp({ name: "Acme", redirectUris: ["https://acme.example/callback"] })
 *
 * const apps = await zapier.fetch(`https://api.zapier.com/v1/apps?client_id=${clientId}`)
 * apps.status // => 200
 *
 * await zapier.addFault({ fault: { _tag: "Unavailable" } })
 * await zapier.advance("10 hours")
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FakeControl from "./FakeControl.ts"
import type * as FakeFault from "./FakeFault.ts"
import type { Issued } from "./FakeOutcome.ts"
import type * as FakeState from "./FakeState.ts"
import * as FakeZapier from "./FakeZapier.ts"
import * as Web from "./internal/web.ts"
import type * as RequestLog from "./RequestLog.ts"

/**
 * Whatever makes no sense is rejected with a `FakeControlError` that says what would.
 *
 * @since 0.1.0
 */
export interface FakeZapierPromise {
  /**
   * Sends every request to the fake, whatever its origin is. It never follows a redirect. Where a fault breaks the
   * connection, it rejects with a `TypeError`; where nothing comes, it waits until its signal is aborted.
   *
   * As a handler of MSW, which wants to be told of a broken connection by `Response.error()`:
   * `http.all("https://*", ({ request }) => zapier.fetch(request).catch(() => Response.error()))`.
   */
  readonly fetch: typeof globalThis.fetch

  /** Registers an app, as Zapier does once an integration is public. */
  readonly registerApp: (options: FakeControl.AppOptions) => Promise<FakeState.App>
  /** Adds a user who may sign in. */
  readonly registerUser: (options: FakeControl.UserOptions) => Promise<FakeState.User>
  /** Gives an app a new secret. The previous one stops working at once. */
  readonly regenerateSecret: (clientId: string) => Promise<FakeState.App>

  /** Allows what an authorization URL asks for, and gives the URL that the browser is sent back to. */
  readonly approve: (authorizationUrl: string, options?: FakeControl.ApproveOptions) => Promise<string>
  /** Denies what an authorization URL asks for, and gives the URL that the browser is sent back to. */
  readonly deny: (authorizationUrl: string, options?: FakeControl.DenyOptions) => Promise<string>

  /** Ends the grants of an app, of a user, of both, or one grant. */
  readonly revoke: (of: FakeControl.Revocation) => Promise<void>
  /** Ends one access token before its time. */
  readonly endAccessToken: (accessToken: string) => Promise<void>

  /** Changes what is unknown of Zapier. What is not named stays as it is. */
  readonly setKnobs: (knobs: Partial<FakeState.Knobs>) => Promise<void>
  /** Says what goes wrong from now on, in the place of all that was to go wrong. */
  readonly setFaults: (rules: ReadonlyArray<FakeFault.Rule>) => Promise<void>
  /** Says what goes wrong as well: the rules that are there are tried before it. */
  readonly addFault: (rule: FakeFault.Rule) => Promise<void>

  /** What the fake's clock shows, in milliseconds since the epoch. */
  readonly time: () => Promise<number>
  /** Moves the fake's clock ahead: milliseconds, or a text such as `10 hours`. */
  readonly advance: (by: number | string) => Promise<void>
  /** Sets the fake's clock, ahead or back, to milliseconds since the epoch. It goes on from there. */
  readonly setTime: (at: number) => Promise<void>

  /** The latest requests and what they were answered with, the oldest first. */
  readonly requests: () => Promise<ReadonlyArray<RequestLog.Entry>>
  /** The latest tokens and what they came from, the oldest first. */
  readonly issued: () => Promise<ReadonlyArray<Issued>>
  /** The answers that led to a token: the exchange of a code, or the app's request, and then every refresh. */
  readonly lineage: (token: string) => Promise<ReadonlyArray<Issued>>

  /** All that the fake knows and remembers, to be restored later. */
  readonly snapshot: () => Promise<FakeZapier.Snapshot>
  /** Makes everything what it was, the fake's time included. */
  readonly restore: (snapshot: FakeZapier.Snapshot) => Promise<void>
  /** Begins anew, with what the fake was made with: the same calls give the same tokens again. */
  readonly reset: () => Promise<void>
}

const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(effect)

/**
 * A fake of one's own. There is nothing to be closed. Throws a `FakeControlError` for options that make no sense.
 *
 * @since 0.1.0
 */
export const make = (options?: FakeZapier.Options): FakeZapierPromise => {
  const zapier = FakeZapier.make(options)
  return {
    fetch: Web.fetch(zapier.handle, Context.empty()),
    registerApp: (options) => run(zapier.registerApp(options)),
    registerUser: (options) => run(zapier.registerUser(options)),
    regenerateSecret: (clientId) => run(zapier.regenerateSecret(clientId)),
    approve: (url, options) => run(zapier.approve(url, options)),
    deny: (url, options) => run(zapier.deny(url, options)),
    revoke: (of) => run(zapier.revoke(of)),
    endAccessToken: (accessToken) => run(zapier.endAccessToken(accessToken)),
    setKnobs: (knobs) => run(zapier.setKnobs(knobs)),
    setFaults: (rules) => run(zapier.setFaults(rules)),
    addFault: (rule) => run(zapier.addFault(rule)),
    time: () => run(zapier.time),
    // A text is looked into there.
    advance: (by) => run(zapier.advance(by as Duration.Input)),
    setTime: (at) => run(zapier.setTime(at)),
    requests: () => run(zapier.requests),
    issued: () => run(zapier.issued),
    lineage: (token) => run(zapier.lineage(token)),
    snapshot: () => run(zapier.snapshot),
    restore: (snapshot) => run(zapier.restore(snapshot)),
    reset: () => run(zapier.reset)
  }
}
