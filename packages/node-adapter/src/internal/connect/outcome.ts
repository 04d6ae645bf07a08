/** What came of a request to the routes. The routes decide it, and `answers.ts` says it. */
import type { Disconnected, Status } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"

/**
 * What came of a request, for an app that answers in its own words.
 *
 * - `Connected`: the user came back from the consent page, and the grant is stored.
 * - `Disconnected`: the grant was removed. `revocation` says what the user can do at Zapier.
 * - `Failed`: neither. `error.reason` says why; `connect` is where to try again.
 * - `SignedOut`: nobody is signed in.
 *
 * `returnTo` is where the user wanted to go from there: a path of the app, or an address that is allowed.
 *
 * @since 0.1.0
 */
export type Outcome =
  | { readonly _tag: "Connected"; readonly status: Status; readonly returnTo: string }
  | ({ readonly _tag: "Disconnected"; readonly returnTo: string } & Disconnected)
  | { readonly _tag: "Failed"; readonly error: ZapierAuthError; readonly returnTo: string; readonly connect: string }
  | { readonly _tag: "SignedOut"; readonly returnTo: string }
  | { readonly _tag: "Status"; readonly status: Status; readonly returnTo: string }
  | { readonly _tag: "Refused"; readonly why: "ReturnAddress" | "OtherSite"; readonly returnTo: string }
  | { readonly _tag: "Unconfirmed"; readonly returnTo: string; readonly connect: string }
