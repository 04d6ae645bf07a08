/** The outcomes of requests to the routes. The routes decide them, and `responses.ts` turns them into responses. */
import type * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import type { Disconnected, Status } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { AppConnection } from "./connectionCallback.ts"

/**
 * A popup: the id that its opener gave it, possibly empty, and the origins that may learn its outcome.
 *
 * @since 0.1.0
 */
export interface Popup {
  readonly id: string
  readonly origins: ReadonlyArray<string>
}

/**
 * The addresses in every outcome, to which an app can send the user.
 *
 * @since 0.1.0
 */
export interface Ways {
  /** The user's return address: a path of the app, or an allowed address. */
  readonly returnTo: string
  /** The address to connect, and then return to `returnTo`. */
  readonly connect: string
  /**
   * Set if a popup sent the request. It must end with a page that reports to its opener, as `respond` makes; a redirect would
   * show the app inside the popup.
   */
  readonly popup?: Popup | undefined
}

/**
 * The outcome of a request.
 *
 * - `Connected`: the user returned from the consent page, and the grant is stored.
 * - `ScopesMissing`: connected, but Zapier granted fewer scopes than requested. Reconnecting requests the same, so do not
 *   redirect the user there automatically: it could loop forever.
 * - `StillConnected`: this callback changed nothing, for the reason in `error.reason` (for example already used, or denied);
 *   the user's earlier connection works.
 * - `AppConnected`: a White Label user connected an app in Zapier's Connect UI.
 * - `Disconnected`: the grant was removed. `revocation` says what the user can do at Zapier.
 * - `Failed`: the user is not connected, or it is unknown. `error.reason` says why.
 * - `SignedOut`: no user is signed in. `signIn` is the sign-in page, if the app has set one.
 * - `Unconfirmed`: the browser came to `connect` from outside the app's own pages. Ask the user first: show a link to
 *   `connect`, and never redirect there.
 * - `Refused`: the return address is not allowed, or another site posted to `disconnect`.
 * - `Status`: the status of the user's connection.
 *
 * @since 0.1.0
 */
export type Outcome = Ways &
  (
    | { readonly _tag: "Connected"; readonly status: Status }
    | { readonly _tag: "ScopesMissing"; readonly status: Status; readonly missing: ReadonlyArray<Scopes.Scope> }
    | { readonly _tag: "StillConnected"; readonly status: Status; readonly error: ZapierAuthError }
    | { readonly _tag: "AppConnected"; readonly connection: AppConnection }
    | ({ readonly _tag: "Disconnected" } & Disconnected)
    | { readonly _tag: "Failed"; readonly error: ZapierAuthError }
    | { readonly _tag: "SignedOut"; readonly signIn: string | undefined }
    | { readonly _tag: "Unconfirmed" }
    | { readonly _tag: "Refused"; readonly why: "ReturnAddress" | "OtherSite" }
    | { readonly _tag: "Status"; readonly status: Status }
  )
