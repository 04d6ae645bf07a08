/**
 * Short names for endpoints, as in the typed client: `zaps.list` for `GET /v2/zaps`.
 *
 * The consent page, `GET /v2/authorize`, has none, because only browsers open it.
 *
 * @since 0.1.0
 */
import type * as Endpoint from "./Endpoint.ts"

/**
 * The endpoint of each operation.
 *
 * @since 0.1.0
 */
export const table = {
  "apps.list": "GET /v2/apps",
  "apps.listV1": "GET /v1/apps",
  "apps.listWhitelabel": "GET /v2/whitelabel/apps",
  "categories.list": "GET /v1/categories",
  "profiles.me": "GET /v1/profiles/me",
  "zapTemplates.list": "GET /v1/zap-templates",
  "zaps.list": "GET /v2/zaps",
  "zaps.listV1": "GET /v1/zaps",
  "zaps.create": "POST /v2/zaps",
  "zaps.update": "PATCH /v2/zaps/{id}",
  "zaps.remove": "DELETE /v2/zaps/{id}",
  "zaps.enable": "POST /v2/zaps/{id}/enable",
  "zaps.guess": "POST /v2/guess",
  "zapRuns.list": "GET /v2/zap-runs",
  "actions.list": "GET /v2/actions",
  "actions.inputs": "POST /v2/actions/{action_id}/inputs",
  "actions.choices": "POST /v2/actions/{action_id}/inputs/{input_id}/choices",
  "actions.outputs": "POST /v2/actions/{action_id}/outputs",
  "actions.test": "POST /v2/actions/{action_id}/test",
  "actionRuns.create": "POST /v2/action-runs",
  "actionRuns.get": "GET /v2/action-runs/{id}",
  "authentications.list": "GET /v2/authentications",
  "authentications.create": "POST /v2/authentications",
  "authentications.remove": "DELETE /v2/authentications/{authentication_id}",
  "promotions.create": "POST /v2/promotions",
  "promotions.get": "GET /v2/promotions/{enrollment_id}",
  "promotions.remove": "DELETE /v2/promotions/{enrollment_id}"
} as const satisfies { readonly [name: `${string}.${string}`]: Endpoint.Name }

/**
 * An operation's name: a group and a method of the typed client.
 *
 * @since 0.1.0
 */
export type Name = keyof typeof table

/**
 * The endpoint of an operation, as a type.
 *
 * @since 0.1.0
 */
export type EndpointOf<N extends Name> = (typeof table)[N]

/**
 * All operations, in the table's order.
 *
 * @example
 * ```ts
 * import * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
 *
 * Operation.names.includes("zaps.list") // => true
 * Operation.table["zaps.list"] // => "GET /v2/zaps"
 * ```
 *
 * @since 0.1.0
 */
export const names = Object.keys(table) as ReadonlyArray<Name>

/**
 * Splits an operation's name into group and method.
 *
 * @example
 * ```ts
 * import * as Operation from "@zapier-workflow-auth/core/zapier/Operation"
 *
 * Operation.parts("zaps.list") // => { group: "zaps", method: "list" }
 * ```
 *
 * @since 0.1.0
 */
export const parts = (name: Name): { readonly group: string; readonly method: string } => {
  const dot = name.indexOf(".")
  return { group: name.slice(0, dot), method: name.slice(dot + 1) }
}

/**
 * The operations with paged responses. The typed client follows the pages.
 *
 * @since 0.1.0
 */
export const paged = [
  "apps.list",
  "apps.listV1",
  "apps.listWhitelabel",
  "categories.list",
  "zapTemplates.list",
  "zaps.list",
  "zaps.listV1",
  "zapRuns.list",
  "actions.list",
  "actions.choices",
  "authentications.list"
] as const satisfies ReadonlyArray<Name>

/**
 * The name of an operation with paged responses.
 *
 * @since 0.1.0
 */
export type Paged = (typeof paged)[number]
