/**
 * The Zapier Workflow API as an `HttpApi`, with schemas for requests and responses.
 *
 * Decoding is open: undocumented members and values are kept. A response that Zapier does not document is `unknown`. Paths,
 * credentials and scopes come from `Endpoint.table`, and each endpoint is annotated with them (`EndpointFacts`). The consent
 * page, `GET /v2/authorize`, is not included, because only browsers open it.
 *
 * Most programs want `ZapierApiClient`, which calls these endpoints with the right credentials.
 *
 * Sources: Zapier's public OpenAPI description (2024.11.0), and its Workflow API reference for newer endpoints.
 *
 * @example
 * ```ts
 * import * as OpenApi from "effect/http-api/OpenApi"
 * import { ZapierApi } from "@zapier-workflow-auth/core/zapier/ZapierApi"
 *
 * Object.keys(ZapierApi.groups.zaps.endpoints).includes("list") // => true
 * OpenApi.fromApi(ZapierApi).paths["/v2/zaps"]?.get?.operationId // => "zaps.list"
 * ```
 *
 * @since 0.1.0
 */
import * as HttpApi from "effect/http-api/HttpApi"
import { actionRuns, actions } from "./api/Actions.ts"
import { apps, categories } from "./api/Apps.ts"
import { authentications } from "./api/Authentications.ts"
import { profiles } from "./api/Profiles.ts"
import { promotions } from "./api/Promotions.ts"
import { zapRuns, zaps } from "./api/Zaps.ts"
import { zapTemplates } from "./api/ZapTemplates.ts"

/**
 * The API.
 *
 * @since 0.1.0
 */
export const ZapierApi = HttpApi.make("ZapierApi").add(
  apps,
  categories,
  profiles,
  zapTemplates,
  zaps,
  zapRuns,
  actions,
  actionRuns,
  authentications,
  promotions
)

/**
 * The type of the API.
 *
 * @since 0.1.0
 */
export type ZapierApi = typeof ZapierApi
