/** What came of a request to the routes. The routes decide it, and `answers.ts` says it. */
import type * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import type { Disconnected, Status } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"

/**
 * A popup: the name that its opener has given it, which may be empty, and the origins whose pages may hear what came of it.
 *
 * @since 0.1.0
 */
export interface Popup {
  readonly id: string
  readonly origins: ReadonlyArray<string>
}

/**
 * What every outcome has, so that an app can lead the user on.
 *
 * @since 0.1.0
 */
export interface Ways {
  /** Where the user wanted to go from here: a path of the app, or an address that is allowed. */
  readonly returnTo: string
  /** Where to connect, and then go to `returnTo`. */
  readonly connect: string
  /**
   * Set where a popup asked. It has to end with a page that tells the page that opened it, as `respond` does; a redirect would
   * show the app in the popup.
   */
  readonly popup?: Popup | undefined
}

/**
 * What came of a request.
 *
 * - `Connected`: the user came back from the consent page, and the grant is stored.
 * - `ScopesMissing`: so it is, but Zapier granted less than was asked for. Connecting again asks for the same, so do not send
 *   the user there unasked: it could go on for ever.
 * - `StillConnected`: this callback changed nothing, and `error.reason` says why (used before, or not allowed, for example);
 *   the user's connection from before works.
 * - `Disconnected`: the grant was removed. `revocation` says what the user can do at Zapier.
 * - `Failed`: the user is not connected, or it is not known. `error.reason` says why.
 * - `SignedOut`: nobody is signed in. `signIn` is where to, if the app has said so.
 * - `Unconfirmed`: none of the app's own pages sent the browser to `connect`. The user has to be asked first: offer a link to
 *   `connect`, and never redirect there.
 * - `Refused`: the address to return to is none of the app's, or another site posted to `disconnect`.
 * - `Status`: what is known of the user's grant.
 *
 * @since 0.1.0
 */
export type Outcome = Ways &
  (
    | { readonly _tag: "Connected"; readonly status: Status }
    | { readonly _tag: "ScopesMissing"; readonly status: Status; readonly missing: ReadonlyArray<Scopes.Scope> }
    | { readonly _tag: "StillConnected"; readonly status: Status; readonly error: ZapierAuthError }
    | ({ readonly _tag: "Disconnected" } & Disconnected)
    | { readonly _tag: "Failed"; readonly error: ZapierAuthError }
    | { readonly _tag: "SignedOut"; readonly signIn: string | undefined }
    | { readonly _tag: "Unconfirmed" }
    | { readonly _tag: "Refused"; readonly why: "ReturnAddress" | "OtherSite" }
    | { readonly _tag: "Status"; readonly status: Status }
  )
