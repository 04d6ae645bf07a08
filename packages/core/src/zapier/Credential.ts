/**
 * The credential of a request, for one of the modes, or none.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
 * import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
 *
 * // Calls an endpoint that is not in the table, as the app.
 * const program = Effect.gen(function* () {
 *   const zapier = yield* ZapierHttpClient
 *   return yield* zapier.as(Credential.app(["promotions:read"])).get("/v2/unheard-of")
 * })
 * ```
 *
 * @since 0.1.0
 */
import type { User as WhiteLabelUser } from "../machine/WhiteLabelToken.ts"
import type * as Scopes from "../oauth/Scopes.ts"
import type * as Endpoint from "./Endpoint.ts"

/**
 * The access token of a user.
 *
 * @since 0.1.0
 */
export interface User {
  readonly _tag: "User"
  /** The app's own id of its user. */
  readonly subject: string
}

/**
 * The app's own access token. Default scopes: the fewest that the endpoint needs.
 *
 * @since 0.1.0
 */
export interface App {
  readonly _tag: "App"
  readonly scopes?: ReadonlyArray<Scopes.Scope> | undefined
}

/**
 * The public client id in the query.
 *
 * @since 0.1.0
 */
export interface ClientId {
  readonly _tag: "ClientId"
}

/**
 * The access token of a White Label user. Needs `WhiteLabel.layer`.
 *
 * @since 0.1.0
 */
export interface WhiteLabel extends WhiteLabelUser {
  readonly _tag: "WhiteLabel"
}

/**
 * No credential, for endpoints for which Zapier states none.
 *
 * @since 0.1.0
 */
export interface None {
  readonly _tag: "None"
}

/**
 * The credential of a request.
 *
 * @since 0.1.0
 */
export type Credential = User | WhiteLabel | App | ClientId | None

/**
 * The credentials that an endpoint accepts; any if Zapier states none.
 *
 * @since 0.1.0
 */
export type For<N extends Endpoint.Name> = [Endpoint.ModeOf<N>] extends [never]
  ? Credential
  : | Extract<Credential, { readonly _tag: Endpoint.ModeOf<N> }>
    | ("User" extends Endpoint.ModeOf<N> ? WhiteLabel : never)

/**
 * Sends the request on behalf of a user.
 *
 * @param subject the app's own id of its user
 *
 * @since 0.1.0
 */
export const user = (subject: string): User => ({ _tag: "User", subject })

/**
 * Sends the request on behalf of a White Label user.
 *
 * @param subject the partner's own id of its user
 * @param tenant the partner's own id of the workspace or organization
 *
 * @since 0.1.0
 */
export const whiteLabel = (subject: string, tenant: string): WhiteLabel => ({ _tag: "WhiteLabel", subject, tenant })

/**
 * Sends the request as the app itself.
 *
 * @param scopes the scopes of the token. Default: the fewest that the endpoint needs
 *
 * @since 0.1.0
 */
export const app = (scopes?: ReadonlyArray<Scopes.Scope>): App => ({ _tag: "App", scopes })

/**
 * Sends the request with the client id.
 *
 * @since 0.1.0
 */
export const clientId: ClientId = { _tag: "ClientId" }

/**
 * Sends the request without a credential.
 *
 * @since 0.1.0
 */
export const none: None = { _tag: "None" }
